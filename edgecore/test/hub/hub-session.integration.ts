import assert from 'node:assert/strict';
import { frameBytes, tunnelLimits, WsTransport, type OutgoingFrame, type Stream } from '@hawser/proto';
import { drain } from '@hawser/proto/testing';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { ClusterGuard, Outbox, packJson, ScopeReplica, UpstreamRequests } from '@hawser/sync';
import { MemoryOutboxStore, MemoryReplicaStore } from '@hawser/sync/testing';
import { StoredAcceptedCluster } from '../../src/hub/accepted-cluster.ts';
import { HubSession } from '../../src/hub/hub-session.ts';
import { StubHub } from '../../testing/index.ts';
import { MemoryState } from './memory-state.ts';

const SCOPE = 'node/edge-1';

describe('HubSession', function () {
  this.timeout(20_000);
  let hub: StubHub;
  let store: MemoryReplicaStore;
  let replica: ScopeReplica;
  let outbox: Outbox;
  let requests: UpstreamRequests;
  let state: MemoryState;
  let session: HubSession;
  let usable: boolean[];
  let welcomes: number[];
  let reported: (readonly string[])[];

  beforeEach(async () => {
    hub = await StubHub.open();
    hub.put('configmaps', {
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
      data: { k: 'v' },
    });
    hub.put('configmaps', { kind: 'ConfigMap', metadata: { name: 'b', namespace: 'default' } });
    const credentials = await hub.authority.edge();
    const [host = '', port = ''] = hub.address.split(':');
    const transport = new WsTransport({ credentials: () => credentials, limits: tunnelLimits() });
    store = new MemoryReplicaStore();
    replica = new ScopeReplica({ scope: SCOPE, store });
    reported = [];
    outbox = new Outbox({
      store: new MemoryOutboxStore(),
      onReportRequest: (kinds) => reported.push(kinds),
    });
    requests = new UpstreamRequests();
    state = new MemoryState();
    usable = [];
    welcomes = [];
    const accepted = new StoredAcceptedCluster(state, undefined);
    session = new HubSession({
      node: 'edge-1',
      software: 'edgecore/test',
      routes: [{ transport, hub: { host, port: Number(port) } }],
      heartbeatMs: 2_000,
      ...{ replica, outbox, requests, accepted, state },
      guard: new ClusterGuard(accepted),
      onWelcome: (timeMs) => welcomes.push(timeMs),
      onUsable: (now) => usable.push(now),
      onDown: () => {},
      streams: new Map([['echo', (stream: Stream) => void echo(stream)]]),
      clock: systemClock,
      random: { next: () => 0 },
      log: silentLogger,
    });
    session.start();
    await eventually('in sync', () => replica.state.synced);
  });
  afterEach(async () => {
    await session.stop();
    await outbox.stop();
    await hub.close();
  });

  /** Sends a frame that no hub sends. */
  const send = async (frame: OutgoingFrame): Promise<void> =>
    hub.tunnels.at(-1)?.sendBytes(frameBytes(frame));

  it('has the hub compare again when something was lost, in the same session', async () => {
    const { id } = hub.tunnels[0]?.info ?? {};
    await store.apply(SCOPE, [{ remove: 'configmaps/default/a' }]);
    session.compareAgain();
    await eventually(
      'it is there again',
      () => store.entries(SCOPE).has('configmaps/default/a') && replica.state.synced,
    );
    assert.equal(hub.tunnels.at(-1)?.info.id, id);
    assert.equal(hub.subscriptions, 2);
    session.compareAgain();
    hub.put('configmaps', { kind: 'ConfigMap', metadata: { name: 'c', namespace: 'default' } });
    await eventually('changes come', () => store.entries(SCOPE).size === 3);
    assert.equal(hub.subscriptions, 2, 'not more often than once a minute');
  });

  it('takes the time of the hub, keeps the epoch, and says when the hub can be asked', async () => {
    assert.ok(Math.abs((welcomes[0] ?? 0) - Date.now()) < 5_000);
    await eventually('the epoch is kept', () => state.get('session-epoch') !== undefined);
    assert.deepEqual(usable, [true]);
    await hub.down();
    await eventually('it cannot', () => usable.length === 2);
    assert.deepEqual(usable, [true, false]);
    await assert.rejects(requests.request('token-request', packJson({})), { code: 'ERR_SYNC_SESSION_ENDED' });
    assert.equal(session.status().lastError?.code, 'ERR_TUNNEL_CLOSED');
    await hub.up();
    await eventually('it can again', () => usable.at(-1) === true);
    assert.equal(session.status().attempts, 0);
  });

  it('ends a session in which the hub says what no hub says, and begins another one', async () => {
    const bad: readonly [string, OutgoingFrame][] = [
      ['a frame of edges', { deltaAck: { scope: 1, sequence: 1 } }],
      ['an answer to nothing', { upstreamAck: { sequence: 99, status: 0 } }],
      ['changes of another scope', { delta: { scope: 9, sequence: 1, body: new Uint8Array(0) } }],
      ['changes that are none', { delta: { scope: 1, sequence: 2, body: Uint8Array.of(255) } }],
    ];
    for (const [what, frame] of bad) {
      const count = hub.tunnels.length;
      await send(frame);
      await eventually(`${what} ended it`, () => hub.tunnels.length > count);
      const reason = await hub.tunnels[count - 1]?.closed;
      assert.equal(reason?.code, 'protocol-error', what);
      await eventually('in sync', () => replica.state.synced);
    }
    assert.equal(store.entries(SCOPE).size, 2, 'nothing was lost by it');
  });

  it('shows what the hub complains of, and goes on', async () => {
    await send({ error: { code: 'ERR_CLOUDCORE_FORBIDDEN', message: 'not for you', scope: 1 } });
    await eventually('it is shown', () => session.status().lastError?.code === 'ERR_CLOUDCORE_FORBIDDEN');
    assert.equal(session.status().state, 'up');
  });

  it('says everything again to another life of the cluster than it has last reported to, once', async () => {
    assert.deepEqual(reported, [], 'what is new on both sides is said anyway');
    await session.reconnect();
    await eventually('in sync', () => replica.state.synced);
    assert.deepEqual(reported, []);
    await session.stop();
    await state.set('reported-to', Buffer.from('cluster-a/an-earlier-life'));
    session.start();
    await eventually('it is asked', () => reported.length > 0);
    await session.reconnect();
    await eventually('in sync', () => replica.state.synced);
    assert.deepEqual(reported, [['node', 'pod', 'pod-gone', 'device', 'device-setting']]);
  });

  it('gives streams that a hub opens to whatever serves their kind, on either connection', async () => {
    for (const priority of ['control', 'bulk'] as const) {
      const stream = await hub.tunnels[0]?.openStream('echo', { priority });
      assert.ok(stream);
      await stream.write(Buffer.from(priority));
      await stream.end();
      assert.equal((await drain(stream)).toString(), priority);
    }
  });

  it('resets streams of kinds that it does not know', async () => {
    const stream = await hub.tunnels[0]?.openStream('logs');
    const error = await stream?.closed;
    assert.equal((error as { code?: string } | undefined)?.code, 'ERR_TUNNEL_STREAM_RESET');
  });

  it('resets streams of a hub whose cluster is held', async () => {
    await hub.down();
    hub.welcome = { ...hub.welcome, clusterUid: 'cluster-2' };
    await hub.up();
    await eventually('held', () => session.status().state === 'held');
    const stream = await hub.tunnels.at(-1)?.openStream('echo');
    const error = await stream?.closed;
    assert.equal((error as { code?: string } | undefined)?.code, 'ERR_TUNNEL_STREAM_RESET');
  });

  it('waits for the disk with the first cluster, and takes nothing if it refuses', async () => {
    await session.stop();
    state.values.clear();
    state.failure = new Error('the disk is full');
    const { subscriptions } = hub;
    session.start();
    await eventually('it has tried twice', () => hub.tunnels.length >= 3);
    assert.equal(hub.subscriptions, subscriptions);
    state.failure = undefined;
    await eventually('in sync', () => replica.state.synced);
  });
});

/** Gives back what comes, until it ends. */
async function echo(stream: Stream): Promise<void> {
  for await (const chunk of stream) await stream.write(chunk);
  await stream.end();
}
