import type { KubeObject, ObjectKey } from '@hawser/kube';
import type { ToldChange } from './change-history.ts';
import type { LocalEntry } from './local-entry.ts';
import type { ResourceState } from './resource-state.ts';

/** Where an object is, in its resource. */
export type ObjectPlace = Pick<ObjectKey, 'namespace' | 'name'>;

/** Shows objects of one resource in another way. One for each {@link ResourceState} that it is over. */
export interface EntryFilter {
  /** Takes all that there is. Called again where all of it may be different. */
  begin(base: ResourceState): void;
  /** Takes a change. Answers further objects that may have to be shown in another way. */
  changed(change: ToldChange): Iterable<ObjectPlace>;
  /** The entry as it is to be shown; itself where nothing is different. */
  show(entry: LocalEntry): LocalEntry;
  /** Calls with objects that may have to be shown in another way, though they have not changed. Answers how to stop. */
  listen(listener: (places: Iterable<ObjectPlace>) => void): () => void;
}

/** An entry that is shown in another way; made from the other one each time that it is read. */
export class FilteredEntry implements LocalEntry {
  readonly key: ObjectKey;
  readonly resourceVersion: number;
  readonly #base: LocalEntry;
  readonly #signature: string;
  readonly #change: (object: KubeObject) => KubeObject;

  /** @param signature what is different: of two entries over one state those with the same are equal */
  constructor(
    base: LocalEntry,
    signature: string,
    change: (object: KubeObject) => KubeObject,
    resourceVersion = base.resourceVersion,
  ) {
    this.key = base.key;
    this.resourceVersion = resourceVersion;
    this.#base = base;
    this.#signature = signature;
    this.#change = change;
  }

  get signature(): string {
    return `${signatureOf(this.#base)} ${this.#signature}`;
  }

  get sizeBytes(): number {
    return this.#base.sizeBytes;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#base.labels;
  }

  get annotations(): Readonly<Record<string, string>> {
    return this.#base.annotations;
  }

  get object(): KubeObject {
    const object = this.#change(this.#base.object);
    const resourceVersion = String(this.resourceVersion);
    return { ...object, metadata: { ...object.metadata, resourceVersion } };
  }

  json(): Buffer {
    return Buffer.from(JSON.stringify(this.object));
  }

  at(resourceVersion: number): FilteredEntry {
    return new FilteredEntry(this.#base, this.#signature, this.#change, resourceVersion);
  }
}

/** What is different of an entry; empty: nothing is. */
export function signatureOf(entry: LocalEntry | undefined): string {
  return entry instanceof FilteredEntry ? entry.signature : '';
}
