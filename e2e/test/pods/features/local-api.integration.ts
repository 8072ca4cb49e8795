import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { EdgeConfigInput } from '@hawser/edgecore';
import { resourcePath, RESOURCES, type ApiResource, type KubeObject } from '@hawser/kube';
import { eventually, freePort, scaled } from '@hawser/seams/testing';
import { configMap } from '../../../src/cluster-site/site-objects.ts';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { FeatureSite } from './feature-site.ts';
import type { InClusterReport } from './in-cluster-report.ts';
import { STAYS } from './shell.ts';

const ACCOUNT = 'program';
const SHOWN = 'shown';
const KEY = 'text'; // of what configMap() makes
const GROUP = 'rbac.authorization.k8s.io';
const ROOT = path.resolve(import.meta.dirname, '../../../../..');
const PROGRAM = path.join(import.meta.dirname, 'children/in-cluster.js');
/** What Node and its program need of this machine; the image has neither. */
const HOST_PATHS = ['/usr', '/lib', '/lib64', path.dirname(process.execPath), ROOT];
/** Of a Service that nothing stands behind. */
const CLUSTER_IP = '10.96.77.7';
const RESOLVES = `nslookup bakery.default.svc.cluster.local | grep -F ${CLUSTER_IP}`;
const SOON = { deadlineMs: 30_000 };

/** An address of this machine that no other edge has. */
function ownAddress(): string {
  const { pid } = process;
  return `169.254.${100 + (pid % 100)}.${1 + (Math.floor(pid / 100) % 250)}`;
}

/** A local API and a DNS server that pods reach, each pod for itself. */
async function localApiForPods(): Promise<Pick<EdgeConfigInput, 'localApi' | 'dns'>> {
  const address = ownAddress();
  return {
    localApi: { port: await freePort(), address, pods: 'cluster' },
    dns: { listen: `${address}:53` },
  };
}

// What a program in a pod has of the local API, with the network of the pod and its own token.
describe('the local API, seen from inside of a container', function () {
  this.timeout(scaled(60_000, 120_000));
  let site: FeatureSite;
  let close: (() => Promise<void>) | undefined;

  before(async function () {
    site = await FeatureSite.open(this, { edge: await localApiForPods() });
    close = () => site.close();
    await allow(site);
    const wish = { 'hawser.dev/api-server': 'local' };
    await site.create(
      configMap(SHOWN, 'first'),
      service(),
      programPod('local', { annotations: wish }),
      programPod('not-local', {}),
    );
  });
  after(() => close?.());

  async function report(): Promise<InClusterReport> {
    const said = await site.exec('local', `${process.execPath} ${PROGRAM} ${SHOWN}`);
    return JSON.parse(said) as InClusterReport;
  }

  it('is found by a program that knows nothing of it, by way of the pod’s network', async () => {
    await site.untilReady('local');
    const { server, data, refused } = await report();
    assert.match(server, /^https:\/\/169\.254\.\d+\.\d+:\d+$/);
    assert.deepEqual(data, { [KEY]: 'first' });
    assert.equal(refused, 403);
  });

  it('comes with the names of Services', async () => {
    await site.untilExec('local', RESOLVES);
  });

  it('says the same without a cloud, and what is new with one', async () => {
    const { cluster, edge } = site.pods;
    await cluster.link.cut();
    try {
      await edge.until(({ session }) => session.state !== 'up', 60_000);
      const { data, refused } = await report();
      assert.deepEqual(data, { [KEY]: 'first' });
      assert.equal(refused, 403);
      await site.exec('local', RESOLVES);
      await cluster.objects.setText([SHOWN], 'second');
    } finally {
      await cluster.link.heal();
    }
    await edge.untilInSync();
    await eventually('it has changed', async () => (await report()).data[KEY] === 'second', SOON);
  });

  it('is none of a pod that has not asked for it', async () => {
    await site.untilReady('not-local');
    assert.equal(await site.exec('not-local', 'echo "<$KUBERNETES_SERVICE_HOST>"'), '<>\n');
  });
});

/** An account that may read one ConfigMap, and nothing else. */
async function allow(site: FeatureSite): Promise<void> {
  const { client } = site.pods.cluster;
  const metadata = { namespace: 'default', name: ACCOUNT };
  const post = (resource: ApiResource, body: object): Promise<unknown> =>
    client.request({ method: 'POST', path: resourcePath(resource, { namespace: 'default' }), body });
  const rbac = (resource: string, kind: string): ApiResource => ({
    ...{ group: GROUP, version: 'v1', namespaced: true },
    ...{ resource, kind },
  });
  const rules = [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [SHOWN], verbs: ['get'] }];
  const subjects = [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: 'default' }];
  const roleRef = { apiGroup: GROUP, kind: 'Role', name: ACCOUNT };
  await post(RESOURCES.serviceaccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await post(rbac('roles', 'Role'), { apiVersion: `${GROUP}/v1`, kind: 'Role', metadata, rules });
  await post(rbac('rolebindings', 'RoleBinding'), {
    ...{ apiVersion: `${GROUP}/v1`, kind: 'RoleBinding' },
    ...{ metadata, subjects, roleRef },
  });
}

function service(): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'bakery', namespace: 'default' },
    spec: { clusterIP: CLUSTER_IP, ports: [{ port: 80 }] },
  };
}

/** A pod with Node and this project in it, read-only. Its ConfigMap brings the object to the node. */
function programPod(name: string, metadata: object): KubeObject {
  const isBelow = (one: string, other: string): boolean => one !== other && one.startsWith(`${other}/`);
  const paths = HOST_PATHS.filter(
    (one) => existsSync(one) && !HOST_PATHS.some((other) => isBelow(one, other)),
  );
  const host = paths.map((hostPath, index) => ({ name: `host-${index}`, hostPath: { path: hostPath } }));
  const mounts = paths.map((mountPath, index) => ({ name: `host-${index}`, mountPath, readOnly: true }));
  return shellPod(name, STAYS, {
    metadata: { name, namespace: 'default', ...metadata },
    spec: {
      serviceAccountName: ACCOUNT,
      automountServiceAccountToken: true,
      dnsPolicy: 'None',
      dnsConfig: { nameservers: [ownAddress()] },
      volumes: [...host, { name: SHOWN, configMap: { name: SHOWN } }],
    },
    container: { volumeMounts: [...mounts, { name: SHOWN, mountPath: '/shown' }] },
  });
}
