import type { Worker } from 'node:worker_threads';
import { silentLogger, type Logger } from '@hawser/seams';
import type { ContentKey, OutboxStore, ReplicaStore } from '@hawser/sync';
import { Replica } from './replica.ts';
import type { StateStore } from './state-store.ts';
import type { InventoryItem } from './store-protocol.ts';
import type { LostObject, OpenReport, StoreFault, StoreFinding } from './store-report.ts';
import { StoreThread } from './store-thread.ts';
import { StoredOutbox } from './stored-outbox.ts';
import { StoredState } from './stored-state.ts';

/** Settings of {@link EdgeStore.open}. */
export interface EdgeStoreOptions {
  /** The data folder; made (0700) if it is not there. What stands in it: see `DataDir`. */
  readonly dir: string;
  /** Size that the database may reach, in bytes; then writes fail. Default 256 MiB. */
  readonly limitBytes?: number;
  /** Writes that may wait for the disk; more are refused. Default 1,000. */
  readonly limitPendingWrites?: number;
  /** Memory that waiting writes may take, in bytes; more are refused, but one always may wait. Default 16 MiB. */
  readonly limitPendingBytes?: number;
  /**
   * Where systemd puts credentials; `hawser-store-key` in it is the key, 16 to 4,096 bytes. Without it the key is
   * `store.key` in the folder, made at first use. Default: `$CREDENTIALS_DIRECTORY`.
   */
  readonly credentialsDir?: string;
  /** Its thread, of `startStoreWorker`, where it was started before. Default: one is started. */
  readonly worker?: Worker | undefined;
  /** Default: none. */
  readonly log?: Logger;
  /** Hears of what goes wrong while the store is open. Must not throw. Default: nobody. */
  readonly onFault?: (fault: StoreFault) => void;
  /** There is room again: faults `ERR_EDGE_STORE_FULL` and `ERR_EDGE_STORE_READ_ONLY` are over. Default: nobody hears. */
  readonly onRoom?: () => void;
}

/** What a store has done and holds. */
export interface EdgeStoreCounters {
  readonly pendingWrites: number;
  readonly pendingBytes: number;
  /** Transactions written, each with one flush. */
  readonly transactions: number;
  /** Objects lost to damage since the store was opened. */
  readonly lostObjects: number;
  /** Calls of `onFault`. */
  readonly faults: number;
}

const DEFAULT_LIMIT_BYTES = 256 * 2 ** 20;
const DEFAULT_PENDING_WRITES = 1000;
const DEFAULT_PENDING_BYTES = 16 * 2 ** 20;

/**
 * What an edge keeps on its disk: the objects that the hub gave it, what it has to tell the hub, and small state of its
 * own. One SQLite file, owned by one thread, so that a disk that stalls holds up writes and reads of contents, never the
 * event loop. A write resolves once it was flushed.
 *
 * Errors of writes: `ERR_EDGE_STORE_FULL`, `ERR_EDGE_STORE_READ_ONLY`, `ERR_EDGE_STORE_BUSY` (nothing was done, try
 * again), `ERR_EDGE_STORE_FAILED` (the disk failed; nothing is written until a restart), `ERR_EDGE_STORE_CLOSED`.
 *
 * Damage is never served: what is not as it was written is reported and not listed any more, so that the next
 * comparison with the hub brings it again.
 */
export class EdgeStore {
  readonly replica: ReplicaStore;
  readonly outbox: OutboxStore;
  readonly state: StateStore;
  /** What opening found. */
  readonly openReport: OpenReport;
  readonly #thread: StoreThread;
  readonly #replica: Replica;
  readonly #faults: Faults;

  private constructor(parts: {
    thread: StoreThread;
    replica: Replica;
    state: StoredState;
    report: OpenReport;
    faults: Faults;
  }) {
    this.#thread = parts.thread;
    this.#replica = parts.replica;
    this.#faults = parts.faults;
    this.replica = parts.replica;
    this.outbox = new StoredOutbox(parts.thread);
    this.state = parts.state;
    this.openReport = parts.report;
  }

  /**
   * Opens a folder, making what is not there. A damaged database is set aside and begun anew with what can still be
   * read; see `openReport`.
   * @throws EdgeCoreError `ERR_EDGE_STORE_IN_USE`, `ERR_EDGE_STORE_TOO_NEW`, `ERR_EDGE_STORE_KEY`,
   * `ERR_EDGE_STORE_DATA_DIR`
   */
  static async open(options: EdgeStoreOptions): Promise<EdgeStore> {
    const log = options.log ?? silentLogger;
    const faults = new Faults(log, options.onFault);
    const thread = new StoreThread(
      {
        dir: options.dir,
        limitBytes: options.limitBytes ?? DEFAULT_LIMIT_BYTES,
        credentialsDir: options.credentialsDir ?? process.env['CREDENTIALS_DIRECTORY'],
      },
      {
        pendingWrites: options.limitPendingWrites ?? DEFAULT_PENDING_WRITES,
        pendingBytes: options.limitPendingBytes ?? DEFAULT_PENDING_BYTES,
      },
      {
        rebuilt: (items, finding) => rebuilt(items, finding),
        fault: (fault) => faults.tell(fault),
        hasRoom: () => {
          log.info({}, 'there is room for the store again');
          options.onRoom?.();
        },
      },
    );
    const replica = new Replica(thread, log, (object, message) =>
      faults.tell({ code: 'ERR_EDGE_STORE_DAMAGED', message, lostObjects: [object] }),
    );
    const state = new StoredState(thread);
    function rebuilt(items: readonly InventoryItem[], finding: StoreFinding): void {
      state.reset(items);
      const lostObjects = replica.reset(items);
      faults.tell({ code: 'ERR_EDGE_STORE_DAMAGED', message: finding.message, lostObjects, finding });
    }
    const { report, items } = await thread.open(options.worker);
    state.reset(items);
    replica.reset(items);
    for (const { kind, message, lostObjects = [] } of report.findings) {
      log.warn({ finding: kind }, message);
      replica.markLost(lostObjects);
    }
    return new EdgeStore({ thread, replica, state, report, faults });
  }

  /**
   * Objects that were lost to damage and not sent again or removed since. They are not in `entries()`, though nobody
   * took them away: what runs because of them goes on running.
   */
  lost(scope: string): ReadonlySet<ContentKey> {
    return this.#replica.lost(scope);
  }

  /** A snapshot. */
  counters(): EdgeStoreCounters {
    return { ...this.#thread.counters, lostObjects: this.#faults.lostObjects, faults: this.#faults.count };
  }

  /** Waits for all writes, merges the log and lets go of the folder. Idempotent. */
  close(): Promise<void> {
    return this.#thread.close();
  }
}

/** Counts faults, logs them, and tells whoever listens. */
class Faults {
  readonly #log: Logger;
  readonly #onFault: ((fault: StoreFault) => void) | undefined;
  count = 0;
  lostObjects = 0;

  constructor(log: Logger, onFault: ((fault: StoreFault) => void) | undefined) {
    this.#log = log;
    this.#onFault = onFault;
  }

  tell(fault: StoreFault): void {
    this.count += 1;
    this.lostObjects += fault.lostObjects.length;
    const lost: readonly LostObject[] = fault.lostObjects.slice(0, 10);
    this.#log.error({ code: fault.code, lost }, fault.message);
    this.#onFault?.(fault);
  }
}
