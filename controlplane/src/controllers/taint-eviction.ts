import { formatTime, ResourceClient, type Controller, type Informer } from '@hawser/kube';
import type { Node, Taint } from '../api/node.ts';
import { isPodTerminal, withCondition, type Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import { toleratedSeconds } from '../api/tolerations.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import { PODS_BY_NODE } from './pods-by-node.ts';

const NAME = 'taint-eviction-controller';
const WORKERS = 4;

/** Since when (monotonic) a pod's node has had its present NoExecute taints. */
interface Countdown {
  readonly uid: string;
  readonly taints: string;
  readonly sinceMs: number;
}

/**
 * Deletes pods from nodes with NoExecute taints: those that do not tolerate one at once, those that tolerate all for
 * some time when it is over. Time is counted here, monotonically, from when the taints were first seen; a change of
 * the taints (not of the pod) begins anew, as upstream.
 * Source: kubernetes pkg/controller/tainteviction.
 */
export class TaintEvictionController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #nodes: Informer;
  readonly #pods: Informer;
  readonly #client: ResourceClient<Pod>;
  readonly #queue: Controller;
  readonly #countdowns = new Map<string, Countdown>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#nodes = context.informers.informer(API.nodes);
    this.#pods = context.informers.informer(API.pods);
    this.#client = new ResourceClient(context.client, API.pods);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
  }

  start(): void {
    this.#pods.addHandler((old, current) => {
      const entry = current ?? old;
      if (entry !== undefined) this.#queue.enqueue(entry.key);
    });
    this.#nodes.addHandler((old, current) => {
      const taints = noExecute(current?.value);
      if (describe(taints) === describe(noExecute(old?.value))) return;
      const name = (current ?? old)?.name ?? '';
      for (const { key } of this.#pods.lister.byIndex(PODS_BY_NODE, name)) this.#queue.enqueue(key);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const pod = this.#pods.lister.byKey(key)?.value as Pod | undefined;
    const node = this.#nodes.lister.byKey(pod?.spec.nodeName ?? '')?.value as Node | undefined;
    const taints = noExecute(node);
    if (
      pod === undefined ||
      taints.length === 0 ||
      pod.metadata.deletionTimestamp !== undefined ||
      isPodTerminal(pod)
    ) {
      this.#countdowns.delete(key);
      return;
    }
    const nowMs = this.#context.clock.monotonicMs();
    const { uid = '' } = pod.metadata;
    const known = this.#countdowns.get(key);
    const same = known?.uid === uid && known.taints === describe(taints);
    const countdown = same ? known : { uid, taints: describe(taints), sinceMs: nowMs };
    this.#countdowns.set(key, countdown);
    const seconds = toleratedSeconds(taints, pod.spec.tolerations ?? []);
    if (seconds === Infinity) return;
    const waitMs = countdown.sinceMs + seconds * 1000 - nowMs;
    if (waitMs > 0) this.#queue.enqueueAfter(key, waitMs);
    else await this.#evict(key, pod, signal);
  }

  async #evict(key: string, pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: formatTime(this.#context.clock.wallMs()),
    };
    const body = {
      metadata: { uid },
      status: { conditions: withCondition(pod.status?.conditions, condition) },
    };
    await unlessGone(
      this.#client.patch(namespace, name, 'strategic', body, { subresource: 'status', signal }),
    );
    const preconditions = uid === undefined ? {} : { uid };
    await unlessGone(this.#client.delete(namespace, name, { preconditions, signal }));
    this.#countdowns.delete(key);
    const message = `Marking for deletion Pod ${namespace}/${name}`;
    this.#context.events.record(pod, NAME, { type: 'Normal', reason: 'TaintManagerEviction', message });
  }
}

function noExecute(node: Node | undefined): Taint[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}

/** Equal for equal taints. */
function describe(taints: readonly Taint[]): string {
  return taints
    .map(({ key, value = '' }) => `${key}=${value}`)
    .sort()
    .join(',');
}
