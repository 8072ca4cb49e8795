import { type ApiClient, type ApiResource, type KubeObject, resourcePath } from '@hawser/kube';
import { stateSubject, type Content, type ContentKey } from '@hawser/sync';
import type { ContentEvents } from '../cache/content-events.ts';
import type { KeptContent } from '../cache/kept-content.ts';
import { KeptObjects } from '../cache/kept-objects.ts';
import { listObjects } from '../cache/list-objects.ts';
import type { CompleteList, FeedSink } from '../cache/resource-feed.ts';
import { ApiVersionReader } from '../cluster/api-version-reader.ts';
import { SharedRead } from '../cluster/shared-read.ts';
import { laterVersion, PoolScope, type PoolScopeSettings } from './pool-scope.ts';

/** What a {@link ResourceScope} needs. */
export interface ResourceScopeSettings extends PoolScopeSettings {
  readonly client: ApiClient;
  readonly events: ContentEvents;
}

interface Listed {
  readonly versions: ReadonlyMap<ContentKey, string>;
  readonly version: string;
}

/**
 * All objects of one resource, kept once as bytes, for all pools. Where it is what, {@link follow} says: a feed that
 * fills it as its sink.
 */
export class ResourceScope extends PoolScope implements FeedSink<KeptContent> {
  readonly #settings: ResourceScopeSettings;
  readonly #objects: KeptObjects;
  /** Of the resource as it is followed now. */
  #source: { readonly resource: ApiResource; readonly versions: ApiVersionReader } | undefined;
  #listed: SharedRead<Listed> | undefined;
  /** Of what the feed has brought; the feed's own may be later, by a bookmark. */
  #version = '';
  #feedVersion: () => string = () => '';

  constructor(name: string, settings: ResourceScopeSettings) {
    super(name, stateSubject('', name), settings);
    this.#settings = settings;
    const { events } = settings;
    this.#objects = new KeptObjects({ name, events, onSet: (key, hash) => this.changed(key, hash) });
  }

  get objects(): number {
    return this.#objects.size;
  }

  get bytes(): number {
    return this.#objects.bytes;
  }

  get(key: ContentKey): Content | undefined {
    return this.#objects.get(key);
  }

  /** Objects come of this resource from now on. @param lastVersion of its feed */
  follow(resource: ApiResource, lastVersion: () => string): void {
    const { client, clock } = this.#settings;
    this.release(new Error(`${this.name} is followed anew`));
    this.#feedVersion = lastVersion;
    this.#source = {
      resource,
      versions: new ApiVersionReader({ client, clock, path: resourcePath(resource) }),
    };
    this.#listed = new SharedRead({
      read: (signal) => this.#list(resource, signal),
      nowMs: () => clock.monotonicMs(),
    });
  }

  /** Gives up what is under way. */
  release(reason: Error): void {
    this.#listed?.close(reason);
    this.#source?.versions.close();
    this.#listed = undefined;
    this.#source = undefined;
    this.#feedVersion = () => '';
  }

  /** Nothing of it is wanted any more. */
  close(reason: Error): void {
    this.release(reason);
    this.fail(reason);
  }

  /** The API server has another life: what is kept counts as complete again only with the next list. */
  distrust(): void {
    this.#source?.versions.forget();
    this.forgetVersions();
    this.#version = '';
    this.complete(false);
  }

  /** The API server does not serve the resource: nothing of it exists. */
  absent(): void {
    this.#objects.clear();
    this.complete(false);
  }

  prepare(object: KubeObject): KeptContent | undefined {
    return this.#objects.prepare(object);
  }

  put(content: KeptContent): void {
    this.#version = laterVersion(this.#version, content.version);
    this.#objects.put(content);
  }

  replace(entries: Iterable<KeptContent>, { version, wentBack }: CompleteList): void {
    if (wentBack) this.forgetVersions();
    this.#version = wentBack ? version : laterVersion(this.#version, version);
    this.#objects.replace(entries, wentBack);
    this.complete(true);
  }

  remove(object: KubeObject): void {
    this.#version = laterVersion(this.#version, object.metadata.resourceVersion ?? '');
    this.#objects.remove(object);
  }

  protected get seenVersion(): string {
    // While a list of another life is awaited, the feed's last version is of the former one.
    return this.#version === '' ? '' : laterVersion(this.#version, this.#feedVersion());
  }

  protected async currentVersion(maxAgeMs: number, signal: AbortSignal): Promise<string> {
    // Not served: nothing of it is newer than what was seen.
    return (await this.#source?.versions.current(maxAgeMs, signal)) ?? this.version;
  }

  protected async agreedAt(signal: AbortSignal): Promise<string | undefined> {
    const listed = await this.#listed?.get(0);
    signal.throwIfAborted();
    if (listed === undefined) return undefined;
    this.#listed?.forget();
    for (const [key, version] of listed.versions)
      if (this.#objects.get(key)?.version !== version) return undefined;
    return this.#objects.size === listed.versions.size ? listed.version : undefined;
  }

  async #list(resource: ApiResource, signal: AbortSignal): Promise<Listed> {
    const versions = new Map<ContentKey, string>();
    const { client } = this.#settings;
    let version = '';
    const options = { metadataOnly: true, onVersion: (seen: string) => void (version = seen) };
    for await (const object of listObjects(client, resource, options, signal))
      versions.set(this.#objects.keyOf(object), object.metadata.resourceVersion ?? '');
    return { versions, version };
  }
}
