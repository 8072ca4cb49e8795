import type { SizedEntry } from './entry.ts';
import type { ObjectKey } from './store.ts';

/**
 * The present objects of one resource, in order of (namespace, name). An array kept sorted: adding moves what comes
 * after it (a memmove, microseconds at 100,000 objects), and lists need no sorting.
 */
export class ObjectTable {
  readonly #entries: SizedEntry[];

  /** `entries`: what it starts with, in order; copied. */
  constructor(entries: readonly SizedEntry[] = []) {
    this.#entries = [...entries];
  }

  get(namespace: string, name: string): SizedEntry | undefined {
    const entry = this.#entries[this.#position(namespace, name)];
    return entry !== undefined && compare(entry.key, namespace, name) === 0 ? entry : undefined;
  }

  /** Adds or replaces. */
  set(entry: SizedEntry): void {
    const { namespace, name } = entry.key;
    const position = this.#position(namespace, name);
    const present = this.#entries[position];
    const replaces = present !== undefined && compare(present.key, namespace, name) === 0;
    this.#entries.splice(position, replaces ? 1 : 0, entry);
  }

  /** Removes; a missing object is none. */
  delete(namespace: string, name: string): void {
    const position = this.#position(namespace, name);
    const present = this.#entries[position];
    if (present !== undefined && compare(present.key, namespace, name) === 0)
      this.#entries.splice(position, 1);
  }

  /** A copy of all entries, or of one namespace's. */
  list(namespace?: string): SizedEntry[] {
    if (namespace === undefined) return [...this.#entries];
    // No name is empty, so '' stands before all of a namespace, and the namespace followed by U+0000 after.
    return this.#entries.slice(this.#position(namespace, ''), this.#position(`${namespace}\0`, ''));
  }

  /** Where the key is, or would stand. */
  #position(namespace: string, name: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && compare(entry.key, namespace, name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(key: ObjectKey, namespace: string, name: string): number {
  if (key.namespace !== namespace) return key.namespace < namespace ? -1 : 1;
  if (key.name === name) return 0;
  return key.name < name ? -1 : 1;
}
