import type { ApiVersionReader } from '../cluster/api-version-reader.ts';
import { contentOf, type Content, type ContentKey } from '@hawser/sync';
import { PoolScope, type PoolScopeSettings } from './pool-scope.ts';

/** What a {@link MadeScope} is made of. */
export interface MadeScopeSettings extends PoolScopeSettings {
  /** The highest version that what the object is made of was seen at. */
  readonly seenVersion: () => string;
  readonly versions: Pick<ApiVersionReader, 'current'>;
  /** Resolves with whether what the object is made of is as the API server has it. */
  readonly agrees: (signal: AbortSignal) => Promise<boolean>;
}

/** An object that the hub makes up. */
export interface MadeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

/** A scope of one object that the hub makes up. Complete once there is an object. */
export class MadeScope extends PoolScope {
  readonly #settings: MadeScopeSettings;
  #content: Content | undefined;

  constructor(name: string, subject: string, settings: MadeScopeSettings) {
    super(name, subject, settings);
    this.#settings = settings;
  }

  get(key: ContentKey): Content | undefined {
    return this.#content?.key === key ? this.#content : undefined;
  }

  /** The object as it is to be from now on. */
  set(object: MadeObject): void {
    const metadata = { ...object.metadata, resourceVersion: this.seenVersion };
    const content = contentOf(this.name, { ...object, metadata });
    if (content.hash !== this.#content?.hash) this.#content = content;
    this.changed(content.key, content.hash);
    this.complete(true);
  }

  /** What it is made of is not believed any more. */
  distrust(): void {
    this.forgetVersions();
    this.complete(false);
  }

  /** Nobody may have it any more. */
  close(reason: Error): void {
    this.fail(reason);
  }

  protected get seenVersion(): string {
    return this.#settings.seenVersion();
  }

  protected currentVersion(maxAgeMs: number, signal: AbortSignal): Promise<string> {
    return this.#settings.versions.current(maxAgeMs, signal);
  }

  protected async agreedAt(signal: AbortSignal): Promise<string | undefined> {
    // What is read after this is as new as it at least.
    const version = await this.#settings.versions.current(0, signal);
    return (await this.#settings.agrees(signal)) ? version : undefined;
  }
}
