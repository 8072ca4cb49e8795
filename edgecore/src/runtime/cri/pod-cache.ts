import type { CriContainer, CriContainerStatus } from './pod-view.ts';
import { stateOf } from './pod-view.ts';

interface Known {
  readonly uid: string;
  readonly kind: 'sandbox' | 'container';
  /** Of a container: what it said of itself last. */
  status?: CriContainerStatus;
  /** Of a sandbox that was ready. */
  ips?: readonly string[];
  /** When it was seen last, see {@link PodCache.now}. */
  seen: number;
}

/** Whether what it says of its end may still become better, see {@link PodCache.statusOf}. */
const SETTLING_MS = 5_000;
const KILLED = 137;
const NANOS_PER_MS = 1e6;

/**
 * What need not be asked again: how an exited container ended, when a running one began, the addresses of a sandbox,
 * and whose a container is. None of it ever changes in CRI: a container starts once and ends once. So a look at pods
 * where nothing happens costs two calls, whatever there is.
 *
 * It holds what the last full list had, and what came since.
 */
export class PodCache {
  readonly #known = new Map<string, Known>();
  #tick = 0;

  /** A moment, for {@link forgetOthers}. */
  now(): number {
    return this.#tick++;
  }

  note(id: string, kind: 'sandbox' | 'container', uid: string): void {
    const known = this.#known.get(id);
    if (known === undefined) this.#known.set(id, { uid, kind, seen: this.#tick });
    else known.seen = this.#tick;
  }

  find(id: string): { readonly uid: string; readonly kind: 'sandbox' | 'container' } | undefined {
    return this.#known.get(id);
  }

  /** Forgets what was not seen since `moment`: the runtime does not have it any more. */
  forgetOthers(moment: number): void {
    for (const [id, { seen }] of this.#known) if (seen <= moment) this.#known.delete(id);
  }

  forget(id: string): void {
    this.#known.delete(id);
  }

  keepStatus(status: CriContainerStatus): void {
    const known = this.#known.get(status.id);
    if (known !== undefined) known.status = status;
  }

  /** Whether a container is known to have ended. */
  hasEnded(id: string): boolean {
    const status = this.#known.get(id)?.status;
    return status !== undefined && stateOf(status.state) === 'exited';
  }

  /**
   * The status of a listed container, undefined where it has to be asked for.
   *
   * A runtime may learn that a container was out of memory a little after it has learnt that it ended. So the status
   * of one that was killed is asked for again for a while.
   */
  statusOf(item: CriContainer, wallMs: number): CriContainerStatus | undefined {
    const status = this.#known.get(item.id)?.status;
    if (status === undefined) return undefined;
    if (stateOf(status.state) !== 'exited') return status.state === item.state ? status : undefined;
    const maybeLater = status.exitCode === KILLED && status.reason === 'Error';
    return maybeLater && wallMs - status.finishedAt / NANOS_PER_MS < SETTLING_MS ? undefined : status;
  }

  keepAddresses(sandboxId: string, ips: readonly string[]): void {
    const known = this.#known.get(sandboxId);
    if (known !== undefined) known.ips = ips;
  }

  addressesOf(sandboxId: string): readonly string[] | undefined {
    return this.#known.get(sandboxId)?.ips;
  }
}
