import type { Logger } from '@hawser/seams';
import type { EdgeStore } from './edge-store.ts';
import type { StoreFinding } from './store-report.ts';

/** What a {@link ReplicaWholeness} needs. */
export interface ReplicaWholenessOptions {
  readonly store: Pick<EdgeStore, 'replica' | 'state' | 'openReport' | 'lost'>;
  readonly scope: string;
  readonly log: Logger;
}

/** There while the replica may lack something; its value does not count. */
const KEY = 'replica-unsure';
/** All others mean that rows may be gone whose keys nobody knows. */
const HARMLESS: ReadonlySet<StoreFinding['kind']> = new Set(['mode-repaired']);

/**
 * Knows whether a scope of the store is all that the hub has given. What a damaged disk has lost often has no name any
 * more: a file that is gone, a page that cannot be read, writes behind a torn log. Nothing may be ended or deleted
 * then because the store does not list it, until a comparison with the hub is over; also where the process ends before
 * that, so that it is written down. A store that never was in sync knows nothing either.
 */
export class ReplicaWholeness {
  readonly #options: ReplicaWholenessOptions;
  #isUnsure: boolean;

  constructor(options: ReplicaWholenessOptions) {
    this.#options = options;
    const { store, scope } = options;
    const { normalForm, stamp } = store.replica.record(scope);
    this.#isUnsure =
      (normalForm === 0 && stamp.length === 0) ||
      store.state.get(KEY) !== undefined ||
      store.openReport.findings.some(({ kind }) => !HARMLESS.has(kind));
  }

  /** Whether objects may be missing that nobody took away. */
  get mayLack(): boolean {
    return this.#isUnsure || this.#options.store.lost(this.#options.scope).size > 0;
  }

  /** Writes down what opening the store has found. Never rejects: a disk that takes nothing keeps its damage, too. */
  async start(): Promise<void> {
    if (this.#isUnsure) await this.#note();
  }

  /** The store has lost something while it is open. */
  damaged(): void {
    this.#isUnsure = true;
    void this.#note();
  }

  /** The hub has said that everything is here, and it is durable. */
  synced(): void {
    const { store, scope, log } = this.#options;
    // Of a comparison that had begun before the damage.
    if (!this.#isUnsure || store.lost(scope).size > 0) return;
    this.#isUnsure = false;
    store.state.delete(KEY).catch((error: unknown) => {
      log.warn({ err: error, scope }, 'the store holds everything again, which could not be written down');
    });
  }

  /** Never rejects. */
  async #note(): Promise<void> {
    const { store, scope, log } = this.#options;
    try {
      await store.state.set(KEY, Uint8Array.of(1));
    } catch (error) {
      log.warn({ err: error, scope }, 'that the store may lack something could not be written down');
    }
  }
}
