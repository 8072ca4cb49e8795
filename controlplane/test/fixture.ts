import { ResourceClient, StatusError, type ApiResource, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { API } from '../src/api/resources.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from '../src/control-plane.ts';
import { FakeKubelet, type FakeKubeletOptions } from '../testing/fake-kubelet.ts';

/** A control plane with nodes, for tests in this process. */
export class Cluster {
  readonly plane: ControlPlane;
  readonly kubelets = new Map<string, FakeKubelet>();

  constructor(plane: ControlPlane) {
    this.plane = plane;
  }

  static async start(nodes: readonly string[], options: ControlPlaneOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(await startControlPlane(options));
    for (const node of nodes) await cluster.addNode(node);
    return cluster;
  }

  async addNode(node: string, options: Partial<FakeKubeletOptions> = {}): Promise<FakeKubelet> {
    const kubelet = new FakeKubelet({ client: this.plane.client, node, heartbeatMs: 200, ...options });
    this.kubelets.set(node, kubelet);
    await kubelet.start();
    return kubelet;
  }

  async stop(): Promise<void> {
    for (const kubelet of this.kubelets.values()) await kubelet.stop();
    await this.plane.stop();
  }

  of(resource: ApiResource): ResourceClient {
    return new ResourceClient(this.plane.client, resource);
  }

  async create(
    resource: ApiResource,
    object: Omit<KubeObject, 'apiVersion'> & { apiVersion?: string },
  ): Promise<KubeObject> {
    const apiVersion = resource.group === '' ? 'v1' : `${resource.group}/${resource.version}`;
    return await this.of(resource).create({ ...object, apiVersion } as KubeObject); // kind and metadata are the caller's
  }

  async list(
    resource: ApiResource,
    namespace = 'default',
    labelSelector?: string,
  ): Promise<readonly KubeObject[]> {
    const query = labelSelector === undefined ? {} : { labelSelector };
    return (await this.of(resource).list(namespace, { query })).items;
  }

  /** The object, or undefined if there is none. */
  async find(resource: ApiResource, namespace: string, name: string): Promise<KubeObject | undefined> {
    try {
      return await this.of(resource).get(namespace, name);
    } catch (error) {
      if (error instanceof StatusError && error.status.code === 404) return undefined;
      throw error;
    }
  }

  /** Waits until that many pods (with that label `app`) are ready, and no other is there. */
  async podsReady(app: string, count: number): Promise<readonly KubeObject[]> {
    let pods: readonly KubeObject[] = [];
    await eventually(
      `${count} pods of ${app} are ready`,
      async () => {
        pods = await this.list(API.pods, 'default', `app=${app}`);
        return pods.length === count && pods.every(isReady);
      },
      { deadlineMs: 10_000, intervalMs: 25 },
    );
    return pods;
  }
}

export function isReady(pod: KubeObject): boolean {
  const { conditions = [] } = (pod['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

export function nodeOf(pod: KubeObject): string | undefined {
  return (pod['spec'] as { nodeName?: string }).nodeName;
}

export function template(app: string, image = 'a', spec: object = {}): object {
  return { metadata: { labels: { app } }, spec: { containers: [{ name: 'main', image }], ...spec } };
}

export function deployment(name: string, replicas: number, image = 'a', spec: object = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name, image), ...spec },
  };
}
