// Many edges of the protocol in one process: the real client and the real replica, each with a store in memory.
// `node fleet-process.js {json of FleetSettings}`
import { parseArgs } from 'node:util';
import {
  HEARTBEAT_MS,
  TunnelClient,
  tunnelLimits,
  TunnelMetrics,
  WsTransport,
  type SessionFrame,
  type Tunnel,
} from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { ScopeReplica, type ReplicaSession } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { announceReady } from '../../src/processes/in-child.ts';
import { answerQuestions } from '../../src/cluster-site/ipc-calls.ts';

/** Settings of a fleet. */
export interface FleetSettings {
  readonly hub: { readonly host: string; readonly port: number };
  /** Names of the nodes: prefix and a number. */
  readonly prefix: string;
  readonly first: number;
  readonly count: number;
  /** PEM of the authority's certificate and key. */
  readonly authority: { readonly certificate: string; readonly privateKey: string };
  /** Whether the edges follow their scope. */
  readonly subscribe: boolean;
}

/** What a fleet tells of itself. */
export interface FleetState {
  readonly connected: number;
  readonly synced: number;
  readonly objects: number;
}

/** Edges that may be on their way at the start. */
const START_AT_A_TIME = 20;

class FleetEdge {
  readonly #client: TunnelClient;
  readonly #replica: ScopeReplica;
  readonly #subscribe: boolean;

  private constructor(client: (edge: FleetEdge) => TunnelClient, node: string, subscribe: boolean) {
    this.#client = client(this);
    this.#subscribe = subscribe;
    this.#replica = new ScopeReplica({ scope: `node/${node}`, store: new MemoryReplicaStore() });
  }

  static async create(
    settings: FleetSettings,
    authority: TestAuthority,
    metrics: TunnelMetrics,
    node: string,
  ): Promise<FleetEdge> {
    const credentials = await authority.edge(node);
    const transport = new WsTransport({ credentials: () => credentials, limits: tunnelLimits() });
    const client = (edge: FleetEdge): TunnelClient =>
      new TunnelClient({
        routes: [{ transport, hub: settings.hub }],
        hello: () => ({ node, software: 'edge/bench', heartbeatMs: HEARTBEAT_MS.default }),
        onTunnel: (tunnel) => edge.#onTunnel(tunnel),
        metrics,
      });
    return new FleetEdge(client, node, settings.subscribe);
  }

  get connected(): boolean {
    return this.#client.state === 'connected';
  }

  get synced(): boolean {
    return this.#replica.state.synced;
  }

  get objects(): number {
    return this.#replica.state.objects;
  }

  start(): void {
    this.#client.start();
  }

  stop(): Promise<void> {
    return this.#client.stop();
  }

  /** Loses the connection as a cut would, without a word. */
  drop(): void {
    this.#client.tunnel?.destroy({ code: 'normal', message: 'the bench cuts the line' });
  }

  #onTunnel(tunnel: Tunnel): (frame: SessionFrame) => void {
    if (!this.#subscribe) return () => {};
    const session: ReplicaSession = this.#replica.open({
      scopeId: 1,
      send: (frame) => tunnel.send(frame),
      onFailed: (error) => void tunnel.close({ code: 'internal', message: error.message }),
    });
    void tunnel.closed.then(() => session.end());
    return (frame) => {
      if (frame.body === 'delta') session.onDelta(frame.delta);
    };
  }
}

async function main(settings: FleetSettings): Promise<void> {
  const authority = await TestAuthority.load(settings.authority.certificate, settings.authority.privateKey);
  const metrics = new TunnelMetrics();
  const edges: FleetEdge[] = [];
  for (let index = 0; index < settings.count; index++) {
    const node = `${settings.prefix}${settings.first + index}`;
    edges.push(await FleetEdge.create(settings, authority, metrics, node));
  }
  const count = (is: (edge: FleetEdge) => boolean): number => edges.filter(is).length;
  answerQuestions({
    start: async () => {
      for (let index = 0; index < edges.length; index += START_AT_A_TIME) {
        for (const edge of edges.slice(index, index + START_AT_A_TIME)) edge.start();
        while (count((edge) => edge.connected) < index)
          await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    state: (): FleetState => ({
      connected: count((edge) => edge.connected),
      synced: count((edge) => edge.synced),
      objects: edges.reduce((sum, edge) => sum + edge.objects, 0),
    }),
    drop: () => {
      for (const edge of edges) edge.drop();
    },
    stop: async () => {
      await Promise.all(edges.map((edge) => edge.stop()));
    },
  });
  announceReady({});
}

const { positionals } = parseArgs({ allowPositionals: true });
await main(JSON.parse(positionals[0] ?? '{}') as FleetSettings);
