import assert from 'node:assert/strict';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod } from '../../src/cluster-site/site-objects.ts';
import { allRunning, isRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';
const NEIGHBOUR = 'edge-2';
const REPLICAS = 6;
/** Leases are renewed every 10 s at most. */
const GRACE_MS = 16_000;

/** Evicted as soon as its node is unreachable: shows that eviction is at work. */
const VICTIM: KubeObject = (() => {
  const pod = boundPod('victim', NODE);
  const toleration = {
    ...{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
    tolerationSeconds: 0,
  };
  return { ...pod, spec: { ...(pod['spec'] as object), tolerations: [toleration] } };
})();

const DEPLOYMENT: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'app', namespace: 'default' },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: 'app' } },
    template: {
      metadata: { labels: { app: 'app' } },
      spec: { containers: [{ name: 'main', image: 'registry.test/app:1' }] },
    },
  },
};

// A node that is cut off for longer than Kubernetes waits: its pods go on, and are the same ones afterwards.
describe('pods of a node that was given up', function () {
  this.timeout(120_000);
  let site: ClusterSite;
  let edge: SiteEdge;

  before(async () => {
    site = await ClusterSite.open({
      controlPlane: { nodeTimes: { graceMs: GRACE_MS, startupGraceMs: GRACE_MS, evictionsPerSecond: 10 } },
      hub: { logLevel: 'error' },
    });
    edge = await site.edge(NODE);
    const { host, port } = site.directAddress();
    // While no node at all is ready nobody is evicted.
    await site.edge(NEIGHBOUR, { config: { hub: { address: `${host}:${port}` } } });
    await eventually('both nodes take pods', async () => (await readyNodes()).length === 2, {
      deadlineMs: 20_000,
    });
    await site.objects.create(DEPLOYMENT);
    await site.objects.create(VICTIM);
    await allRunning(site, ['victim']);
    await eventually('the deployment runs', async () => (await ofDeployment()).every(isRunning), {
      deadlineMs: 20_000,
    });
  });

  after(() => site.close());

  it('stay, run on, and are reported again as they are', async () => {
    await eventually('all are there', async () => (await ofDeployment()).length === REPLICAS);
    const before = uids(await ofDeployment());
    assert.ok((await ofDeployment()).some((pod) => nodeOf(pod) === NODE));
    await site.link.cut();
    await eventually('the node is given up', async () => !(await readyNodes()).includes(NODE), {
      deadlineMs: 60_000,
      intervalMs: 100,
    });
    await eventually('its pods are not ready', async () => !(await ofDeployment()).every(isRunning), {
      deadlineMs: 20_000,
    });
    await eventually('who does not tolerate it is evicted', async () => isDeleting(await get('victim')), {
      deadlineMs: 20_000,
    });
    assert.deepEqual(uids(await ofDeployment()), before, 'nobody else is, and nobody was replaced');
    assert.equal((await ofDeployment()).filter(isDeleting).length, 0);

    await site.link.heal();
    await edge.untilInSync();
    await eventually('the node is ready', async () => (await readyNodes()).includes(NODE), {
      deadlineMs: 20_000,
    });
    await eventually('its pods are ready', async () => (await ofDeployment()).every(isRunning), {
      deadlineMs: 20_000,
    });
    assert.deepEqual(uids(await ofDeployment()), before);
    await eventually('who was evicted has ended', async () => (await get('victim')) === undefined, {
      deadlineMs: 20_000,
    });
    await sameView(site, edge);
  });

  async function ofDeployment(): Promise<readonly KubeObject[]> {
    const pods = await site.objects.list(RESOURCES.pods);
    return pods.filter(({ metadata }) => metadata.labels?.['app'] === 'app');
  }

  async function get(name: string): Promise<KubeObject | undefined> {
    return (await site.objects.list(RESOURCES.pods)).find(({ metadata }) => metadata.name === name);
  }

  async function readyNodes(): Promise<readonly (string | undefined)[]> {
    const nodes = await site.objects.list(RESOURCES.nodes);
    return nodes.filter(isReady).map(({ metadata }) => metadata.name);
  }
});

function isReady(node: KubeObject): boolean {
  const { conditions = [] } = node['status'] as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function isDeleting(pod: KubeObject | undefined): boolean {
  return pod?.metadata.deletionTimestamp !== undefined;
}

function nodeOf(pod: KubeObject): string | undefined {
  return (pod['spec'] as { nodeName?: string }).nodeName;
}

function uids(pods: readonly KubeObject[]): readonly string[] {
  return pods.map(({ metadata }) => metadata.uid ?? '').sort();
}
