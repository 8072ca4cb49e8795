import { randomUUID } from 'node:crypto';
import { HttpApiClient, ResourceClient, RESOURCES, type KubeObject, type TokenOrder } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import type { PeerIdentity } from '@hawser/proto';
import { silentLogger } from '@hawser/seams';
import { packJson, unpackJson, type UpstreamBodies, type UpstreamKind } from '@hawser/sync';
import { Registry } from 'prom-client';
import type { UpstreamOutcome } from '../../src/upstream/upstream-handler.ts';
import {
  UpstreamRouter,
  type CertificateRenewal,
  type UpstreamRouterOptions,
} from '../../src/upstream/upstream-router.ts';
import { GivenView } from '../given-view.ts';
import { WatchedClient } from '../watched-client.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An API server, a router before it, and what tests ask of both. */
export class HubFixture {
  readonly view = new GivenView();
  readonly registry = new Registry();
  readonly session = new AbortController();
  /** Tokens that were asked for. */
  readonly tokens: TokenOrder[] = [];
  readonly kube: KubeFixture;
  readonly client: WatchedClient;
  readonly router: UpstreamRouter;
  readonly pods: ResourceClient;
  readonly nodes: ResourceClient;
  readonly events: ResourceClient;
  /** What the router uses is not counted here. */
  readonly #direct: HttpApiClient;

  constructor(kube: KubeFixture, tokens: TokenOrder[], options: Partial<UpstreamRouterOptions> = {}) {
    this.kube = kube;
    this.tokens = tokens;
    this.client = new WatchedClient(new HttpApiClient({ server: kube.url }));
    this.#direct = new HttpApiClient({ server: kube.url });
    this.pods = new ResourceClient(this.#direct, RESOURCES.pods);
    this.nodes = new ResourceClient(this.#direct, RESOURCES.nodes);
    this.events = new ResourceClient(this.#direct, RESOURCES.events);
    this.router = new UpstreamRouter({
      client: this.client,
      view: this.view,
      certificates: NO_CERTIFICATES,
      log: silentLogger,
      registry: this.registry,
      ...options,
    });
    this.router.start();
  }

  /** Hands in a message as the node's session does. */
  say<K extends UpstreamKind>(node: string, kind: K, body: UpstreamBodies[K]): Promise<UpstreamOutcome> {
    return this.router.handle(node, kind, packJson(body), this.session.signal);
  }

  /** A running pod that is bound to a node, in the API and, unless `cached` is false, in the view. */
  async pod(
    name: string,
    nodeName: string,
    more: { spec?: Fields; status?: Fields; cached?: boolean } = {},
  ): Promise<KubeObject> {
    const spec = { nodeName, serviceAccountName: 'default', containers: [CONTAINER], ...more.spec };
    const metadata = { namespace: 'default', name };
    let pod = await this.pods.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
    if (more.status !== undefined) {
      const status = { ...(pod['status'] as Fields), ...more.status };
      pod = await this.pods.update({ ...pod, status }, { subresource: 'status' });
    }
    if (more.cached !== false) this.view.setPod('default', name, { uid: uidOf(pod), nodeName });
    return pod;
  }

  async account(name: string): Promise<void> {
    const accounts = new ResourceClient(this.#direct, RESOURCES.serviceaccounts);
    await accounts.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: 'default', name },
    });
  }

  /** Every object in the API server as JSON, by its key: for showing that nothing has changed. */
  state(): ReadonlyMap<string, string> {
    const resources = ['nodes', 'pods', 'events', 'secrets', 'serviceaccounts'];
    const entries = resources.flatMap((resource) => this.kube.store.list({ group: '', resource }).entries);
    return new Map(
      entries.map(({ key, object }) => [
        `${key.resource}/${key.namespace}/${key.name}`,
        JSON.stringify(object),
      ]),
    );
  }

  /** The value of a metric. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const metric = await this.registry.getSingleMetric(name)?.get();
    const found = metric?.values.filter((value) =>
      Object.entries(labels).every(([key, wanted]) => value.labels[key] === wanted),
    );
    return (found ?? []).reduce((sum, { value }) => sum + value, 0);
  }

  async stop(): Promise<void> {
    await this.router.stop();
    this.client.close();
    this.#direct.close();
    await this.kube.stop();
  }
}

const CONTAINER = { name: 'app', image: 'app:1' };
const NO_CERTIFICATES: CertificateRenewal = {
  peerOf: (): PeerIdentity | undefined => undefined,
  renew: () => Promise.reject(new Error('nobody renews here')),
};

/** Starts an API server that issues tokens, and a router. */
export async function startHub(options: Partial<UpstreamRouterOptions> = {}): Promise<HubFixture> {
  const tokens: TokenOrder[] = [];
  const kube = await startKubeFixture({
    server: {
      tokenIssuer: {
        defaultAudiences: ['api'],
        issue(order) {
          tokens.push(order);
          return Promise.resolve({
            token: `token-${tokens.length}`,
            expiresAtMs: Date.now() + order.expirationSeconds * 1000,
          });
        },
      },
    },
  });
  return new HubFixture(kube, tokens, options);
}

/** The uid of a stored object. */
export function uidOf(object: KubeObject): string {
  return object.metadata.uid ?? '';
}

/** A condition as edges report them. */
export function condition(type: string, status: string, more: Fields = {}): Fields {
  return { type, status, reason: 'Test', lastTransitionTime: '2026-01-01T00:00:00Z', ...more };
}

/** The conditions of a stored object by type. */
export function conditionsByType(object: KubeObject): Readonly<Record<string, Record<string, string>>> {
  const { conditions = [] } = object['status'] as { conditions?: Record<string, string>[] };
  return Object.fromEntries(conditions.map((found) => [found['type'] ?? '', found]));
}

/** What an edge reports of itself. */
export function nodeBody(
  status: Fields = {},
  more: Partial<UpstreamBodies['node']> = {},
): UpstreamBodies['node'] {
  return {
    labels: { 'kubernetes.io/hostname': 'edge-1', 'kubernetes.io/os': 'linux' },
    annotations: {},
    taints: [],
    status: { capacity: { cpu: '2', memory: '1Gi' }, conditions: [condition('Ready', 'True')], ...status },
    ...more,
  };
}

/** The answer in an outcome. */
export function answerOf(outcome: UpstreamOutcome): unknown {
  return outcome.body === undefined ? undefined : unpackJson(outcome.body);
}

/** An id for an event. */
export function eventId(): string {
  return randomUUID();
}
