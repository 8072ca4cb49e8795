import type { JsonState } from '../state/json-state.ts';
import type { PodStatus } from './pod-status-types.ts';

const PREFIX = 'pod-status/';

/**
 * The last status of each pod, by UID. What was said of a pod is durable: a restart of the edge goes on with the times
 * and counts that were there. (The cloud does not send statuses back.)
 */
export class PodStatuses {
  readonly #state: JsonState;
  readonly #statuses = new Map<string, PodStatus>();
  /** What the disk has. */
  readonly #durable = new Map<string, PodStatus>();
  readonly #listeners = new Set<(uid: string) => void>();

  constructor(state: JsonState) {
    this.#state = state;
  }

  /** Reads what was kept. */
  async load(): Promise<void> {
    for (const [key, value] of await this.#state.readAll(PREFIX)) {
      const uid = key.slice(PREFIX.length);
      this.#statuses.set(uid, value as PodStatus);
      this.#durable.set(uid, value as PodStatus);
    }
  }

  /** UIDs that have a status. */
  uids(): readonly string[] {
    return [...this.#statuses.keys()];
  }

  get(uid: string): PodStatus | undefined {
    return this.#statuses.get(uid);
  }

  /** Calls with the UID of each pod whose status is another one than before. Answers how to stop listening. */
  listen(listener: (uid: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes a status that is not durable yet; answers whether it is another one than before. */
  note(uid: string, status: PodStatus): boolean {
    if (isSame(this.#statuses.get(uid), status)) return false;
    this.#statuses.set(uid, status);
    for (const listener of this.#listeners) listener(uid);
    return true;
  }

  /** Makes it durable if it is another one than what is; answers whether it is. */
  async set(uid: string, status: PodStatus): Promise<boolean> {
    this.note(uid, status);
    if (isSame(this.#durable.get(uid), status)) return false;
    await this.#state.write(`${PREFIX}${uid}`, status);
    this.#durable.set(uid, status);
    return true;
  }

  async remove(uid: string): Promise<void> {
    if (this.#durable.has(uid)) await this.#state.remove(`${PREFIX}${uid}`);
    this.#durable.delete(uid);
    this.#statuses.delete(uid);
  }
}

function isSame(one: PodStatus | undefined, other: PodStatus): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
