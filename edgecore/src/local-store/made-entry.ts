import type { KubeObject, ObjectKey } from '@hawser/kube';
import type { LocalEntry } from './local-entry.ts';

/** An object that is made here of parts that others keep: nothing of it is copied. */
export interface MadeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeObject['metadata'];
  readonly [field: string]: unknown;
}

/** What the parts take in memory beside what is kept anyway, about: a status that was replaced. */
const ENTRY_BYTES = 4096;

/** An entry of the node's own: a pod or the Node with its present status. */
export class MadeEntry implements LocalEntry {
  readonly key: ObjectKey;
  readonly resourceVersion: number;
  readonly sizeBytes = ENTRY_BYTES;
  readonly #parts: MadeObject;

  constructor(key: ObjectKey, resourceVersion: number, parts: MadeObject) {
    this.key = key;
    this.resourceVersion = resourceVersion;
    this.#parts = parts;
  }

  get object(): KubeObject {
    const { kind, apiVersion, metadata, ...rest } = this.#parts;
    const resourceVersion = String(this.resourceVersion);
    return { kind, apiVersion, metadata: { ...metadata, resourceVersion }, ...rest };
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#parts.metadata.labels ?? {};
  }

  get annotations(): Readonly<Record<string, string>> {
    return this.#parts.metadata.annotations ?? {};
  }

  json(): Buffer {
    return Buffer.from(JSON.stringify(this.object));
  }

  at(resourceVersion: number): MadeEntry {
    return new MadeEntry(this.key, resourceVersion, this.#parts);
  }
}
