import type { ContainerEnd } from '../container-runtime.ts';
import type { CriContainer, CriContainerStatus } from './pod-view.ts';
import { stateOf } from './pod-view.ts';

interface Known {
  readonly uid: string;
  readonly kind: 'sandbox' | 'container';
  /** Of a container: what it said of itself last. */
  status?: CriContainerStatus;
  /** Of a container: how it ended, as the runtime has told before its status says so. */
  end?: ContainerEnd;
  /** Of a container: it was out of memory, which its status is to say. */
  outOfMemory?: boolean;
  /** Of a sandbox that was ready. */
  ips?: readonly string[];
  /** When it was seen last, see {@link PodCache.now}. */
  seen: number;
}

/** What was just made. */
interface Made {
  readonly id: string;
  readonly kind: 'sandbox' | 'container';
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
 * It holds what the last full list had, and what came since: while all that came since is known, it tells which pods the
 * runtime has nothing of, too.
 */
export class PodCache {
  readonly #known = new Map<string, Known>();
  /** By the UID of the pod. */
  readonly #made = new Map<string, readonly Made[]>();
  /** Containers that were killed a moment ago. */
  readonly #killed = new Set<string>();
  /** How many of {@link #known} a pod has, by its UID. */
  readonly #items = new Map<string, number>();
  #tick = 0;
  /** Whether it knows of everything that there is. */
  #isWhole = false;
  #doubts = 0;

  /** A moment, for {@link forgetOthers}. */
  now(): number {
    return this.#tick++;
  }

  note(id: string, kind: 'sandbox' | 'container', uid: string): void {
    const known = this.#known.get(id);
    if (known !== undefined) {
      known.seen = this.#tick;
      return;
    }
    this.#known.set(id, { uid, kind, seen: this.#tick });
    this.#items.set(uid, (this.#items.get(uid) ?? 0) + 1);
  }

  find(id: string): { readonly uid: string; readonly kind: 'sandbox' | 'container' } | undefined {
    return this.#known.get(id);
  }

  /** Something may come into being, or has, that nobody tells of. */
  doubt(): void {
    this.#isWhole = false;
    this.#doubts += 1;
  }

  /** How often it was doubted, for {@link listed}. */
  get doubts(): number {
    return this.#doubts;
  }

  /** A full list has been noted. @param doubts as they were when it began */
  listed(doubts: number): void {
    this.#isWhole = doubts === this.#doubts;
  }

  /** Whether the runtime surely has nothing of a pod. */
  lacks(uid: string): boolean {
    return this.#isWhole && !this.#items.has(uid);
  }

  /** Forgets what was not seen since `moment`: the runtime does not have it any more. */
  forgetOthers(moment: number): void {
    for (const [id, { seen }] of this.#known) if (seen <= moment) this.forget(id);
  }

  forget(id: string): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    this.#known.delete(id);
    const left = (this.#items.get(known.uid) ?? 0) - 1;
    if (left > 0) this.#items.set(known.uid, left);
    else this.#items.delete(known.uid);
    this.#killed.delete(id);
  }

  keepStatus(status: CriContainerStatus): void {
    const known = this.#known.get(status.id);
    if (known === undefined) return;
    known.status = status;
    if (isKilled(status)) this.#killed.add(status.id);
  }

  /** Whether a container is known to have ended. */
  hasEnded(id: string): boolean {
    const status = this.#known.get(id)?.status;
    return status !== undefined && stateOf(status.state) === 'exited';
  }

  /** A container has ended, and its status will say so. */
  noteEnd(id: string, end: ContainerEnd): void {
    const known = this.#known.get(id);
    if (known !== undefined) known.end = end;
  }

  /** A container was out of memory, and its status will say so when it has ended. */
  noteOutOfMemory(id: string): void {
    const known = this.#known.get(id);
    if (known !== undefined) known.outOfMemory = true;
  }

  wasOutOfMemory(id: string): boolean {
    return this.#known.get(id)?.outOfMemory === true;
  }

  /** Its status says how it ended, or is not waited for any more. */
  forgetEnd(id: string): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    delete known.end;
    delete known.outOfMemory;
  }

  /** How a container ended whose status does not say all of that yet. */
  endOf({ id, state }: CriContainerStatus): ContainerEnd | undefined {
    const known = this.#known.get(id);
    const isSaid = stateOf(state) === 'exited' && known?.outOfMemory !== true;
    return isSaid ? undefined : known?.end;
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
    return maySettle(status, wallMs) ? undefined : status;
  }

  /** As {@link note}, of what was just made: see {@link takeMade}. */
  noteMade(id: string, kind: 'sandbox' | 'container', uid: string): void {
    this.note(id, kind, uid);
    const made = this.#made.get(uid) ?? [];
    this.#made.set(uid, [...made, { id, kind }]);
  }

  /** Ids of what is to be asked for with the next look at a pod: what was just made, and what is still settling. */
  takeUnsettled(
    uid: string,
    wallMs: number,
  ): { readonly sandboxes: readonly string[]; readonly containers: readonly string[] } {
    const made = this.#made.get(uid) ?? [];
    this.#made.delete(uid);
    const ofKind = (kind: Made['kind']): readonly string[] =>
      made.filter((each) => each.kind === kind).map(({ id }) => id);
    const settling = [...this.#killed].filter((id) => {
      const known = this.#known.get(id);
      if (known === undefined || !maySettle(known.status, wallMs)) this.#killed.delete(id);
      return known?.uid === uid && this.#killed.has(id);
    });
    return { sandboxes: ofKind('sandbox'), containers: [...ofKind('container'), ...settling] };
  }

  keepAddresses(sandboxId: string, ips: readonly string[]): void {
    const known = this.#known.get(sandboxId);
    if (known !== undefined) known.ips = ips;
  }

  addressesOf(sandboxId: string): readonly string[] | undefined {
    return this.#known.get(sandboxId)?.ips;
  }
}

function isKilled(status: CriContainerStatus | undefined): status is CriContainerStatus {
  return status?.exitCode === KILLED && status.reason === 'Error' && stateOf(status.state) === 'exited';
}

function maySettle(status: CriContainerStatus | undefined, wallMs: number): boolean {
  return isKilled(status) && wallMs - status.finishedAt / NANOS_PER_MS < SETTLING_MS;
}
