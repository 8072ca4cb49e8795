import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { eventually, within } from '@hawser/seams/testing';
import type { UpstreamBodies } from '@hawser/sync';
import { EdgeSite, makePod } from '../../testing/index.ts';

type NodeBody = UpstreamBodies['node'];
type PodBody = UpstreamBodies['pod'];

function podObject(name: string, wish: Parameters<typeof makePod>[1] = {}): object {
  return { apiVersion: 'v1', kind: 'Pod', ...makePod(name, wish) };
}

describe('edge core', function () {
  this.timeout(30_000);
  let site: EdgeSite;

  beforeEach(async () => {
    site = await EdgeSite.open({ hub: { confirmAfterMs: 1_000 } });
  });
  afterEach(() => site.close());

  const phases = (name: string): unknown[] =>
    (site.hub.bodies('pod') as PodBody[])
      .filter((body) => body.name === name)
      .map(({ status }) => status['phase']);

  it('registers its node, runs what it is given, and reports it', async () => {
    site.hub.put('pods', podObject('a'));
    site.hub.put('configmaps', {
      kind: 'ConfigMap',
      metadata: { name: 'c', namespace: 'default' },
      data: { k: 'v' },
    });
    await site.connect();
    await eventually('a runs', () => phases('a').at(-1) === 'Running');
    const [node] = site.hub.bodies('node') as NodeBody[];
    assert.equal(node?.labels['kubernetes.io/hostname'], 'edge-1');
    const status = site.core.status();
    assert.equal(status.session.state, 'up');
    assert.equal(status.session.current?.transport, 'ws');
    assert.equal(status.scopes[0]?.objects, 2);
    assert.equal(status.node.ready, true);
    assert.deepEqual(status.node.pods, { sync: 1, terminating: 0, terminated: 0 });
    assert.deepEqual(status.problems, []);
    assert.deepEqual(status.cluster, { accepted: { clusterUid: 'cluster-1', incarnation: '1' } });
    await eventually('all is taken', () => site.core.status().outbox.waiting === 0);
  });

  it('says nothing while nothing changes', async () => {
    site.hub.put('pods', podObject('a'));
    await site.connect({ node: { statusPeriodMs: 1_000 }, pods: { relistPeriodMs: 1_000 } });
    await eventually('a runs', () => phases('a').at(-1) === 'Running');
    await eventually('all is taken', () => site.core.status().outbox.waiting === 0);
    const before = site.hub.received.length;
    const startedMs = Date.now();
    await eventually('three periods have passed', () => Date.now() - startedMs > 3_100);
    assert.equal(site.hub.received.length, before);
  });

  it('ends a pod that is deleted, and says that it is gone', async () => {
    site.hub.put('pods', podObject('a'));
    await site.connect();
    await eventually('a runs', () => phases('a').at(-1) === 'Running');
    site.hub.put('pods', podObject('a', { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z' } }));
    await eventually('a is gone', () => site.hub.bodies('pod-gone').length === 1);
    assert.deepEqual(site.hub.bodies('pod-gone'), [{ namespace: 'default', name: 'a', uid: 'uid-a' }]);
    assert.equal(phases('a').at(-1), 'Succeeded');
    site.hub.view.remove('pods/default/a');
    await eventually('it is forgotten', () => site.core.status().scopes[0]?.objects === 0);
  });

  it('starts without a cloud, and runs what it had', async () => {
    for (const name of ['a', 'b', 'c']) site.hub.put('pods', podObject(name));
    await site.connect();
    await eventually('all run', () => phases('c').at(-1) === 'Running' && phases('a').at(-1) === 'Running');
    const before = (site.hub.bodies('pod') as PodBody[]).findLast(({ name }) => name === 'b');
    await site.stop();
    await site.hub.down();
    await site.start();
    await eventually('it has tried', () => site.core.status().session.lastError !== undefined);
    const status = site.core.status();
    assert.equal(status.scopes[0]?.objects, 3);
    assert.equal(status.node.pods['sync'], 3);
    assert.equal(status.session.lastError?.code, 'ERR_TUNNEL_DIAL');
    assert.match(status.session.lastError.remedy ?? '', /10000/);
    assert.equal(status.node.ready, true);
    site.hub.received.length = 0;
    const { deltas } = site.hub.sent;
    await site.hub.up();
    await site.synced();
    await eventually('it says its pods again', () => phases('b').length > 0);
    const after = (site.hub.bodies('pod') as PodBody[]).findLast(({ name }) => name === 'b');
    assert.deepEqual(after?.status, before?.status, 'times and all');
    assert.equal(site.hub.sent.deltas, deltas + 1, 'nothing was sent again: the hub said that all is there');
  });

  it('keeps what the cloud has not taken over a restart', async () => {
    await site.connect();
    await eventually('all is taken', () => site.core.status().outbox.waiting === 0);
    site.hub.reply = ({ kind }) => (kind === 'pod' ? { status: 503, retryAfterMs: 600_000 } : { status: 0 });
    site.hub.put('pods', podObject('a'));
    await eventually('it was said', () => phases('a').length > 0);
    await eventually('it runs', () => site.core.status().outbox.counters['retried'] === 1);
    await site.stop();
    site.hub.reply = () => ({ status: 0 });
    site.hub.received.length = 0;
    await site.connect();
    await eventually('it is said again', () => phases('a').at(-1) === 'Running');
  });

  it('holds another cluster, works on with what it has, and accepts it at an operator’s word', async () => {
    site.hub.put('pods', podObject('a'));
    await site.connect();
    await eventually('a runs', () => phases('a').at(-1) === 'Running');
    await site.hub.down();
    site.hub.welcome = { ...site.hub.welcome, clusterUid: 'cluster-2' };
    site.hub.view.remove('pods/default/a');
    site.hub.received.length = 0;
    const { subscriptions } = site.hub;
    await site.hub.up();
    // It dials again within 5 s.
    await eventually('it is held', () => site.core.status().session.state === 'held', {
      deadlineMs: 15_000,
    });
    const held = await site.admin.status();
    assert.equal(held.cluster.held?.clusterUid, 'cluster-2');
    assert.match(held.cluster.held.why, /cluster-2.*cluster-1/);
    assert.equal(held.problems[0]?.code, 'ERR_EDGECORE_OTHER_CLUSTER');
    assert.match(held.problems[0].remedy ?? '', /hawser accept-cluster/);
    assert.equal(held.scopes[0]?.objects, 1);
    assert.equal(site.hub.subscriptions, subscriptions, 'nothing was subscribed to');
    assert.deepEqual(site.hub.received, [], 'nothing was reported');
    assert.match(await site.admin.metrics(), /^hawser_edge_cluster_held 1$/m);

    const answer = await site.admin.acceptCluster();
    assert.deepEqual(answer, { accepted: { clusterUid: 'cluster-2', incarnation: '1' } });
    await site.synced();
    await eventually('the pod is gone', () => site.core.status().scopes[0]?.objects === 0);
    assert.deepEqual(await site.admin.acceptCluster(), {});
  });

  it('tells of removals that are held back until the hub has looked again', async () => {
    for (const name of ['a', 'b', 'c']) {
      site.hub.put('configmaps', { kind: 'ConfigMap', metadata: { name, namespace: 'default' } });
    }
    await site.connect();
    for (const name of ['a', 'b', 'c']) site.hub.view.remove(`configmaps/default/${name}`);
    await eventually('they are held', () => site.core.status().scopes[0]?.held === 3);
    const [problem] = site.core.status().problems;
    assert.equal(problem?.code, 'ERR_EDGECORE_REMOVALS_HELD');
    assert.match(problem.remedy ?? '', /30 s/);
    await eventually('they are carried out', () => site.core.status().scopes[0]?.objects === 0);
    assert.deepEqual(site.core.status().problems, []);
  });

  it('accepts a cluster that the node has joined since', async () => {
    await site.connect();
    await site.stop();
    await site.hub.down();
    site.hub.welcome = { ...site.hub.welcome, clusterUid: 'cluster-2' };
    await site.hub.join(site.pkiDir);
    await site.hub.up();
    await site.connect();
    assert.equal(site.core.status().cluster.accepted?.clusterUid, 'cluster-2');
  });

  it('goes on with a higher epoch over restarts', async () => {
    await site.connect();
    const first = site.core.status().session.epoch;
    await site.stop();
    await site.hub.down();
    await site.hub.up(); // knows of no epochs: the edge says its last one
    await site.connect();
    assert.ok(site.core.status().session.epoch > first);
  });

  it('reconnects at once when it is told to', async () => {
    await site.connect();
    const before = site.core.status().session.current?.id;
    await site.admin.reconnect();
    await within(
      'the next session',
      eventually('it is there', () => {
        const { session } = site.core.status();
        return session.state === 'up' && session.current?.id !== before;
      }),
      2_000,
    );
  });

  it('says what the hub asks for again', async () => {
    site.hub.put('pods', podObject('a'));
    await site.connect();
    await eventually('a runs', () => phases('a').at(-1) === 'Running');
    await eventually('all is taken', () => site.core.status().outbox.waiting === 0);
    site.hub.received.length = 0;
    await site.hub.tunnels.at(-1)?.send({ reportRequest: { kinds: ['node', 'pod'] } });
    await eventually('both are said', () => site.hub.bodies('node').length === 1 && phases('a').length === 1);
  });

  it('asks for the tokens of its pods, keeps them encrypted, and forgets them with the pod', async () => {
    let asked = 0;
    site.hub.reply = ({ kind }) => {
      if (kind !== 'token-request') return { status: 0 };
      asked += 1;
      const expirationTimestamp = new Date(Date.now() + 3_600_000).toISOString();
      return { status: 0, body: { token: 'secret-token-of-a', expirationTimestamp } };
    };
    const volumes = [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }];
    site.hub.put('pods', podObject('a', { spec: { volumes } }));
    await site.connect();
    await eventually('the token is there', () => site.core.status().tokens.kept === 1);
    assert.deepEqual(site.hub.bodies('token-request'), [
      {
        namespace: 'default',
        podName: 'a',
        podUid: 'uid-a',
        serviceAccount: 'default',
        audiences: [],
        expirationSeconds: 3600,
      },
    ]);
    await site.stop();
    for (const file of await readdir(site.dataDir)) {
      const target = path.join(site.dataDir, file);
      if ((await stat(target)).isFile())
        assert.ok(!(await readFile(target)).includes('secret-token-of-a'), file);
    }
    await site.connect();
    assert.deepEqual(site.core.status().tokens, { kept: 1, missing: 0, expired: 0 });
    assert.equal(asked, 1);
    site.hub.view.remove('pods/default/a');
    await eventually('it is forgotten', () => site.core.status().tokens.kept === 0);
  });

  it('does not start without an identity, nor beside another one', async () => {
    await site.start();
    await assert.rejects(site.start(), { code: 'ERR_EDGE_STORE_IN_USE' });
    assert.equal((await site.admin.status()).node.name, 'edge-1', 'the first one goes on');
    await assert.rejects(site.start({ data: { dir: path.join(site.dir, 'other') } }), {
      code: 'ERR_EDGECORE_IDENTITY_MISSING',
    });
    await assert.rejects(site.start({ node: { name: 'edge-2' } }), { code: 'ERR_EDGECORE_CONFIG' });
  });

  it('falls back to WebSocket where QUIC does not get through', async () => {
    await site.start({ hub: { transport: 'auto', quicPort: 9 } });
    const LONG = { deadlineMs: 15_000 };
    await eventually('it is up', () => site.core.status().session.state === 'up', LONG);
    assert.equal(site.core.status().session.current?.transport, 'ws');
  });

  it('works without any hub', async () => {
    const core = await site.start({ hub: { address: '' } });
    assert.equal(core.status().session.state, 'off');
    assert.deepEqual(await site.admin.acceptCluster(), {});
    await site.admin.reconnect();
    assert.deepEqual(await core.problems(), []);
  });

  it('stops in good order at any moment, and twice', async () => {
    site.hub.put('pods', podObject('a'));
    const core = await site.start();
    await Promise.all([core.stop(), core.stop()]);
    await assert.rejects(site.admin.status(), { code: 'ERR_EDGECORE_ADMIN_UNREACHABLE' });
    await site.connect();
  });
});
