import { silentLogger, systemClock, type Clock, type Logger, type Random } from '@hawser/seams';
import { NORMAL_FORMS, type NormalForms } from '../content/normal-form.ts';
import { BatchDecoder } from './batch-decoder.ts';
import { RemovalGuard } from './removal-guard.ts';
import type { ReplicaStore } from './replica-store.ts';
import {
  ReplicaSession,
  type ReplicaChecks,
  type ReplicaParts,
  type ReplicaSessionOptions,
} from './replica-session.ts';
import { ReplicaWriter } from './replica-writer.ts';

/** What a {@link ScopeReplica} is made of. */
export interface ScopeReplicaOptions {
  /** `node/<name>` or `pool/<name>`. */
  readonly scope: string;
  readonly store: ReplicaStore;
  /** Normal forms that this release knows. Default: {@link NORMAL_FORMS}. */
  readonly forms?: NormalForms;
  /** Of scopes whose states are signed, as `PoolStore.checks` makes them. Default: nothing is checked. */
  readonly checks?: ReplicaChecks;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** How a replica is doing, for `hawser status` and metrics. */
export interface ReplicaState {
  /** Whether a session follows the scope now. */
  readonly connected: boolean;
  /** Whether the hub has said in this session that the edge has everything, and nothing came since. */
  readonly synced: boolean;
  readonly objects: number;
  /** Removals that are held back until the hub confirms them. */
  readonly heldRemovals: number;
  /** Objects whose whole content was asked for. */
  readonly wanted: number;
  /** What the disk said when it last refused; undefined: it takes what comes. */
  readonly diskError: string | undefined;
  /** The code of that error, where it has one. */
  readonly diskErrorCode: string | undefined;
}

/** What a replica has done since it was made; for metrics. */
export interface ReplicaCounters {
  /** Batches made durable. */
  readonly batches: number;
  /** Objects that came whole, as deltas or as new hashes, and removals carried out. */
  readonly puts: number;
  readonly removes: number;
  /** Objects that could not be made from what was there. */
  readonly unmade: number;
  /** Mass removals held back. */
  readonly holds: number;
  readonly failedWrites: number;
}

/**
 * The edge's end of one scope: docs/sync.md. One for as long as the edge runs; sessions come and go.
 *
 * Who calls what: whoever holds the session with the hub calls {@link open} for each session, once the cluster guard
 * has said `go`, and hands frames to the {@link ReplicaSession} that it gets. Everything that a hub has given is in
 * the store once it was acknowledged; consumers read it there, and hear of changes by `ReplicaStore.listen`.
 */
export class ScopeReplica {
  readonly scope: string;
  readonly #parts: ReplicaParts;
  readonly #syncedListeners = new Set<() => void>();
  #session: ReplicaSession | undefined;

  constructor(options: ScopeReplicaOptions) {
    const { scope, store, forms = NORMAL_FORMS, checks, random } = options;
    const { clock = systemClock, log = silentLogger } = options;
    this.scope = scope;
    this.#parts = {
      scope,
      checks,
      store,
      decoder: new BatchDecoder(store, scope, forms),
      guard: new RemovalGuard(),
      writer: new ReplicaWriter({ store, scope, clock, log, ...(random === undefined ? {} : { random }) }),
      counts: { batches: 0, puts: 0, removes: 0, unmade: 0, holds: 0 },
      clock,
      log,
    };
  }

  get state(): ReplicaState {
    const { store, writer } = this.#parts;
    const session = this.#session;
    return {
      connected: session !== undefined,
      synced: session?.synced ?? false,
      objects: store.entries(this.scope).size,
      heldRemovals: session?.heldRemovals ?? 0,
      wanted: session?.wanted ?? 0,
      diskError: writer.error,
      diskErrorCode: writer.errorCode,
    };
  }

  counters(): ReplicaCounters {
    return { ...this.#parts.counts, failedWrites: this.#parts.writer.failures };
  }

  /**
   * Calls whenever the hub has said that the edge has everything, after it has become durable. Answers how to stop
   * listening.
   */
  onSynced(listener: () => void): () => void {
    this.#syncedListeners.add(listener);
    return () => this.#syncedListeners.delete(listener);
  }

  /** Begins to follow the scope in a new session; ends the one before. */
  open(options: ReplicaSessionOptions): ReplicaSession {
    this.#session?.end();
    const session: ReplicaSession = new ReplicaSession(this.#parts, {
      ...options,
      onSynced: () => {
        for (const listener of this.#syncedListeners) listener();
      },
      onEnd: () => {
        if (this.#session === session) this.#session = undefined;
      },
    });
    this.#session = session;
    session.start();
    return session;
  }
}
