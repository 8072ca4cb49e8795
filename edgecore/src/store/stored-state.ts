import { EdgeCoreError } from '../errors.ts';
import type { StateStore } from './state-store.ts';
import { LIMIT_STATE_BYTES, LIMIT_STATE_TOTAL_BYTES } from './store-limits.ts';
import type { InventoryItem, StateChange } from './store-protocol.ts';
import type { StoreThread } from './store-thread.ts';

interface Value {
  readonly bytes: Uint8Array;
  readonly secret: boolean;
}

/** What a change is to come to, and when it has. */
interface Wanted {
  /** undefined: no value. */
  readonly value: Value | undefined;
  readonly done: Promise<void>;
}

/** The {@link StateStore} of an edge store. */
export class StoredState implements StateStore {
  readonly #thread: StoreThread;
  readonly #values = new Map<string, Value>();
  /** The newest change of each key that is under way. */
  readonly #wanted = new Map<string, Wanted>();

  constructor(thread: StoreThread) {
    this.#thread = thread;
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)?.bytes;
  }

  keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  async set(
    key: string,
    bytes: Uint8Array,
    { secret = false }: { readonly secret?: boolean } = {},
  ): Promise<void> {
    const value = { bytes: new Uint8Array(bytes), secret };
    this.#checkRoom(key, value.bytes.length);
    await this.#change(key, value);
  }

  async delete(key: string): Promise<void> {
    await this.#change(key, undefined);
  }

  /** Takes what the disk has, for all that was known before. */
  reset(items: readonly InventoryItem[]): void {
    this.#values.clear();
    for (const item of items) {
      if (item.type === 'state') this.#values.set(item.key, { bytes: item.bytes, secret: item.secret });
    }
  }

  #change(key: string, value: Value | undefined): Promise<void> {
    const wanted = this.#wanted.get(key);
    if (isSame(wanted === undefined ? this.#values.get(key) : wanted.value, value))
      return wanted?.done ?? Promise.resolve();
    const change: StateChange =
      value === undefined ? { remove: key } : { put: { key, bytes: value.bytes, secret: value.secret } };
    const sizeBytes = key.length + (value?.bytes.length ?? 0);
    const done = this.#thread.write({ type: 'state', change }, sizeBytes, () => {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value);
    });
    const entry: Wanted = { value, done };
    this.#wanted.set(key, entry);
    return done.finally(() => {
      if (this.#wanted.get(key) === entry) this.#wanted.delete(key);
    });
  }

  #checkRoom(key: string, bytes: number): void {
    let total = bytes;
    for (const [other, value] of this.#values) if (other !== key) total += value.bytes.length;
    if (bytes <= LIMIT_STATE_BYTES && total <= LIMIT_STATE_TOTAL_BYTES) return;
    throw new EdgeCoreError(
      'ERR_EDGE_STORE_VALUE',
      `the value ${key} has ${bytes} bytes, with all others ${total}; at most ${LIMIT_STATE_BYTES} and ` +
        `${LIMIT_STATE_TOTAL_BYTES} are kept`,
      { about: key },
    );
  }
}

function isSame(one: Value | undefined, other: Value | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.secret === other.secret && Buffer.compare(one.bytes, other.bytes) === 0;
}
