import type { LocalEntry } from './local-entry.ts';

/** The present objects of one resource, in order of (namespace, name): an array that is kept sorted. */
export class EntryTable {
  #entries: LocalEntry[];

  /** `entries`: in any order, no two of one name. */
  constructor(entries: Iterable<LocalEntry> = []) {
    this.#entries = [...entries].sort((a, b) => compare(a, b.key.namespace, b.key.name));
  }

  get size(): number {
    return this.#entries.length;
  }

  get(namespace: string, name: string): LocalEntry | undefined {
    const entry = this.#entries[this.#position(namespace, name)];
    return entry !== undefined && compare(entry, namespace, name) === 0 ? entry : undefined;
  }

  /** Adds or replaces. */
  set(entry: LocalEntry): void {
    const { namespace, name } = entry.key;
    const position = this.#position(namespace, name);
    const present = this.#entries[position];
    const replaces = present !== undefined && compare(present, namespace, name) === 0;
    this.#entries.splice(position, replaces ? 1 : 0, entry);
  }

  /** Removes; a missing object is none. */
  delete(namespace: string, name: string): void {
    const position = this.#position(namespace, name);
    const present = this.#entries[position];
    if (present !== undefined && compare(present, namespace, name) === 0) this.#entries.splice(position, 1);
  }

  /** A copy of all entries, or of one namespace's. */
  list(namespace?: string): LocalEntry[] {
    if (namespace === undefined) return [...this.#entries];
    // No name is empty, so '' stands before all of a namespace, and the namespace followed by U+0000 after.
    return this.#entries.slice(this.#position(namespace, ''), this.#position(`${namespace}\0`, ''));
  }

  values(): Iterable<LocalEntry> {
    return this.#entries;
  }

  /** Where it is, or would stand. */
  #position(namespace: string, name: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && compare(entry, namespace, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare({ key }: LocalEntry, namespace: string, name: string): number {
  if (key.namespace !== namespace) return key.namespace < namespace ? -1 : 1;
  if (key.name === name) return 0;
  return key.name < name ? -1 : 1;
}
