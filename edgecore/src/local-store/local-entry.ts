import type { Entry, KubeObject, ObjectKey } from '@hawser/kube';
import { jsonMember, jsonMembers, textOf, type JsonMember } from './json-members.ts';

/** An {@link Entry} of the local store. */
export interface LocalEntry extends Entry {
  /** What it keeps in memory, about, bytes. */
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * The same state as of another version. Always an entry of its own: what others remember of an entry (lines of
   * watches) goes with it.
   */
  at(resourceVersion: number): LocalEntry;
}

type Texts = Readonly<Record<string, string>>;

const NONE: Texts = Object.freeze({});
/** These stand first in all answers of an API server. */
const FIRST = ['kind', 'apiVersion', 'metadata'] as const;
const COMMA = Buffer.from(',');
const CLOSE = Buffer.from('}');

/**
 * An entry over canonical JSON without `metadata.resourceVersion`, which is put in without parsing the rest. The object
 * is parsed each time that it is asked for: most are only listed and watched, as bytes.
 */
export abstract class JsonEntry implements LocalEntry {
  readonly key: ObjectKey;
  readonly resourceVersion: number;
  /** Where metadata begin, once they were looked for: selectors ask again and again. */
  #metadataAt = -1;

  constructor(key: ObjectKey, resourceVersion: number) {
    this.key = key;
    this.resourceVersion = resourceVersion;
  }

  abstract get sizeBytes(): number;
  abstract at(resourceVersion: number): LocalEntry;
  /** Canonical JSON. @throws StatusError where it is not to be had now */
  protected abstract bytes(): Uint8Array;

  get object(): KubeObject {
    return JSON.parse(this.json().toString('utf8')) as KubeObject; // as the hub made it
  }

  get labels(): Texts {
    return this.#texts('labels');
  }

  get annotations(): Texts {
    return this.#texts('annotations');
  }

  json(): Buffer {
    return withVersion(this.bytes(), this.resourceVersion);
  }

  #texts(name: string): Texts {
    const bytes = this.bytes();
    if (this.#metadataAt < 0) this.#metadataAt = jsonMember(bytes, 0, 'metadata')?.value ?? 0;
    const member = this.#metadataAt === 0 ? undefined : jsonMember(bytes, this.#metadataAt, name);
    if (member === undefined) return NONE;
    return JSON.parse(textOf(bytes, member.value, member.to)) as Texts; // as the API server checked it
  }
}

/**
 * JSON of an object as an API server writes it, kind, apiVersion and metadata first, with a resourceVersion.
 * @param bytes canonical JSON of the object without one
 */
export function withVersion(bytes: Uint8Array, resourceVersion: number): Buffer {
  const members = jsonMembers(bytes, 0);
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Buffer[] = [];
  const add = (part: Buffer): void => void parts.push(Buffer.from(parts.length === 0 ? '{' : ','), part);
  for (const name of FIRST) {
    const member = members.get(name);
    if (name === 'metadata') add(metadataWith(source, member, resourceVersion));
    else if (member !== undefined) add(source.subarray(member.from, member.to));
  }
  let rest: { from: number; to: number } | undefined;
  for (const [name, { from, to }] of members) {
    if (name === 'kind' || name === 'apiVersion' || name === 'metadata') {
      if (rest !== undefined) parts.push(COMMA, source.subarray(rest.from, rest.to));
      rest = undefined;
    } else rest = { from: rest?.from ?? from, to };
  }
  if (rest !== undefined) parts.push(COMMA, source.subarray(rest.from, rest.to));
  parts.push(CLOSE);
  return Buffer.concat(parts);
}

function metadataWith(source: Buffer, member: JsonMember | undefined, resourceVersion: number): Buffer {
  const head = `"metadata":{"resourceVersion":"${resourceVersion}"`;
  const inner = member === undefined ? CLOSE : source.subarray(member.value + 1, member.to);
  return Buffer.concat([Buffer.from(inner.length > 1 ? `${head},` : head), inner]);
}
