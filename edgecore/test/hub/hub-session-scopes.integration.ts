import assert from 'node:assert/strict';
import { tunnelLimits, WsTransport } from '@hawser/proto';
import { drain } from '@hawser/proto/testing';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import {
  ClusterGuard,
  contentOf,
  isSignedBy,
  Outbox,
  poolStateKeys,
  PoolStore,
  readSignedState,
  ScopeReplica,
  signState,
  SyncError,
  UpstreamRequests,
} from '@hawser/sync';
import { MemoryOutboxStore, MemoryReplicaStore, MemoryScopeView } from '@hawser/sync/testing';
import { StoredAcceptedCluster } from '../../src/hub/accepted-cluster.ts';
import { HubSession } from '../../src/hub/hub-session.ts';
import { StubHub } from '../../testing/index.ts';
import { MemoryState } from './memory-state.ts';

const SCOPE = 'pool/berlin/services';
const OF = { clusterUid: 'cluster-1', incarnation: '1', subject: 'services' };
const KEYS = poolStateKeys(new Uint8Array(32).fill(9));

function service(name: string, version: number): ReturnType<typeof contentOf> {
  return contentOf('services', {
    kind: 'Service',
    metadata: { name, namespace: 'default', resourceVersion: String(version) },
  });
}

describe('HubSession with scopes of a pool', function () {
  this.timeout(20_000);
  let hub: StubHub;
  let pool: MemoryScopeView;
  let version: number;
  let key = KEYS.privateKey;
  let own: ScopeReplica;
  let store: PoolStore;
  let replica: ScopeReplica;
  let outbox: Outbox;
  let session: HubSession;
  let usable: boolean[];
  let ended: string[];

  beforeEach(async () => {
    hub = await StubHub.open();
    hub.put('configmaps', { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } });
    version = 10;
    key = KEYS.privateKey;
    pool = new MemoryScopeView({
      scope: SCOPE,
      stamp: () => signState({ version: String(version), digest: pool.digest() }, OF, key),
    });
    pool.put(service('a', 7));
    hub.pools.set('berlin/services', pool);
    const credentials = await hub.authority.edge();
    const [host = '', port = ''] = hub.address.split(':');
    const transport = new WsTransport({ credentials: () => credentials, limits: tunnelLimits() });
    own = new ScopeReplica({ scope: 'node/edge-1', store: new MemoryReplicaStore() });
    store = new PoolStore({
      check: (scope, stamp) => {
        const state = readSignedState(stamp);
        if (state === undefined || !isSignedBy(stamp, OF, [KEYS.publicKey]))
          throw new SyncError('ERR_SYNC_FORGED', scope);
        return state;
      },
    });
    replica = new ScopeReplica({ scope: SCOPE, store, checks: store.checks(SCOPE) });
    outbox = new Outbox({ store: new MemoryOutboxStore(), onReportRequest: () => {} });
    const state = new MemoryState();
    const accepted = new StoredAcceptedCluster(state, undefined);
    usable = [];
    ended = [];
    session = new HubSession({
      node: 'edge-1',
      software: 'edgecore/test',
      routes: [{ transport, hub: { host, port: Number(port) } }],
      heartbeatMs: 2_000,
      ...{ replica: own, outbox, requests: new UpstreamRequests(), accepted, state },
      guard: new ClusterGuard(accepted),
      onWelcome: () => {},
      onUsable: (now) => usable.push(now),
      onDown: () => {},
      clock: systemClock,
      random: { next: () => 0 },
      log: silentLogger,
    });
  });
  afterEach(async () => {
    await session.stop();
    await outbox.stop();
    await hub.close();
  });

  const begin = async (): Promise<void> => {
    session.start();
    await eventually('in sync', () => own.state.synced);
  };
  const follow = (of = replica) =>
    session.follow(of, { epoch: 5, direct: false, onEnded: (code) => ended.push(code) });

  it('follows them next to the node’s own, with the epoch in which it leads', async () => {
    assert.equal(follow(), undefined, 'without a session');
    assert.equal(session.usable, false);
    assert.equal(session.heardMs, -Infinity);
    assert.equal(session.life, undefined);
    await begin();
    assert.ok(follow());
    await eventually('it is there', () => store.view(SCOPE).version === '10');
    assert.equal(hub.poolSubscriptions[0]?.epoch, 5);
    assert.equal(hub.poolSubscriptions[0].direct, false);
    version = 11;
    pool.put(service('b', 11));
    hub.put('configmaps', { kind: 'ConfigMap', metadata: { name: 'b', namespace: 'default' } });
    await eventually('both go on', () => store.view(SCOPE).size === 2 && own.state.objects === 2);
    assert.deepEqual(session.life, { clusterUid: 'cluster-1', incarnation: '1' });
    assert.equal(usable.length, 1);
  });

  it('goes on with the session where one of them ends, by the hub’s word or by what it gives', async () => {
    await begin();
    const other = new ScopeReplica({ scope: 'pool/berlin/endpoints', store: new MemoryReplicaStore() });
    follow(other);
    await eventually('it is refused', () => ended.length === 1);
    key = poolStateKeys(new Uint8Array(32)).privateKey;
    follow();
    await eventually('it is given up', () => ended.length === 2);
    assert.deepEqual(ended, ['ERR_CLOUDCORE_FORBIDDEN', 'ERR_SYNC_FORGED']);
    assert.equal(store.view(SCOPE).ready, false);
    assert.equal(session.status().lastError, undefined);
    assert.equal(session.status().state, 'up');
    assert.equal(hub.tunnels.length, 1);
    key = KEYS.privateKey;
    follow();
    await eventually('it is there', () => store.view(SCOPE).ready);
    hub.put('configmaps', { kind: 'ConfigMap', metadata: { name: 'b', namespace: 'default' } });
    await eventually('the node’s own goes on', () => own.state.objects === 2);
  });

  it('leaves them alone when the node’s own is compared again', async () => {
    await begin();
    follow();
    await eventually('it is there', () => replica.state.synced);
    session.compareAgain();
    await eventually('compared', () => hub.subscriptions === 2 && own.state.synced);
    version = 12;
    pool.put(service('c', 12));
    await eventually('it goes on', () => store.view(SCOPE).version === '12');
    assert.equal(hub.poolSubscriptions.length, 1);
    assert.deepEqual(ended, []);
  });

  it('says that they have ended when the session does, and follows none of a cluster that is held', async () => {
    await begin();
    const following = follow();
    await eventually('it is there', () => replica.state.synced);
    const heardMs = session.heardMs;
    assert.ok(systemClock.monotonicMs() - heardMs < 5_000);
    await hub.down();
    await eventually('it ended', () => ended.length === 1);
    assert.deepEqual(ended, ['ERR_TUNNEL_CLOSED']);
    following?.end();
    assert.deepEqual([session.usable, follow()], [false, undefined]);
    assert.ok(session.heardMs >= heardMs, 'it is remembered');
    await assert.rejects(session.ping(), { code: 'ERR_SYNC_SESSION_ENDED' });
    await assert.rejects(session.openStream('api'), { code: 'ERR_SYNC_SESSION_ENDED' });
    hub.welcome = { ...hub.welcome, clusterUid: 'cluster-2' };
    await hub.up();
    await eventually('held', () => session.status().state === 'held');
    const lastMs = session.heardMs;
    assert.deepEqual([session.usable, follow()], [false, undefined]);
    assert.deepEqual(
      session.life,
      { clusterUid: 'cluster-1', incarnation: '1' },
      'of the cluster that is accepted',
    );
    await assert.rejects(session.ping(), { code: 'ERR_SYNC_SESSION_ENDED' });
    assert.equal(session.heardMs, lastMs, 'what another cluster says does not count');
  });

  it('asks for a sign of life, and opens streams', async () => {
    await begin();
    const before = session.heardMs;
    await session.ping();
    assert.ok(session.heardMs >= before);
    const accepted = hub.tunnels[0]?.acceptStream();
    const stream = await session.openStream('echo');
    const far = await within('the stream at the hub', accepted ?? Promise.resolve(undefined));
    assert.equal(far?.kind, 'echo');
    await far.write(Buffer.from('hello'));
    await far.end();
    await stream.end();
    assert.equal((await drain(stream)).toString(), 'hello');
    const reason = new Error('given up');
    await assert.rejects(session.openStream('echo', AbortSignal.abort(reason)), reason);
  });
});
