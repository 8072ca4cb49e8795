import type { KubeObject } from '../meta/object.ts';
import { freezeJson, freezeParsed } from './freeze-json.ts';
import type { Entry, ObjectKey } from './store.ts';

/** An {@link Entry} that knows roughly what it takes in memory. */
export interface SizedEntry extends Entry {
  /** An estimate, in bytes. */
  readonly sizeBytes: number;
}

/**
 * Makes the entry of a written object: a frozen copy with `metadata.resourceVersion` filled in.
 * @throws StatusError BadRequest if the object is no JSON.
 */
export function entryOf(key: ObjectKey, resourceVersion: number, object: KubeObject): SizedEntry {
  const versioned: KubeObject = {
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(resourceVersion) },
  };
  const { value, sizeBytes } = freezeJson(versioned);
  return new WrittenEntry(Object.freeze({ ...key }), resourceVersion, value, sizeBytes);
}

class WrittenEntry implements SizedEntry {
  readonly key: ObjectKey;
  readonly resourceVersion: number;
  readonly object: KubeObject;
  readonly sizeBytes: number;
  #json: Buffer | undefined;

  constructor(key: ObjectKey, resourceVersion: number, object: KubeObject, sizeBytes: number) {
    this.key = key;
    this.resourceVersion = resourceVersion;
    this.object = object;
    this.sizeBytes = sizeBytes;
  }

  json(): Buffer {
    this.#json ??= Buffer.from(JSON.stringify(this.object));
    return this.#json;
  }
}

/**
 * Makes the entry of an object read from disk; the text is parsed when the object is first asked for, which is never
 * for one that is only listed and watched.
 */
export function entryFromText(key: ObjectKey, resourceVersion: number, text: string): SizedEntry {
  return new ReadEntry(Object.freeze({ ...key }), resourceVersion, text);
}

class ReadEntry implements SizedEntry {
  readonly key: ObjectKey;
  readonly resourceVersion: number;
  readonly sizeBytes: number;
  /** Dropped once there is another form: two of each object would take twice the memory. */
  #text: string | undefined;
  #object: KubeObject | undefined;
  #json: Buffer | undefined;

  constructor(key: ObjectKey, resourceVersion: number, text: string) {
    this.key = key;
    this.resourceVersion = resourceVersion;
    this.#text = text;
    this.sizeBytes = text.length;
  }

  get object(): KubeObject {
    if (this.#object === undefined) {
      const text = this.#text ?? this.#json?.toString() ?? 'null';
      this.#object = freezeParsed(JSON.parse(text) as KubeObject);
      this.#text = undefined;
    }
    return this.#object;
  }

  json(): Buffer {
    if (this.#json === undefined) {
      this.#json = Buffer.from(this.#text ?? JSON.stringify(this.#object));
      this.#text = undefined;
    }
    return this.#json;
  }
}
