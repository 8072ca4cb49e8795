import {
  Controller,
  formatMicroTime,
  formatTime,
  objectInformer,
  ResourceClient,
  resourceListerWatcher,
  RESOURCES,
  StatusError,
  type ApiClient,
  type Informer,
  type KubeObject,
} from '@hawser/kube';
import { systemClock, type Clock, type Timer } from '@hawser/seams';

/** Settings of {@link FakeKubelet}. */
export interface FakeKubeletOptions {
  /** Stays the caller's. */
  readonly client: ApiClient;
  /** Name of the node. */
  readonly node: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Default 4 processors, 8 GiB, 110 pods. */
  readonly allocatable?: Readonly<Record<string, string>>;
  /** Between renewals of the lease, in milliseconds. Default 10 s. */
  readonly heartbeatMs?: number;
  /** Whether pods become ready. Default: all do. */
  readonly isReady?: (pod: KubeObject) => boolean;
  readonly clock?: Clock;
}

const ALLOCATABLE = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '50Gi' };
const LEASES = 'kube-node-lease';

/**
 * A kubelet without containers, for tests: registers its node and keeps it ready, says of the pods that it is given
 * that they run, and confirms deletions at once. Everything goes through the API.
 */
export class FakeKubelet {
  readonly #options: FakeKubeletOptions;
  readonly #clock: Clock;
  readonly #nodes: ResourceClient;
  readonly #leases: ResourceClient;
  readonly #pods: ResourceClient;
  readonly #informer: Informer;
  readonly #worker: Controller;
  #timer: Timer | undefined;
  #beating: Promise<void> | undefined;
  #stopped = false;
  #address = 0;

  constructor(options: FakeKubeletOptions) {
    const { client, node, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#nodes = new ResourceClient(client, RESOURCES.nodes);
    this.#leases = new ResourceClient(client, RESOURCES.leases);
    this.#pods = new ResourceClient(client, RESOURCES.pods);
    this.#informer = objectInformer({
      name: `pods of ${node}`,
      listerWatcher: resourceListerWatcher(client, RESOURCES.pods, {
        fieldSelector: `spec.nodeName=${node}`,
      }),
      clock,
    });
    this.#worker = new Controller({
      name: `kubelet ${node}`,
      clock,
      reconcile: (key, signal) => this.#sync(key, signal),
    });
  }

  /** Registers the node, ready, and takes pods. */
  async start(): Promise<void> {
    await this.#register();
    await this.#heartbeat();
    this.#informer.addHandler((_old, current) => {
      if (current !== undefined) this.#worker.enqueue(current.key);
    });
    this.#worker.start();
    this.#informer.start();
    await this.#informer.waitForSync();
  }

  /** Falls silent, as a node does whose power is cut: nothing is taken back. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#informer.stop();
    await this.#worker.stop();
    await this.#beating;
  }

  /** Writes the node's Ready condition. */
  async setReady(ready: boolean): Promise<void> {
    const condition = this.#condition(
      'Ready',
      ready ? 'True' : 'False',
      ready ? 'KubeletReady' : 'KubeletNotReady',
    );
    await this.#nodes.patch(
      '',
      this.#options.node,
      'strategic',
      { status: { conditions: [condition] } },
      { subresource: 'status' },
    );
  }

  async #register(): Promise<void> {
    const { node, labels, allocatable = ALLOCATABLE } = this.#options;
    const metadata = {
      name: node,
      labels: { 'kubernetes.io/hostname': node, 'kubernetes.io/os': 'linux', ...labels },
    };
    try {
      await this.#nodes.create({ apiVersion: 'v1', kind: 'Node', metadata });
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.reason !== 'AlreadyExists') throw error;
    }
    const status = {
      capacity: allocatable,
      allocatable,
      addresses: [{ type: 'Hostname', address: node }],
      nodeInfo: { kubeletVersion: 'v0.0.0-fake' },
      conditions: [
        this.#condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
        this.#condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
        this.#condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
        this.#condition('Ready', 'True', 'KubeletReady'),
      ],
    };
    await this.#nodes.patch('', node, 'strategic', { status }, { subresource: 'status' });
  }

  #condition(type: string, status: string, reason: string): object {
    const now = formatTime(this.#clock.wallMs());
    return { type, status, reason, message: reason, lastHeartbeatTime: now, lastTransitionTime: now };
  }

  async #heartbeat(): Promise<void> {
    const { node, heartbeatMs = 10_000 } = this.#options;
    const renewTime = formatMicroTime(this.#clock.wallMs());
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: LEASES, name: node },
      spec: { holderIdentity: node, leaseDurationSeconds: 40, renewTime },
    };
    try {
      await this.#leases.patch(LEASES, node, 'merge', { spec: lease.spec });
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.code !== 404) throw error;
      await this.#leases.create(lease);
    }
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimer(heartbeatMs, () => {
      // A lost heartbeat is what tests of silence are about; the next one follows.
      this.#beating = this.#heartbeat().catch(() => {});
    });
  }

  async #sync(key: string, signal: AbortSignal): Promise<void> {
    const pod = this.#informer.lister.byKey(key)?.value;
    if (pod === undefined) return;
    const { namespace = '', name = '', uid = '', deletionTimestamp } = pod.metadata;
    try {
      if (deletionTimestamp !== undefined) {
        await this.#pods.delete(namespace, name, { gracePeriodSeconds: 0, preconditions: { uid }, signal });
      } else {
        await this.#report(pod, signal);
      }
    } catch (error) {
      if (!(error instanceof StatusError) || error.status.code !== 404) throw error;
    }
  }

  async #report(pod: KubeObject, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '', uid } = pod.metadata;
    const status = pod['status'] as
      { phase?: string; conditions?: { type: string; status: string }[] } | undefined; // a Pod
    const ready = this.#options.isReady?.(pod) ?? true;
    const value = ready ? 'True' : 'False';
    const told = status?.conditions?.find(({ type }) => type === 'Ready')?.status === value;
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed' || (status?.phase === 'Running' && told))
      return;
    const containers = (pod['spec'] as { containers: { name: string; image: string }[] }).containers; // a Pod
    const now = formatTime(this.#clock.wallMs());
    this.#address += 1;
    const podIP = `10.244.${Math.floor(this.#address / 250)}.${(this.#address % 250) + 1}`;
    const body = {
      metadata: { uid },
      status: {
        phase: 'Running',
        hostIP: '127.0.0.1',
        podIP,
        podIPs: [{ ip: podIP }],
        startTime: now,
        conditions: ['Initialized', 'Ready', 'ContainersReady'].map((type) => ({
          type,
          status: type === 'Initialized' ? 'True' : value,
          lastTransitionTime: now,
        })),
        containerStatuses: containers.map((container) => ({
          name: container.name,
          image: container.image,
          imageID: container.image,
          containerID: `fake://${uid ?? ''}/${container.name}`,
          ready,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: now } },
        })),
      },
    };
    await this.#pods.patch(namespace, name, 'strategic', body, { subresource: 'status', signal });
  }
}
