import assert from 'node:assert/strict';
import { formatTime, type KubeObject } from '@hawser/kube';
import { condition, conditionsByType, nodeBody, startHub, type HubFixture } from './hub-fixture.ts';

const NODE = 'edge-1';
const POOL = 'apps.openyurt.io/nodepool';

describe('what a node reports of itself', () => {
  let hub: HubFixture;

  beforeEach(async () => {
    hub = await startHub();
  });

  afterEach(() => hub.stop());

  const stored = (): Promise<KubeObject> => hub.nodes.get('', NODE);

  it('registers it in one write, with labels, taints and status', async () => {
    const taints = [{ key: 'site', value: 'north', effect: 'NoSchedule' }];
    const outcome = await hub.say(
      NODE,
      'node',
      nodeBody({}, { taints, annotations: { 'example.com/a': 'b' } }),
    );
    assert.deepEqual(outcome, { status: 0 });
    assert.deepEqual(hub.client.writes, ['POST /api/v1/nodes']);
    const node = await stored();
    assert.deepEqual(node.metadata.labels, {
      'kubernetes.io/hostname': 'edge-1',
      'kubernetes.io/os': 'linux',
      'hawser.dev/edge': '',
      'node-role.kubernetes.io/edge': '',
    });
    assert.deepEqual(node.metadata.annotations, { 'example.com/a': 'b' });
    assert.deepEqual(node['spec'], { taints });
    assert.deepEqual((node['status'] as { capacity: object }).capacity, { cpu: '2', memory: '1Gi' });
    const { Ready: ready } = conditionsByType(node);
    assert.equal(ready?.['status'], 'True');
    assert.ok(Date.now() - Date.parse(ready['lastHeartbeatTime'] ?? '') < 10_000);
  });

  describe('gets the label of the pool that it has joined with', () => {
    const pools = new Map([
      [NODE, 'site-1'],
      ['edge-long', 'x'.repeat(64)],
    ]);
    const poolOf = async (): Promise<string | undefined> =>
      ((await stored()).metadata.labels as Record<string, string>)[POOL];

    beforeEach(async () => {
      await hub.stop();
      hub = await startHub({ poolOf: (node) => pools.get(node) });
    });

    it('with its registration', async () => {
      assert.deepEqual(await hub.say(NODE, 'node', nodeBody()), { status: 0 });
      assert.deepEqual(hub.client.writes, ['POST /api/v1/nodes']);
      assert.equal(await poolOf(), 'site-1');
      await hub.say('edge-2', 'node', nodeBody());
      const other = (await hub.nodes.get('', 'edge-2')).metadata.labels as Record<string, string>;
      assert.equal(other[POOL], undefined);
    });

    it('on a Node that is there, unless an operator has moved it to another', async () => {
      await hub.nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } });
      assert.deepEqual(await hub.say(NODE, 'node', nodeBody()), { status: 0 });
      assert.equal(await poolOf(), 'site-1');
      for (const moved of ['site-2', '']) {
        await hub.nodes.patch('', NODE, 'merge', { metadata: { labels: { [POOL]: moved } } });
        assert.deepEqual(await hub.say(NODE, 'node', nodeBody()), { status: 0 });
        assert.equal(await poolOf(), moved);
      }
    });

    it('but for one that has the label of the first releases', async () => {
      const labels = { 'hawser.dev/pool': 'site-0' };
      await hub.nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE, labels } });
      assert.deepEqual(await hub.say(NODE, 'node', nodeBody()), { status: 0 });
      assert.equal(await poolOf(), undefined);
    });

    it('and registers it without one where that is no value of a label', async () => {
      assert.deepEqual(await hub.say('edge-long', 'node', nodeBody()), { status: 0 });
      const labels = (await hub.nodes.get('', 'edge-long')).metadata.labels as Record<string, string>;
      assert.equal(labels[POOL], undefined);
    });

    it('from the hub alone', async () => {
      const { status } = await hub.say(
        NODE,
        'node',
        nodeBody({}, { labels: { 'hawser.dev/pool': 'site-1' } }),
      );
      assert.equal(status, 403);
    });
  });

  it('writes nothing when nothing but time has changed', async () => {
    await hub.say(NODE, 'node', nodeBody());
    const before = await stored();
    const later = condition('Ready', 'True', {
      lastTransitionTime: '2026-02-02T00:00:00Z',
      lastHeartbeatTime: '2026-02-02T00:00:00Z',
    });
    assert.deepEqual(await hub.say(NODE, 'node', nodeBody({ conditions: [later] })), { status: 0 });
    assert.equal((await stored()).metadata.resourceVersion, before.metadata.resourceVersion);
    assert.deepEqual(hub.client.writes, ['POST /api/v1/nodes']);
    assert.equal(await hub.metric('hawser_upstream_writes_total', { kind: 'node', verb: 'none' }), 1);
  });

  it('writes nothing when an amount is only written in another way', async () => {
    const body = nodeBody({ capacity: { cpu: '2', memory: '8388608Ki' }, allocatable: { cpu: '1900m' } });
    await hub.say(NODE, 'node', body);
    assert.equal(((await stored())['status'] as { capacity: { memory: string } }).capacity.memory, '8Gi');
    assert.deepEqual(await hub.say(NODE, 'node', body), { status: 0 });
    const same = nodeBody({ capacity: { cpu: '2000m', memory: '8Gi' }, allocatable: { cpu: '1.9' } });
    assert.deepEqual(await hub.say(NODE, 'node', same), { status: 0 });
    assert.deepEqual(hub.client.writes, ['POST /api/v1/nodes']);
  });

  it('leaves alone what others have written', async () => {
    await hub.say(NODE, 'node', nodeBody());
    const node = await stored();
    const status = node['status'] as { capacity: object; conditions: object[] };
    await hub.nodes.patch('', NODE, 'merge', {
      metadata: { labels: { 'hawser.dev/pool': 'north' }, annotations: { 'hawser.dev/tolerations': 'keep' } },
      spec: { unschedulable: true },
    });
    const byOthers = {
      capacity: { 'example.com/gpu': '1' },
      conditions: [...status.conditions, condition('NetworkUnavailable', 'False')],
      volumesAttached: [{ name: 'disk', devicePath: '/dev/x' }],
    };
    await hub.nodes.patch('', NODE, 'merge', { status: byOthers }, { subresource: 'status' });
    const labels = { 'kubernetes.io/hostname': 'edge-1', rack: '7' };
    await hub.say(NODE, 'node', nodeBody({ capacity: { cpu: '4', memory: '1Gi' } }, { labels }));
    const after = await stored();
    assert.deepEqual(after.metadata.labels, {
      ...node.metadata.labels,
      'hawser.dev/pool': 'north',
      rack: '7',
    });
    assert.deepEqual(after.metadata.annotations, { 'hawser.dev/tolerations': 'keep' });
    assert.equal((after['spec'] as { unschedulable?: boolean }).unschedulable, true);
    const { capacity, volumesAttached } = after['status'] as Record<string, unknown>;
    assert.deepEqual(capacity, { cpu: '4', memory: '1Gi', 'example.com/gpu': '1' });
    assert.deepEqual(volumesAttached, byOthers.volumesAttached);
    assert.equal(conditionsByType(after)['NetworkUnavailable']?.['status'], 'False');
  });

  it('undoes what the node controller said while it was away, as of now', async () => {
    await hub.say(NODE, 'node', nodeBody());
    const markedMs = Date.now() - 5000;
    const unknown = condition('Ready', 'Unknown', {
      reason: 'NodeStatusUnknown',
      lastTransitionTime: formatTime(markedMs),
    });
    await hub.nodes.patch(
      '',
      NODE,
      'merge',
      { status: { conditions: [unknown] } },
      { subresource: 'status' },
    );
    assert.deepEqual(await hub.say(NODE, 'node', nodeBody()), { status: 0 });
    const { Ready: ready } = conditionsByType(await stored());
    assert.equal(ready?.['status'], 'True');
    assert.ok(Date.parse(ready['lastTransitionTime'] ?? '') > markedMs);
  });

  it('takes no time of the future from an edge whose clock is ahead', async () => {
    const ahead = condition('Ready', 'True', { lastTransitionTime: '2199-01-01T00:00:00Z' });
    await hub.say(NODE, 'node', nodeBody({ conditions: [ahead] }));
    const { Ready: ready } = conditionsByType(await stored());
    assert.ok(Date.parse(ready?.['lastTransitionTime'] ?? '') <= Date.now());
  });

  for (const key of [
    'node-role.kubernetes.io/control-plane',
    'node-restriction.kubernetes.io/trusted',
    'kubernetes.io/anything',
    'foo.k8s.io/x',
    'hawser.dev/pool',
    POOL,
    'sub.hawser.dev/x',
  ]) {
    it(`does not let it label itself ${key}`, async () => {
      const { status, message } = await hub.say(NODE, 'node', nodeBody({}, { labels: { [key]: 'x' } }));
      assert.equal(status, 403);
      assert.match(message ?? '', new RegExp(key));
      assert.equal(hub.state().size, 0);
    });
  }

  it('does not let it choose the policies that operators choose', async () => {
    const annotations = { 'hawser.dev/tolerations': 'keep' };
    assert.equal((await hub.say(NODE, 'node', nodeBody({}, { annotations }))).status, 403);
    assert.equal(hub.state().size, 0);
  });

  it('bears the labels that the hub gives said back to it', async () => {
    const labels = {
      'hawser.dev/edge': '',
      'node-role.kubernetes.io/edge': '',
      'node.kubernetes.io/instance-type': 'pi',
    };
    assert.equal((await hub.say(NODE, 'node', nodeBody({}, { labels }))).status, 0);
    assert.deepEqual((await stored()).metadata.labels, labels);
  });

  it('writes again on top of what somebody else has written in between', async () => {
    await hub.say(NODE, 'node', nodeBody());
    let disturbed = 0;
    hub.client.before = async ({ method }) => {
      if (method !== 'PUT' || disturbed >= 2) return;
      disturbed += 1;
      await hub.nodes.patch('', NODE, 'merge', { metadata: { annotations: { other: String(disturbed) } } });
    };
    const outcome = await hub.say(NODE, 'node', nodeBody({ capacity: { cpu: '8' } }));
    assert.deepEqual(outcome, { status: 0 });
    const node = await stored();
    assert.deepEqual(node.metadata.annotations, { other: '2' });
    assert.equal((node['status'] as { capacity: { cpu: string } }).capacity.cpu, '8');
    assert.equal(await hub.metric('hawser_upstream_conflicts_total', { kind: 'node' }), 2);
  });

  it('gives a conflict that does not end back to the edge, to be tried again', async () => {
    await hub.say(NODE, 'node', nodeBody());
    let disturbed = 0;
    hub.client.before = async ({ method }) => {
      if (method !== 'PUT') return;
      disturbed += 1;
      await hub.nodes.patch('', NODE, 'merge', { metadata: { annotations: { other: String(disturbed) } } });
    };
    const outcome = await hub.say(NODE, 'node', nodeBody({ capacity: { cpu: '8' } }));
    assert.equal(outcome.status, 409);
    assert.ok((outcome.retryAfterMs ?? 0) > 0);
    assert.equal(disturbed, 5);
  });

  it('finds the Node that somebody has made at the same time', async () => {
    hub.client.before = async ({ method }) => {
      if (method === 'POST') {
        hub.client.before = () => {};
        await hub.nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } });
      }
    };
    assert.deepEqual(await hub.say(NODE, 'node', nodeBody()), { status: 0 });
    assert.equal(conditionsByType(await stored())['Ready']?.['status'], 'True');
  });
});
