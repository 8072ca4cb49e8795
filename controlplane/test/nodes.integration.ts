import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import { API } from '../src/api/resources.ts';
import { Cluster, deployment, isReady, nodeOf, template } from './fixture.ts';

const LONG = { deadlineMs: 10_000, intervalMs: 25 };

describe('control plane: nodes that fall silent', function () {
  this.timeout(30_000);
  let cluster: Cluster;

  before(async () => {
    const nodeTimes = { graceMs: 1500, startupGraceMs: 3000, evictionsPerSecond: 10, quarantineMs: 300 };
    cluster = await Cluster.start(['n1', 'n2'], { nodeTimes });
  });
  after(() => cluster.stop());

  const ready = async (name: string): Promise<string | undefined> => {
    const node = await cluster.find(API.nodes, '', name);
    const { conditions = [] } = (node?.['status'] ?? {}) as {
      conditions?: { type: string; status: string }[];
    };
    return conditions.find(({ type }) => type === 'Ready')?.status;
  };
  const taints = async (name: string): Promise<string[]> => {
    const node = await cluster.find(API.nodes, '', name);
    const spec = (node?.['spec'] ?? {}) as { taints?: { key: string; effect: string }[] };
    return (spec.taints ?? [])
      .map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`)
      .sort();
  };

  it('moves pods that do not tolerate it, keeps those that do, and takes the node back', async () => {
    const tolerations = ['not-ready', 'unreachable'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
    }));
    const brief = tolerations.map((toleration) => ({ ...toleration, tolerationSeconds: 1 }));
    const spec = { template: template('brief', 'a', { tolerations: brief }) };
    await cluster.create(API.deployments, deployment('brief', 2, 'a', spec));
    await cluster.podsReady('brief', 2);
    const stays = {
      containers: [{ name: 'c', image: 'x' }],
      tolerations,
      nodeSelector: { 'kubernetes.io/hostname': 'n2' },
    };
    await cluster.create(API.pods, {
      kind: 'Pod',
      metadata: { name: 'stays', namespace: 'default', labels: { app: 'stays' } },
      spec: stays,
    });
    await cluster.podsReady('stays', 1);

    await cluster.kubelets.get('n2')?.stop();
    await eventually('n2 is unknown', async () => (await ready('n2')) === 'Unknown', LONG);
    await eventually('n2 is tainted', async () => (await taints('n2')).length === 2, LONG);
    assert.deepEqual(await taints('n2'), ['unreachable:NoExecute', 'unreachable:NoSchedule']);
    await eventually('its pods are not ready', async () => {
      const pod = await cluster.find(API.pods, 'default', 'stays');
      return pod !== undefined && !isReady(pod);
    });
    await eventually(
      'a new pod runs on n1',
      async () => {
        const pods = await cluster.list(API.pods, 'default', 'app=brief');
        return pods.filter((pod) => nodeOf(pod) === 'n1' && isReady(pod)).length === 2;
      },
      LONG,
    );
    assert.equal((await cluster.find(API.pods, 'default', 'stays'))?.metadata.deletionTimestamp, undefined);

    await cluster.addNode('n2');
    await eventually(
      'n2 is well again',
      async () => (await ready('n2')) === 'True' && (await taints('n2')).length === 0,
      LONG,
    );
    await cluster.podsReady('stays', 1);
    await cluster.podsReady('brief', 2);
  });

  it('evicts nobody while no node is ready', async () => {
    for (const name of ['n1', 'n2']) await cluster.kubelets.get(name)?.setReady(false);
    await eventually(
      'both are kept free',
      async () => {
        const all = [...(await taints('n1')), ...(await taints('n2'))];
        return all.filter((taint) => taint === 'not-ready:NoSchedule').length === 2;
      },
      LONG,
    );
    await eventually(
      'nobody is evicted',
      async () => !(await Promise.all([taints('n1'), taints('n2')])).flat().join().includes('NoExecute'),
      LONG,
    );
    for (const name of ['n1', 'n2']) await cluster.kubelets.get(name)?.setReady(true);
    await eventually(
      'all taints are gone',
      async () => (await taints('n1')).length + (await taints('n2')).length === 0,
      LONG,
    );
  });

  it('removes the pods of a node that is deleted', async () => {
    await cluster.kubelets.get('n2')?.stop();
    await cluster.of(API.nodes).delete('', 'n2');
    await eventually(
      'its pods are gone',
      async () => {
        const pods = await cluster.list(API.pods);
        return pods.every((pod) => nodeOf(pod) !== 'n2');
      },
      LONG,
    );
  });
});
