interface Waiting<K> {
  readonly key: K;
  readonly dueMs: number;
  readonly order: number;
}

/**
 * Keys with a due time, earliest first; a key is in it once, at its earliest time. A binary heap in which
 * superseded entries stay until they surface; they are swept out before they are the majority.
 */
export class DelayHeap<K> {
  readonly #current = new Map<K, Waiting<K>>();
  #heap: Waiting<K>[] = [];
  #order = 0;

  /** Keys waiting. */
  get size(): number {
    return this.#current.size;
  }

  has(key: K): boolean {
    return this.#current.has(key);
  }

  /** Lets the key be due at `dueMs`, unless it is due sooner anyway. */
  add(key: K, dueMs: number): void {
    const before = this.#current.get(key);
    if (before !== undefined && before.dueMs <= dueMs) return;
    const waiting = { key, dueMs, order: this.#order++ };
    this.#current.set(key, waiting);
    this.#heap.push(waiting);
    this.#rise(this.#heap.length - 1);
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#current.size) this.#sweep();
  }

  /** The time at which the first key is due; undefined when none waits. */
  nextDueMs(): number | undefined {
    this.#dropSuperseded();
    return this.#heap[0]?.dueMs;
  }

  /** Takes out the first key if it is due at `nowMs`. */
  takeDue(nowMs: number): { readonly key: K } | undefined {
    this.#dropSuperseded();
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.#pop();
    this.#current.delete(first.key);
    return first;
  }

  clear(): void {
    this.#current.clear();
    this.#heap = [];
  }

  #dropSuperseded(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#current.get(first.key) === first) return;
      this.#pop();
    }
  }

  #sweep(): void {
    this.#heap = [...this.#current.values()].sort((a, b) => (before(a, b) ? -1 : 1)); // a sorted array is a heap
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink();
  }

  #rise(from: number): void {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfBefore(child, parent)) return;
      child = parent;
    }
  }

  #sink(): void {
    for (let parent = 0; ;) {
      const left = 2 * parent + 1;
      const [first, second] = [this.#heap[left], this.#heap[left + 1]];
      if (first === undefined) return;
      const child = second !== undefined && before(second, first) ? left + 1 : left;
      if (!this.#swapIfBefore(child, parent)) return;
      parent = child;
    }
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const [below, above] = [this.#heap[child], this.#heap[parent]];
    if (below === undefined || above === undefined || !before(below, above)) return false;
    this.#heap[child] = above;
    this.#heap[parent] = below;
    return true;
  }
}

function before<K>(a: Waiting<K>, b: Waiting<K>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
