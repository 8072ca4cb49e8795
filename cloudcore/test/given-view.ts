import type { KubeObject } from '@hawser/kube';
import type { ScopeView } from '@hawser/sync';
import type { ClusterView, DeviceFacts, NodeFacts, PodFacts } from '../src/cache/cluster-view.ts';

/** A view that knows what a test tells it: a cache may lag behind, and tests say how far. */
export class GivenView implements ClusterView {
  readonly ready = true;
  readonly pods = new Map<string, PodFacts>();
  /** Whole ones, by `namespace/name`. */
  readonly recent = new Map<string, KubeObject>();
  readonly nodes = new Map<string, NodeFacts>();
  /** By `namespace/name`. */
  readonly devices = new Map<string, DeviceFacts>();
  /** Canonical JSON of pods, by `namespace/name`, as the views of nodes hold it. */
  readonly contents = new Map<string, Uint8Array>();
  readonly #podListeners = new Set<(namespace: string, name: string) => void>();
  readonly #nodeListeners = new Set<(name: string) => void>();

  pod(namespace: string, name: string): PodFacts | undefined {
    return this.pods.get(`${namespace}/${name}`);
  }

  recentPod(namespace: string, name: string): KubeObject | undefined {
    return this.recent.get(`${namespace}/${name}`);
  }

  podAs(node: string, namespace: string, account: string): { name: string; uid: string } | undefined {
    for (const [key, { uid, nodeName, serviceAccountName }] of this.pods) {
      const [podNamespace, name = ''] = key.split('/');
      if (podNamespace === namespace && nodeName === node && serviceAccountName === account)
        return { name, uid };
    }
    return undefined;
  }

  node(name: string): NodeFacts | undefined {
    return this.nodes.get(name);
  }

  device(namespace: string, name: string): DeviceFacts | undefined {
    return this.devices.get(`${namespace}/${name}`);
  }

  /** A Node changes, or is there. */
  setNode(name: string, facts: Partial<NodeFacts>): void {
    const before = this.nodes.get(name) ?? {
      ...{ uid: `uid-${name}`, labels: {}, annotations: {}, ready: 'True' },
      kubelet: { addresses: {}, port: 0 },
    };
    this.nodes.set(name, { ...before, ...facts });
    for (const listener of this.#nodeListeners) listener(name);
  }

  /** A Node is there no longer. */
  removeNode(name: string): void {
    this.nodes.delete(name);
    for (const listener of this.#nodeListeners) listener(name);
  }

  /** A pod changes, or is there. */
  setPod(namespace: string, name: string, facts: Partial<PodFacts>, content?: unknown): void {
    const before = { uid: '', nodeName: '', deleting: false, serviceAccountName: 'default' };
    this.pods.set(`${namespace}/${name}`, { ...before, ...facts });
    if (content !== undefined) {
      this.contents.set(`${namespace}/${name}`, Buffer.from(JSON.stringify(content)));
    }
    for (const listener of this.#podListeners) listener(namespace, name);
  }

  get listeners(): number {
    return this.#podListeners.size + this.#nodeListeners.size;
  }

  onPod(listener: (namespace: string, name: string) => void): () => void {
    this.#podListeners.add(listener);
    return () => this.#podListeners.delete(listener);
  }

  onNode(listener: (name: string) => void): () => void {
    this.#nodeListeners.add(listener);
    return () => this.#nodeListeners.delete(listener);
  }

  claim(): () => void {
    return () => {};
  }

  nodeView(node: string): ScopeView {
    const keys = [...this.contents.keys()].filter((key) => this.pods.get(key)?.nodeName === node);
    return {
      scope: `node/${node}`,
      ready: true,
      size: keys.length,
      get: (key) => {
        const bytes = this.contents.get(key.replace(/^pods\//, ''));
        return bytes === undefined ? undefined : { key, hash: '', version: '', bytes };
      },
      hashes: () => keys.map((key) => [`pods/${key}`, ''] as const),
      digest: () => new Uint8Array(16),
      stamp: () => new Uint8Array(),
      catchUp: () => Promise.resolve(),
      listen: () => () => {},
    };
  }
}
