import type { KubeObject } from '@hawser/kube';
import { contentOf, formatKey, type Content, type ContentHash, type ContentKey } from '@hawser/sync';
import type { ContentEvents } from './content-events.ts';
import { KeptContent } from './kept-content.ts';
import { isOlder } from './record-table.ts';

/** What {@link KeptObjects} need. */
export interface KeptObjectsOptions {
  /** The resource, as in keys. */
  readonly name: string;
  readonly events: ContentEvents;
  /** Calls with each object that was put or taken away, and what it is now; undefined: gone. */
  readonly onSet: (key: ContentKey, hash: ContentHash | undefined, before: ContentHash | undefined) => void;
}

/** All objects of one resource, kept once as bytes. What is older than what is there is not taken. */
export class KeptObjects {
  readonly #options: KeptObjectsOptions;
  readonly #contents = new Map<ContentKey, KeptContent>();
  #bytes = 0;

  constructor(options: KeptObjectsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#contents.size;
  }

  /** Bytes as they are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: ContentKey): Content | undefined {
    return this.#contents.get(key);
  }

  contents(): IterableIterator<Content> {
    return this.#contents.values();
  }

  keyOf({ metadata: { namespace = '', name = '' } }: KubeObject): ContentKey {
    return formatKey(this.#options.name, namespace, name);
  }

  /** Brings an object into the form in which it is kept; one that cannot be is as it was. */
  prepare(object: KubeObject): KeptContent | undefined {
    const key = this.keyOf(object);
    const known = this.#contents.get(key);
    try {
      const content = contentOf(this.#options.name, object);
      return known?.hash === content.hash
        ? known.at(content.version)
        : KeptContent.of(content, known?.key ?? key);
    } catch (error) {
      this.#options.events.unreadable(key, error);
      return known; // what was known of it before stays; a list shows it as it was
    }
  }

  put(content: KeptContent): void {
    this.#accept(content, false);
  }

  /** Takes a complete list in place of all. @param wentBack it shows an older state, and counts all the same */
  replace(entries: Iterable<KeptContent>, wentBack: boolean): void {
    const listed = new Set<ContentKey>();
    for (const content of entries) {
      listed.add(content.key);
      this.#accept(content, wentBack);
    }
    for (const key of [...this.#contents.keys()]) if (!listed.has(key)) this.#set(key, undefined);
  }

  remove(object: KubeObject): void {
    this.#set(this.keyOf(object), undefined);
  }

  clear(): void {
    for (const key of [...this.#contents.keys()]) this.#set(key, undefined);
  }

  #accept(content: KeptContent, forced: boolean): void {
    const known = this.#contents.get(content.key);
    if (!forced && known !== undefined && isOlder(content.version, known.version)) return;
    this.#set(content.key, content);
  }

  #set(key: ContentKey, content: KeptContent | undefined): void {
    const { events, onSet } = this.#options;
    const known = this.#contents.get(key);
    if (known !== undefined && content !== undefined && known.hash !== content.hash) events.replaced(known);
    this.#bytes += (content?.keptBytes ?? 0) - (known?.keptBytes ?? 0);
    if (content === undefined) this.#contents.delete(key);
    else this.#contents.set(key, content);
    onSet(key, content?.hash, known?.hash);
  }
}
