import type { Clock } from '@hawser/seams';
import type { CriClient } from '../../cri/cri-client.ts';
import { PodSandboxState } from '../../cri/sandbox-messages.ts';
import type { RuntimeContainer, RuntimePod } from '../container-runtime.ts';
import { RuntimeError } from '../runtime-error.ts';
import { LABELS, labelSelector } from './labels.ts';
import type { PodCache } from './pod-cache.ts';
import {
  addressesOf,
  containerView,
  podViews,
  sandboxView,
  stateOf,
  type CriContainer,
  type CriContainerStatus,
  type CriSandbox,
} from './pod-view.ts';

/** What a {@link PodReader} is made of. */
export interface PodReaderOptions {
  readonly client: CriClient;
  readonly cache: PodCache;
  readonly clock: Clock;
  /** Value of the label that marks what is ours. */
  readonly owner: string;
}

const NOTHING_ASKED: ReadonlyMap<string, CriContainerStatus> = new Map();

/** Reads pods from a runtime: two lists, and what the cache does not know. */
export class PodReader {
  readonly #client: CriClient;
  readonly #cache: PodCache;
  readonly #clock: Clock;
  readonly #owner: string;

  constructor(options: PodReaderOptions) {
    this.#client = options.client;
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#owner = options.owner;
  }

  /** Every pod that is ours. */
  async list(signal?: AbortSignal): Promise<readonly RuntimePod[]> {
    const moment = this.#cache.now();
    const { doubts } = this.#cache;
    const pods = await this.#read(undefined, signal);
    this.#cache.forgetOthers(moment);
    this.#cache.listed(doubts);
    return pods;
  }

  /** One pod of ours. A new one need not be asked for. */
  async get(uid: string, signal?: AbortSignal): Promise<RuntimePod | undefined> {
    if (this.#cache.lacks(uid)) return undefined;
    const [pod] = await this.#read(uid, signal);
    return pod;
  }

  /** Sandboxes and containers as they are listed. */
  async items(
    uid: string | undefined,
    signal?: AbortSignal,
  ): Promise<{ readonly sandboxes: readonly CriSandbox[]; readonly containers: readonly CriContainer[] }> {
    const filter = { labelSelector: labelSelector(this.#owner, uid) };
    const [{ items }, { containers }] = await Promise.all([
      this.#client.call('ListPodSandbox', { filter }, { signal }),
      this.#client.call('ListContainers', { filter }, { signal }),
    ]);
    for (const { id, metadata } of items) this.#cache.note(id, 'sandbox', metadata?.uid ?? '');
    for (const { id, labels } of containers) this.#cache.note(id, 'container', labels[LABELS.podUid] ?? '');
    return { sandboxes: items, containers };
  }

  /** Asks for the status of a container and keeps it. undefined: it is not there. */
  async containerStatus(containerId: string, signal?: AbortSignal): Promise<CriContainerStatus | undefined> {
    const answer = await ifThere(this.#client.call('ContainerStatus', { containerId }, { signal }));
    if (answer?.status !== undefined) this.#cache.keepStatus(answer.status);
    return answer?.status;
  }

  /** Whether a sandbox is ready; its addresses are kept. undefined: it is not there. */
  async sandboxReady(podSandboxId: string, signal?: AbortSignal): Promise<boolean | undefined> {
    const answer = await ifThere(this.#client.call('PodSandboxStatus', { podSandboxId }, { signal }));
    if (answer?.status === undefined) return undefined;
    const ready = answer.status.state === PodSandboxState.SANDBOX_READY;
    if (ready) this.#cache.keepAddresses(podSandboxId, addressesOf(answer.status.network));
    return ready;
  }

  async #read(uid: string | undefined, signal?: AbortSignal): Promise<readonly RuntimePod[]> {
    // What may have changed is asked for beside the lists, which would only say that it has to be.
    const [{ sandboxes, containers }, asked] = await Promise.all([
      this.items(uid, signal),
      uid === undefined ? NOTHING_ASKED : this.#askAhead(uid, signal),
    ]);
    const views = new Map<string, RuntimeContainer>();
    await aFewAtATime(sandboxes, (item) => this.#learnAddresses(item, signal));
    await aFewAtATime(containers, async (item) => {
      const view = await this.#containerView(item, asked.get(item.id), signal);
      if (view !== undefined) views.set(item.id, view);
    });
    return podViews(
      sandboxes,
      containers,
      (item) => sandboxView(item, this.#cache.addressesOf(item.id) ?? []),
      (item) => views.get(item.id),
    );
  }

  /** Never rejects: what could not be learnt is asked for again after the lists. */
  async #askAhead(uid: string, signal?: AbortSignal): Promise<ReadonlyMap<string, CriContainerStatus>> {
    const statuses = new Map<string, CriContainerStatus>();
    const ask = async (id: string): Promise<void> => {
      const status = await this.containerStatus(id, signal);
      if (status !== undefined) statuses.set(id, status);
    };
    const { sandboxes, containers } = this.#cache.takeUnsettled(uid, this.#clock.wallMs());
    await Promise.allSettled([
      ...sandboxes.map((id) => this.sandboxReady(id, signal)),
      ...containers.map((id) => ask(id)),
    ]);
    return statuses;
  }

  async #learnAddresses(item: CriSandbox, signal?: AbortSignal): Promise<void> {
    const ready = item.state === PodSandboxState.SANDBOX_READY;
    if (ready && this.#cache.addressesOf(item.id) === undefined) await this.sandboxReady(item.id, signal);
  }

  /**
   * undefined: it went while we looked.
   * @param asked what it has just said of itself
   */
  async #containerView(
    item: CriContainer,
    asked: CriContainerStatus | undefined,
    signal?: AbortSignal,
  ): Promise<RuntimeContainer | undefined> {
    const isLatest = asked !== undefined && (asked.state === item.state || stateOf(asked.state) === 'exited');
    const known = isLatest ? asked : this.#cache.statusOf(item, this.#clock.wallMs());
    const status = known ?? (await this.containerStatus(item.id, signal));
    return status && containerView(item, status, this.#cache.endOf(status));
  }
}

/** Of calls for one list. After a start there are hundreds to be made, and the runtime has other things to do. */
const AT_A_TIME = 8;

async function aFewAtATime<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, worker));
}

/** undefined in place of the error that says that it is not there. */
export async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RuntimeError && error.notFound) return undefined;
    throw error;
  }
}
