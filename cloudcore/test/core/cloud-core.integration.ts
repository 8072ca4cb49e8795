import assert from 'node:assert/strict';
import { HttpApiClient, resourcePath, RESOURCES, type ApiClient } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import {
  decodeHubMessage,
  encodeScopeState,
  TunnelClient,
  tunnelLimits,
  WsTransport,
  type SessionFrame,
  type Tunnel,
} from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { eventually, within } from '@hawser/seams/testing';
import { packJson } from '@hawser/sync';
import { startCloudCore, type CloudCore } from '../../src/cloud-core.ts';
import { HAWSER_NAMESPACE, OBJECTS } from '../../src/cluster/names.ts';
import { checkConfig } from '../../src/config/load-config.ts';

const CONFIG = {
  replica: 'hub-under-test',
  listen: { host: '127.0.0.1', websocketPort: 0 },
  advertise: ['127.0.0.1'],
  operations: { port: 0 },
  heartbeatSeconds: 2,
};
const WAIT_MS = 10_000;

/** An edge of the protocol: a session, and every frame that the hub sent. */
class RawEdge {
  readonly frames: SessionFrame[] = [];
  readonly #client: TunnelClient;
  ended: Error | undefined;

  constructor(port: number, credentials: Awaited<ReturnType<TestAuthority['edge']>>, node: string) {
    const transport = new WsTransport({ credentials: () => credentials, limits: tunnelLimits() });
    this.#client = new TunnelClient({
      routes: [{ transport, hub: { host: '127.0.0.1', port } }],
      hello: () => ({ node, software: 'edge/test', heartbeatMs: 2000 }),
      onTunnel: () => (frame) => void this.frames.push(frame),
      onDown: (error) => (this.ended = error),
    });
    this.#client.start();
  }

  async tunnel(): Promise<Tunnel> {
    await eventually('a session', () => this.#client.tunnel !== undefined, { deadlineMs: WAIT_MS });
    const { tunnel } = this.#client;
    assert.ok(tunnel);
    return tunnel;
  }

  /** The first frame of this kind that fits. */
  async frame<B extends SessionFrame['body']>(
    body: B,
    fits: (frame: Extract<SessionFrame, { body: B }>) => boolean = () => true,
  ): Promise<Extract<SessionFrame, { body: B }>> {
    type Wanted = Extract<SessionFrame, { body: B }>;
    const find = (): Wanted | undefined =>
      this.frames.find((frame): frame is Wanted => frame.body === body && fits(frame as Wanted));
    await eventually(`a frame ${body}`, () => find() !== undefined, { deadlineMs: WAIT_MS });
    const found = find();
    assert.ok(found);
    return found;
  }

  stop(): Promise<void> {
    return this.#client.stop();
  }
}

describe('startCloudCore', () => {
  let kube: KubeFixture;
  let client: ApiClient;
  let core: CloudCore;
  let authority: TestAuthority;
  const edges: RawEdge[] = [];

  before(async () => {
    kube = await startKubeFixture();
    client = new HttpApiClient({ server: kube.url });
    core = await startCloudCore({ config: checkConfig(CONFIG, 'the test'), client });
    const path = resourcePath(RESOURCES.secrets, { namespace: HAWSER_NAMESPACE, name: OBJECTS.authority });
    const { data } = (await client.request({ method: 'GET', path })) as { data: Record<string, string> };
    const pem = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
    authority = await TestAuthority.load(pem('tls.crt'), pem('tls.key'));
  });
  after(async () => {
    await core.stop();
    client.close();
    await kube.stop();
  });
  afterEach(async () => {
    for (const edge of edges.splice(0)) await edge.stop();
  });

  const connect = async (node: string): Promise<RawEdge> => {
    const edge = new RawEdge(core.websocketPort, await authority.edge(node), node);
    edges.push(edge);
    await edge.tunnel();
    return edge;
  };
  const nothing = encodeScopeState({ normalForm: 0, count: 0, digest: new Uint8Array(16) });

  it('becomes ready, and says so', async () => {
    await eventually('ready', () => core.unready().length === 0, { deadlineMs: WAIT_MS });
    const response = await fetch(`http://127.0.0.1:${core.operationsPort}/readyz`);
    assert.equal(await response.text(), 'ok\n');
    const metrics = await (await fetch(`http://127.0.0.1:${core.operationsPort}/metrics`)).text();
    for (const name of [
      'hawser_tunnel_',
      'hawser_sync_',
      'hawser_cache_',
      'hawser_upstream_',
      'hawser_lease',
    ])
      assert.match(metrics, new RegExp(`^${name}`, 'm'));
  });

  it('gives a node its own scope', async () => {
    const edge = await connect('edge-own');
    const tunnel = await edge.tunnel();
    await tunnel.send({ subscribe: { scope: 1, kind: 'node', name: 'edge-own', state: nothing } });
    const { delta } = await edge.frame('delta');
    assert.equal(delta.scope, 1);
    assert.equal(decodeHubMessage(delta.body).body, 'inSync'); // its Node is not there yet, nothing is
    assert.deepEqual(core.nodes, ['edge-own']);
  });

  it('refuses every other scope, and goes on with the session', async () => {
    const edge = await connect('edge-curious');
    const tunnel = await edge.tunnel();
    for (const [scope, kind, name] of [
      [1, 'node', 'edge-other'],
      [2, 'pool', 'any'],
      [3, '', ''],
    ] as const) {
      await tunnel.send({ subscribe: { scope, kind, name, state: nothing } });
      const { error } = await edge.frame('error', (frame) => frame.error.scope === scope);
      assert.equal(error.code, 'ERR_CLOUDCORE_FORBIDDEN');
    }
    await tunnel.send({ subscribe: { scope: 4, kind: 'node', name: 'edge-curious', state: nothing } });
    assert.equal((await edge.frame('delta')).delta.scope, 4);
    assert.match(await core.registry.metrics(), /^hawser_scopes_forbidden_total 3$/m);
  });

  it('ends a session that subscribes without measure, twice to one scope, or with nonsense', async () => {
    const own = (name: string, scope: number, state: Uint8Array = nothing) => ({
      subscribe: { scope, kind: 'node', name, state },
    });
    const twice = await connect('edge-twice');
    const first = await twice.tunnel();
    await first.send(own('edge-twice', 1));
    await first.send(own('edge-twice', 1));
    assert.equal((await within('the end', first.closed, WAIT_MS)).code, 'internal');

    const many = await connect('edge-many');
    const second = await many.tunnel();
    for (let scope = 1; scope <= 65; scope++) await second.send(own('edge-many', scope));
    assert.equal((await within('the end', second.closed, WAIT_MS)).code, 'internal');

    const garbled = await connect('edge-garbled');
    const third = await garbled.tunnel();
    await third.send(own('edge-garbled', 1, Uint8Array.of(0xff, 0xff)));
    await within('the end', third.closed, WAIT_MS);
  });

  it('answers every upstream, and does not let one edge have more than its share under way', async () => {
    const edge = await connect('edge-busy');
    const tunnel = await edge.tunnel();
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    const node = { labels: {}, annotations: {}, taints: [], status };
    await tunnel.send({ upstream: { sequence: 1, kind: 'node', body: packJson(node) } });
    const { upstreamAck } = await edge.frame('upstreamAck', (frame) => frame.upstreamAck.sequence === 1);
    assert.equal(upstreamAck.status, 0, upstreamAck.message);
    const path = resourcePath(RESOURCES.nodes, { name: 'edge-busy' });
    const written = (await client.request({ method: 'GET', path })) as { metadata: { labels: object } };
    assert.ok('hawser.dev/edge' in written.metadata.labels);

    const garbage = Uint8Array.of(7);
    for (let sequence = 2; sequence < 202; sequence++)
      void tunnel.send({ upstream: { sequence, kind: 'pod', body: garbage } });
    const acks = (): number => edge.frames.filter(({ body }) => body === 'upstreamAck').length;
    await eventually('every answer', () => acks() === 201, { deadlineMs: WAIT_MS });
    const codes = new Set(
      edge.frames.map((frame) => (frame.body === 'upstreamAck' ? frame.upstreamAck.status : 0)),
    );
    assert.ok(
      [...codes].every((code) => [0, 400, 429].includes(code)),
      [...codes].join(),
    );
  });

  it('tells an edge that sends what only a hub sends', async () => {
    const edge = await connect('edge-confused');
    const tunnel = await edge.tunnel();
    await tunnel.send({ upstreamAck: { sequence: 1, status: 0 } });
    assert.equal((await edge.frame('error')).error.code, 'ERR_CLOUDCORE_BAD_REQUEST');
    await tunnel.send({ error: { code: 'ERR_SYNC_BAD_MESSAGE', message: 'just a word', scope: 0 } });
    await tunnel.send({ unsubscribe: { scope: 77 } });
    await tunnel.send({ deltaAck: { scope: 77, sequence: 1 } });
    assert.deepEqual(core.nodes, ['edge-confused']);
  });

  it('waits for an API server, gives up when it is told to, and leaves nothing behind', async () => {
    const stopping = new AbortController();
    const dead = new HttpApiClient({ server: 'http://127.0.0.1:9', retries: 0 });
    const starting = startCloudCore({
      config: checkConfig(CONFIG, 'the test'),
      client: dead,
      signal: stopping.signal,
    });
    setTimeout(() => stopping.abort(new Error('enough')), 300);
    await assert.rejects(within('the end of the start', starting, WAIT_MS), /enough/);
    dead.close();
  });

  it('names the port that it cannot have', async () => {
    const taken = { ...CONFIG, listen: { host: '127.0.0.1', websocketPort: core.websocketPort } };
    const starting = startCloudCore({ config: checkConfig(taken, 'the test'), client });
    await assert.rejects(starting, {
      code: 'ERR_TUNNEL_DIAL',
      message: new RegExp(String(core.websocketPort)),
    });
  });
});
