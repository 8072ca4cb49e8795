import { compareResourceVersions, type KubeObject } from '@hawser/kube';
import { contentOf, formatKey, type ContentKey } from '@hawser/sync';
import { KeptContent } from './kept-content.ts';
import type { ContentEvents } from './content-events.ts';
import { setContent, type ObjectRecord } from './object-record.ts';

/** An object as a list or watch brought it, in the form in which it is kept. */
export interface PreparedObject {
  readonly key: ContentKey;
  /** resourceVersion. */
  readonly version: string;
  /** undefined: it cannot be brought into normal form. What was known of it before stays. */
  readonly content: KeptContent | undefined;
}

/** The records of one resource, and how much they keep. */
export class RecordTable<R extends ObjectRecord = ObjectRecord> {
  /** As in keys. */
  readonly resource: string;
  readonly #records = new Map<ContentKey, R>();
  readonly #events: ContentEvents;
  #objects = 0;
  #bytes = 0;

  constructor(resource: string, events: ContentEvents) {
    this.resource = resource;
    this.#events = events;
  }

  /** Records whose object exists. */
  get objects(): number {
    return this.#objects;
  }

  /** Bytes of their contents, as they are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Records, of objects that do not exist too. */
  get size(): number {
    return this.#records.size;
  }

  get(key: ContentKey): R | undefined {
    return this.#records.get(key);
  }

  values(): IterableIterator<R> {
    return this.#records.values();
  }

  add(record: R): R {
    this.#records.set(record.key, record);
    return record;
  }

  /** Forgets a record, and what is known with it. */
  delete(record: R): void {
    if (!this.#records.delete(record.key)) return;
    this.#count(record.content, undefined);
  }

  keyOf(object: KubeObject): ContentKey {
    return formatKey(this.resource, object.metadata.namespace ?? '', object.metadata.name ?? '');
  }

  /**
   * Brings an object into the form in which it is kept; a content that is kept already is not packed again. Never
   * throws for what an API server sends.
   */
  prepare(key: ContentKey, object: KubeObject): PreparedObject {
    const version = object.metadata.resourceVersion ?? '';
    try {
      const content = contentOf(this.resource, object);
      const known = this.#records.get(key);
      if (known?.content?.hash === content.hash) return { key, version, content: known.content.at(version) };
      return { key, version, content: KeptContent.of(content, known?.key ?? key) };
    } catch (error) {
      this.#events.unreadable(key, error);
      return { key, version, content: undefined };
    }
  }

  /**
   * Keeps what is newer than what is known; answers whether it was taken. `forced`: the server went back, and what is
   * known does not count.
   */
  accept(record: R, { version, content }: PreparedObject, forced: boolean): boolean {
    if (!forced && record.known && isOlder(version, record.version)) return false;
    // Unreadable: the last good form stays.
    this.#set(record, content ?? record.content, version);
    return true;
  }

  /** The object does not exist. `version`: of the deletion; `''` where it is not known. */
  acceptAbsence(record: R, version: string): void {
    this.#set(record, undefined, version);
  }

  #set(record: R, content: KeptContent | undefined, version: string): void {
    const before = record.content;
    if (before !== undefined && content !== undefined && before.hash !== content.hash)
      this.#events.replaced(before);
    this.#count(before, content);
    setContent(record, content, version);
  }

  #count(before: KeptContent | undefined, after: KeptContent | undefined): void {
    this.#objects += Number(after !== undefined) - Number(before !== undefined);
    this.#bytes += (after?.keptBytes ?? 0) - (before?.keptBytes ?? 0);
  }
}

/** Whether a version is certainly older than another; versions that cannot be compared are not. */
export function isOlder(version: string, than: string): boolean {
  const order = compareResourceVersions(version, than);
  return order !== undefined && order < 0;
}
