import path from 'node:path';
import { ContainerdSite, TEST_IMAGES } from '@hawser/edgecore/testing';
import { RESOURCES, StatusError, type KubeObject } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { ClusterSite, type ClusterSiteOptions } from '../cluster-site/cluster-site.ts';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import type { EdgeConfigInput } from '@hawser/edgecore';
import { E2eError } from '../errors.ts';

/** Settings of {@link PodsSite.open}. */
export interface PodsSiteOptions extends ClusterSiteOptions {
  /** What differs from the configuration of its edges. */
  readonly edge?: EdgeConfigInput;
}

/** A pod as the API has it, as far as tests look at it. */
export interface SeenPod extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>> & { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly podIP?: string;
    readonly hostIPs?: readonly { readonly ip: string }[];
    readonly qosClass?: string;
    readonly startTime?: string;
    readonly observedGeneration?: number;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly SeenContainer[];
    readonly initContainerStatuses?: readonly SeenContainer[];
  };
}

/** Status of a container as the API has it. */
export interface SeenContainer {
  readonly name: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly image?: string;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly imageID?: string;
  readonly state?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly lastState?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const LOOK_EVERY_MS = 5;
const NODE = 'edge-1';

/**
 * A {@link ClusterSite} with a node that runs pods in a real containerd of its own: what tests, benches and the
 * demonstration of pods stand on. It needs root, see `ContainerdSite.availability`.
 */
export class PodsSite {
  readonly cluster: ClusterSite;
  readonly containerd: ContainerdSite;
  readonly edge: SiteEdge;

  private constructor(parts: {
    readonly cluster: ClusterSite;
    readonly containerd: ContainerdSite;
    readonly edge: SiteEdge;
  }) {
    this.cluster = parts.cluster;
    this.containerd = parts.containerd;
    this.edge = parts.edge;
  }

  /** Opens all of it; the node has joined and is in sync. @throws Error where containerd cannot be run here */
  static async open(options: PodsSiteOptions = {}): Promise<PodsSite> {
    const { edge: config = {}, ...clusterOptions } = options;
    const containerd = await ContainerdSite.open();
    let cluster: ClusterSite | undefined;
    try {
      cluster = await ClusterSite.open(clusterOptions);
      await ensureServiceAccount(cluster);
      const edge = await cluster.edge(NODE, { config: edgeConfigFor(containerd, config) });
      return new PodsSite({ cluster, containerd, edge });
    } catch (error) {
      await cluster?.close();
      await containerd.close();
      throw error;
    }
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.cluster.close();
    await this.containerd.close();
  }

  /** Folder of a pod at its node. */
  podDir(uid: string): string {
    return path.join(this.edge.dataDir, 'pods', uid);
  }

  /** Creates a pod; answers it as the API has it. */
  async create(pod: KubeObject): Promise<SeenPod> {
    return (await this.cluster.objects.create(pod)) as SeenPod;
  }

  async pod(name: string): Promise<SeenPod> {
    return (await this.cluster.objects.get(RESOURCES.pods, name)) as SeenPod;
  }

  /** Waits until a pod is as it should be in the API. @throws E2eError ERR_E2E_CHILD_TIMEOUT, with its status */
  async until(name: string, is: (pod: SeenPod) => boolean, deadlineMs = 30_000): Promise<SeenPod> {
    const lateMs = performance.now() + deadlineMs;
    for (;;) {
      const pod = await this.pod(name);
      if (is(pod)) return pod;
      if (performance.now() > lateMs)
        throw new E2eError(
          'ERR_E2E_CHILD_TIMEOUT',
          `pod ${name} is still: ${JSON.stringify(pod.status)}; the edge says: ${this.edge.process.stderr.slice(-3000)}`,
        );
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Waits until a pod is in a phase. */
  untilPhase(name: string, phase: string, deadlineMs?: number): Promise<SeenPod> {
    return this.until(name, ({ status }) => status?.phase === phase, deadlineMs);
  }

  /** Waits until a pod is Ready. */
  untilReady(name: string, deadlineMs?: number): Promise<SeenPod> {
    return this.until(name, isReady, deadlineMs);
  }

  /** Deletes a pod, and waits until the API has it no more. */
  async remove(name: string, deadlineMs = 30_000): Promise<void> {
    await this.cluster.objects.remove(RESOURCES.pods, [name]);
    await this.untilGone(name, deadlineMs);
  }

  /** @throws E2eError ERR_E2E_CHILD_TIMEOUT */
  async untilGone(name: string, deadlineMs = 30_000): Promise<void> {
    const lateMs = performance.now() + deadlineMs;
    while ((await this.names()).includes(name)) {
      if (performance.now() > lateMs)
        throw new E2eError('ERR_E2E_CHILD_TIMEOUT', `pod ${name} is still there`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Names of the pods that the API has. */
  async names(): Promise<readonly string[]> {
    const pods = await this.cluster.objects.list(RESOURCES.pods);
    return pods.map(({ metadata }) => metadata.name ?? '');
  }

  /** Seconds spent so far in calls of these kinds to the runtime, as the edge's metrics have it. */
  async runtimeSeconds(calls: readonly string[]): Promise<number> {
    const text = await this.edge.admin.metrics();
    const of = (call: string): number => {
      const line = new RegExp(`^hawser_edge_runtime_call_seconds_sum\\{call="${call}"\\} (\\S+)$`, 'm').exec(
        text,
      );
      return Number(line?.[1] ?? 0);
    };
    return calls.reduce((sum, call) => sum + of(call), 0);
  }
}

/** Pods need one; a controller may be as quick to make it. */
async function ensureServiceAccount({ objects }: ClusterSite): Promise<void> {
  try {
    const metadata = { name: 'default', namespace: 'default' };
    await objects.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.code !== 409) throw error;
  }
}

/** Whether the API says that a pod is Ready. */
export function isReady({ status }: SeenPod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

/** A pod that runs a shell command at the node of a {@link PodsSite}. Each part of its spec may be others'. */
export function shellPod(
  name: string,
  command: string,
  more: { readonly spec?: object; readonly container?: object; readonly metadata?: object } = {},
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...more.metadata },
    spec: {
      nodeName: NODE,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      containers: [
        { name: 'main', image: TEST_IMAGES.busybox, command: ['sh', '-c', command], ...more.container },
      ],
      ...more.spec,
    },
  };
}

/** The configuration of an edge that runs its pods in this containerd. */
export function edgeConfigFor(containerd: ContainerdSite, config: EdgeConfigInput = {}): EdgeConfigInput {
  return {
    ...config,
    pods: {
      runtime: 'cri',
      runtimeEndpoint: containerd.endpoint,
      logDir: path.join(containerd.dir, 'logs'),
      cgroupRoot: containerd.cgroupRoot,
      ...config.pods,
    },
  };
}
