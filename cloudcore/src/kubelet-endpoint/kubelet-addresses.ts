import { Controller, FailureLimiter } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import type { ClusterView } from '../cache/cluster-view.ts';
import { saysKubelet, type NodeKubelet } from '../cluster/node-kubelet.ts';

/** Settings of {@link KubeletAddresses}. */
export interface KubeletAddressesOptions {
  readonly view: Pick<ClusterView, 'node' | 'onNode'>;
  /** Where API servers reach the node's kubelet here; undefined: nowhere. */
  readonly kubeletOf: (node: string) => Promise<NodeKubelet | undefined>;
  /** Whether the session is still the node's newest; see `LeaseKeeper.confirm`. */
  readonly confirm: (node: string, epoch: number, signal: AbortSignal) => Promise<boolean>;
  /** Writes it; see `UpstreamRouter.announce`. */
  readonly announce: (node: string, session: AbortSignal) => Promise<void>;
  /** Counted when a write was ordered. */
  readonly onWrite: () => void;
  readonly log: Logger;
  readonly clock: Clock;
}

interface Session {
  readonly epoch: number;
  /** Of a write that is under way; thousands of sessions have none. */
  writing: AbortController | undefined;
}

const WORKERS = 4;
/**
 * Who sees that a Node says something else waits longer than a Lease counts as asked: it may be a newer session which
 * said so, and then this one is to hear of it before it writes.
 */
const SETTLE_MS = 3000;
const RETRY = { baseMs: 500, capMs: 60_000 };

/**
 * Sees that the Nodes of connected edges say where API servers reach their kubelets: here. Looks when a session begins,
 * and when a Node changes; writes only where it says something else, which after a reconnect it does not.
 *
 * Two replicas must not contradict each other: before each write the Lease is asked whether this session is still the
 * newest, and where it is not the session ends and nothing is written. A write of the older that overtakes is seen by
 * the newer, and written over.
 */
export class KubeletAddresses {
  readonly #options: KubeletAddressesOptions;
  readonly #queue: Controller;
  readonly #sessions = new Map<string, Session>();
  #stopListening: (() => void) | undefined;

  constructor(options: KubeletAddressesOptions) {
    this.#options = options;
    const log = options.log.child({ component: 'kubelet' });
    this.#queue = new Controller({
      name: 'kubelet-addresses',
      workers: WORKERS,
      reconcile: (node, signal) => this.#look(node, signal),
      rateLimiter: new FailureLimiter(RETRY),
      onError: (err, node) => log.debug({ node, err }, 'address of the kubelet not written; trying again'),
      clock: options.clock,
    });
  }

  /** Begins to listen. Idempotent. */
  start(): void {
    this.#stopListening ??= this.#options.view.onNode((node) => {
      if (this.#sessions.has(node)) this.#queue.enqueueAfter(node, SETTLE_MS);
    });
    this.#queue.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = () => {};
    for (const { writing } of this.#sessions.values()) writing?.abort();
    this.#sessions.clear();
    await this.#queue.stop();
  }

  /** A session of the node is up. Answers what to call when it has ended. */
  opened(node: string, epoch: number): () => void {
    const session: Session = { epoch, writing: undefined };
    this.#sessions.get(node)?.writing?.abort();
    this.#sessions.set(node, session);
    this.#queue.enqueue(node);
    return () => {
      session.writing?.abort();
      if (this.#sessions.get(node) === session) this.#sessions.delete(node);
    };
  }

  async #look(node: string, signal: AbortSignal): Promise<void> {
    const { view, kubeletOf, confirm, announce, onWrite } = this.#options;
    const session = this.#sessions.get(node);
    if (session === undefined) return;
    const wanted = await kubeletOf(node);
    const facts = view.node(node);
    // Without a Node there is nothing to write: whoever creates it asks kubeletOf, too.
    if (wanted === undefined || facts === undefined || saysKubelet(facts.kubelet, wanted)) return;
    if (!(await confirm(node, session.epoch, signal)) || this.#sessions.get(node) !== session) return;
    onWrite();
    session.writing = new AbortController();
    try {
      await announce(node, session.writing.signal);
    } finally {
      session.writing = undefined;
    }
  }
}
