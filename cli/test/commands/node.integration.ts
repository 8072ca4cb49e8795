import assert from 'node:assert/strict';
import {
  ANNOTATIONS,
  ensureClusterRecord,
  HAWSER_NAMESPACE,
  LABELS,
  NodeRecords,
} from '@hawser/cloudcore/admin';
import { ResourceClient, RESOURCES } from '@hawser/kube';
import { startTestCluster, type TestCluster } from '../cluster.ts';
import { hawser, json, type Run } from '../hawser.ts';

describe('hawser node', function () {
  this.timeout(30_000);

  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await startTestCluster();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HAWSER_NAMESPACE } };
    await new ResourceClient(cluster.client, RESOURCES.namespaces).create(namespace);
  });
  afterEach(() => cluster.stop());

  function node(...args: string[]): Promise<Run> {
    return hawser(['node', ...args, '--kubeconfig', cluster.kubeconfig]);
  }

  async function joined(name: string): Promise<void> {
    const certificate = {
      serial: '01AB',
      fingerprint: 'f',
      key: 'k',
      issuedAt: '2026-01-01T00:00:00Z',
      notAfter: '2099-01-01T00:00:00Z',
    };
    const record = {
      node: name,
      pool: 'shops',
      joinedAt: '2026-01-01T00:00:00Z',
      certificates: [certificate],
    };
    await new NodeRecords(cluster.client).change(name, () => record);
  }

  async function registered(name: string, ready: string): Promise<void> {
    const nodes = new ResourceClient(cluster.client, RESOURCES.nodes);
    const status = { conditions: [{ type: 'Ready', status: ready, message: 'so it is' }] };
    const made = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { [LABELS.edge]: '' } } };
    await nodes.update(
      { ...(await nodes.create(made)), ...made, metadata: (await nodes.get('', name)).metadata, status },
      { subresource: 'status' },
    );
    await new ResourceClient(cluster.client, RESOURCES.leases).create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        namespace: 'kube-node-lease',
        name,
        annotations: { [ANNOTATIONS.replica]: 'hub-0', [ANNOTATIONS.sessionEpoch]: '7' },
      },
      spec: { renewTime: '2026-11-22T00:00:00.000000Z' },
    });
  }

  it('lists those that have joined, as they are', async () => {
    assert.match((await node('list')).stdout, /No node has joined/);
    await joined('a');
    await joined('b');
    await registered('b', 'True');
    await joined('c');
    await registered('c', 'False');
    const rows = (await node('list')).stdout.split('\n').map((line) => line.split(/ {2,}/));
    const [header, a = [], b = [], c = []] = rows;
    assert.deepEqual(header, ['NAME', 'STATE', 'POOL', 'CERTIFICATE ENDS', 'REPLICA', 'EPOCH', 'JOINED']);
    assert.deepEqual(a.slice(0, 3), ['a', 'not registered', 'shops']);
    assert.deepEqual(b.slice(0, 3), ['b', 'Ready', 'shops']);
    assert.deepEqual(b.slice(4, 6), ['hub-0', '7']);
    assert.equal(c[1], 'NotReady');
  });

  it('shows one, with its certificates', async () => {
    await joined('a');
    await registered('a', 'True');
    const { stdout } = await node('show', 'a');
    assert.match(stdout, /Session: +hub-0, epoch 7/);
    assert.match(stdout, /Ready: so it is/);
    assert.match(stdout, /01AB {2}issued 2026-01-01 00:00:00 UTC {2}ends 2099-01-01/);
    const unknown = await node('show', 'nobody');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /no node named nobody has joined.*hawser node list/s);
  });

  it('revokes one when told to, and not without a word', async () => {
    await joined('a');
    const asked = await node('revoke', 'a');
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /ERR_CLI_CONFIRM.*--yes/s);
    const before = await new NodeRecords(cluster.client).get('a');
    assert.ok(before !== undefined && before.revokedAt === undefined);

    const run = await node('revoke', 'a', '--yes');
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /kubectl delete node a/);
    const record = await new NodeRecords(cluster.client).get('a');
    assert.deepEqual(record?.certificates, []);
    assert.ok(record.revokedAt);
    assert.match((await node('list')).stdout, /^a +revoked/m);
  });

  it('revokes a name without a record only by force', async () => {
    assert.equal((await node('revoke', 'ghost', '--yes')).code, 1);
    assert.equal((await node('revoke', 'ghost', '--yes', '--force')).code, 0);
    assert.ok((await new NodeRecords(cluster.client).get('ghost'))?.revokedAt);
  });

  it('leaves out a record that cannot be read, and says so', async () => {
    await joined('a');
    await new ResourceClient(cluster.client, RESOURCES.configmaps).create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: HAWSER_NAMESPACE, name: 'node-x', labels: { [LABELS.kind]: 'node-identity' } },
      data: { node: 'x' },
    });
    const run = await node('list', '--output', 'json');
    assert.equal(run.code, 0);
    assert.deepEqual(
      (json(run) as { name: string }[]).map(({ name }) => name),
      ['a'],
    );
    assert.match(run.stderr, /a record is left out/);
  });
});

describe('hawser accept-cluster in the cloud', function () {
  this.timeout(30_000);

  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await startTestCluster();
  });
  afterEach(() => cluster.stop());

  function accept(...args: string[]): Promise<Run> {
    return hawser(['accept-cluster', '--kubeconfig', cluster.kubeconfig, ...args]);
  }

  it('has nothing to do in the first life of a cluster, and none where there is no record', async () => {
    const none = await accept('--yes');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /ERR_CLI_NOT_INITIALISED/);
    await ensureClusterRecord({ client: cluster.client }, 'first');
    const run = await accept('--yes');
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /first is the first one.*Nothing was changed/);
  });

  it('shows what changes, wants a word, and accepts once', async () => {
    const record = await ensureClusterRecord({ client: cluster.client }, 'second');
    const configMaps = new ResourceClient(cluster.client, RESOURCES.configmaps);
    const reason = 'configmaps went from version 9 to 3';
    await configMaps.update({ ...record, data: { incarnation: 'second', previous: 'first', reason } });
    const asked = await accept();
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /Because: +configmaps went from version 9 to 3/);
    assert.match(asked.stderr, /Before: +first/);
    assert.match(asked.stderr, /ERR_CLI_CONFIRM/);

    const run = await accept('--yes');
    assert.equal(run.code, 0, run.stderr);
    const { data } = await configMaps.get(HAWSER_NAMESPACE, 'hawser-cluster');
    assert.equal((data as Record<string, string>)['accepted'], 'second');
    assert.match((await accept('--yes')).stdout, /was accepted before/);
  });
});
