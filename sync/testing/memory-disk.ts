import type { Content, ContentKey } from '../src/content/content.ts';
import type { OutboxEntry } from '../src/edge/outbox-store.ts';
import type { ReplicaRecord } from '../src/edge/replica-store.ts';

/** What a disk holds of one scope. */
export interface MemoryScope {
  readonly objects: Map<ContentKey, Content>;
  record: ReplicaRecord;
}

/** A record of a scope that nothing was received of. */
export const EMPTY_RECORD: ReplicaRecord = { normalForm: 0, stamp: new Uint8Array(0) };

/**
 * What survives a power cut: hand the same disk to the stores that "come up" afterwards. Nothing but the memory
 * stores writes to it; tests may read it.
 */
export class MemoryDisk {
  readonly scopes = new Map<string, MemoryScope>();
  readonly outbox = new Map<string, OutboxEntry>();

  /** The scope, made empty if it is not there. */
  scope(name: string): MemoryScope {
    let scope = this.scopes.get(name);
    if (scope === undefined) {
      scope = { objects: new Map(), record: EMPTY_RECORD };
      this.scopes.set(name, scope);
    }
    return scope;
  }
}

/** How a {@link MemoryDisk} behaves under one store. */
export interface MemoryDiskOptions {
  /** Default: a new one. */
  readonly disk?: MemoryDisk;
  /**
   * Asked before each write becomes durable: resolves when it is, rejects where the disk fails; a stall is a promise
   * that takes its time. Default: at once.
   */
  readonly flush?: () => Promise<void>;
}

/**
 * Writes one after the other, each durable as a whole or not at all. A power cut leaves what was not durable yet
 * undone, and its promises open, as those of a process that is no more.
 */
export class WriteQueue {
  readonly #flush: () => Promise<void>;
  readonly #waiting: (() => void)[] = [];
  #tail: Promise<void> = Promise.resolve();
  #cut = false;

  constructor(flush: () => Promise<void> = () => Promise.resolve()) {
    this.#flush = flush;
  }

  /** Runs `commit`, which must be synchronous, when all writes before it are done and the disk has flushed. */
  write(commit: () => void): Promise<void> {
    if (this.#cut) return forever();
    this.#waiting.push(commit);
    const written = this.#tail.then(async () => {
      if (this.#cut) return forever();
      try {
        await this.#flush();
      } catch (error) {
        if (this.#isCut()) return forever();
        this.#waiting.shift();
        throw error;
      }
      if (this.#isCut()) return forever();
      this.#waiting.shift();
      commit();
      return undefined;
    });
    this.#tail = written.catch(() => {}); // the caller has the rejection; the next write goes on
    return written;
  }

  /** Writes that are neither durable nor failed. */
  get depth(): number {
    return this.#waiting.length;
  }

  /**
   * Cuts the power. The first `reached` of the writes under way have reached the disk, although nobody was told
   * (default 0).
   */
  cut(reached = 0): void {
    if (this.#cut) return;
    this.#cut = true;
    for (const commit of this.#waiting.slice(0, reached)) commit();
    this.#waiting.length = 0;
  }

  /** Not narrowed by the compiler over an await. */
  #isCut(): boolean {
    return this.#cut;
  }
}

/** What a process that is no more would have resolved. */
function forever(): Promise<never> {
  return new Promise(() => {});
}
