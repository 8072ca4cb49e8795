import type { Logger } from '@hawser/seams';
import { POOL_RESOURCES, type PoolMembership, type ReplicaStore } from '@hawser/sync';
import { isOf, readMembership } from './pool-documents.ts';

/** What a {@link MembershipReader} is made of. */
export interface MembershipReaderOptions {
  readonly replica: Pick<ReplicaStore, 'entries' | 'read' | 'listen'>;
  /** The node's own scope. */
  readonly scope: string;
  /** Called when {@link MembershipReader.present} is another. */
  readonly onChange: () => void;
  readonly log: Logger;
}

/** Reads this node's place in a pool, from what the hub has given to the node. */
export class MembershipReader {
  readonly #options: MembershipReaderOptions;
  #present: PoolMembership | undefined;
  #undo: (() => void) | undefined;
  #reading: Promise<void> | undefined;
  #again = false;

  constructor(options: MembershipReaderOptions) {
    this.#options = options;
  }

  /** undefined: the node is in no pool. */
  get present(): PoolMembership | undefined {
    return this.#present;
  }

  /** Reads what is there, and goes on reading. Idempotent. */
  async start(): Promise<void> {
    const { replica, scope } = this.#options;
    this.#undo ??= replica.listen((changed, keys) => {
      if (changed === scope && keys.some((key) => isOf(POOL_RESOURCES.membership, key))) void this.#read();
    });
    await this.#read();
  }

  /** Idempotent. */
  stop(): void {
    this.#undo?.();
    this.#undo = undefined;
  }

  #read(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const read = await this.#readOnce();
      if (read === 'unreadable' || JSON.stringify(read) === JSON.stringify(this.#present)) continue;
      this.#present = read;
      this.#options.onChange();
    }
  }

  async #readOnce(): Promise<PoolMembership | undefined | 'unreadable'> {
    const { replica, scope, log } = this.#options;
    const keys = [...replica.entries(scope).keys()]
      .filter((key) => isOf(POOL_RESOURCES.membership, key))
      .sort();
    const [key] = keys;
    if (key === undefined) return undefined;
    try {
      const bytes = await replica.read(scope, key);
      const read = bytes && readMembership(bytes);
      if (read !== undefined) return read;
      log.warn({ key }, 'what the hub says of this node’s pool cannot be understood');
    } catch (error) {
      log.warn({ key, err: error }, 'what the hub says of this node’s pool cannot be read');
    }
    return 'unreadable';
  }
}
