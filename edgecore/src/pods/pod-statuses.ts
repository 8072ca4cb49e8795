import type { JsonState } from '../state/json-state.ts';
import type { PodStatus } from './pod-status-types.ts';

const PREFIX = 'pod-status/';

/**
 * The last status of each pod, by UID, durable: a restart of the edge goes on with the times and counts that were
 * there. (The cloud does not send statuses back.)
 */
export class PodStatuses {
  readonly #state: JsonState;
  readonly #statuses = new Map<string, PodStatus>();

  constructor(state: JsonState) {
    this.#state = state;
  }

  /** Reads what was kept. */
  async load(): Promise<void> {
    for (const [key, value] of await this.#state.readAll(PREFIX)) {
      this.#statuses.set(key.slice(PREFIX.length), value as PodStatus);
    }
  }

  /** UIDs that have a status. */
  uids(): readonly string[] {
    return [...this.#statuses.keys()];
  }

  get(uid: string): PodStatus | undefined {
    return this.#statuses.get(uid);
  }

  /** Makes it durable if it is another one than before; answers whether it is. */
  async set(uid: string, status: PodStatus): Promise<boolean> {
    if (JSON.stringify(this.#statuses.get(uid)) === JSON.stringify(status)) return false;
    await this.#state.write(`${PREFIX}${uid}`, status);
    this.#statuses.set(uid, status);
    return true;
  }

  async remove(uid: string): Promise<void> {
    if (!this.#statuses.has(uid)) return;
    await this.#state.remove(`${PREFIX}${uid}`);
    this.#statuses.delete(uid);
  }
}
