import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { CloudCoreConfigInput } from '@hawser/cloudcore';
import { resourcePath, RESOURCES, type KubeObject } from '@hawser/kube';
import { TestAuthority } from '@hawser/proto/testing';
import { eventually, freePort } from '@hawser/seams/testing';
import { parse, stringify } from 'yaml';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { startTcpProxy, type TcpProxy } from '../../src/fault-proxy/tcp-proxy.ts';
import { startNode, type NodeChild } from '../../src/processes/node-child.ts';
import { RawEdge } from '../spine/raw-edge.ts';
import { configOf, only, podOf, type ChartPod } from './chart-objects.ts';
import { chartDir, helm, needHelm } from './helm.ts';
import { PodEnvironment } from './pod-environment.ts';

const MAIN = path.join(path.dirname(createRequire(import.meta.url).resolve('@hawser/cloudcore')), 'main.js');
const SYSTEM = 'hawser-system';
const EDGES = 12;
const WAIT = { deadlineMs: 30_000, intervalMs: 50 };

/** A replica as a process that has what a pod has. */
interface Replica {
  readonly child: NodeChild;
  readonly environment: PodEnvironment;
  readonly port: number;
  /** Of `/livez` and the like. */
  readonly get: (path: string) => Promise<{ readonly status: number; readonly text: string }>;
}

// What Helm installed is what these replicas run with: its account and rights, its configuration, its arguments.
describe('cloudcore in a cluster', function () {
  this.timeout(90_000);

  let site: ClusterSite;
  let objects: readonly KubeObject[];
  const replicas: Replica[] = [];
  const edges: RawEdge[] = [];
  /** Last first. */
  const cleanUp: (() => Promise<void>)[] = [];
  let balancer: TcpProxy;

  before(async function () {
    needHelm(this);
    const reason = await PodEnvironment.unavailable();
    if (reason !== undefined) {
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    site = await ClusterSite.open({ replicas: 0 });
    cleanUp.push(() => site.close());
    const values = ['advertise={127.0.0.1}', 'drain.notReadySeconds=1,drain.sessionsSeconds=2'];
    const set = values.flatMap((value) => ['--set', value]);
    const where = ['--namespace', SYSTEM, '--kubeconfig', site.kubeconfig];
    const env = { HELM_CACHE_HOME: site.dir, HELM_CONFIG_HOME: site.dir, HELM_DATA_HOME: site.dir };
    await helm(['install', 'hawser', chartDir, '--create-namespace', ...set, ...where], env);
    objects = await Promise.all([
      read('apps/v1', 'deployments', 'hawser-cloudcore'),
      read('v1', 'configmaps', 'hawser-cloudcore'),
    ]);
  });
  after(async () => {
    await Promise.all(edges.map((edge) => edge.stop()));
    for (const { child } of replicas) await child.kill();
    for (const undo of cleanUp.reverse()) await undo();
  });

  /** An object of the namespace as the API server has it. */
  async function read(apiVersion: string, resource: string, name: string): Promise<KubeObject> {
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    const namespaced = { group, version, resource, kind: '', namespaced: true };
    const path = resourcePath(namespaced, { namespace: SYSTEM, name });
    return (await site.client.request({ method: 'GET', path })) as KubeObject;
  }

  async function pods(): Promise<readonly KubeObject[]> {
    return (await site.objects.list(RESOURCES.pods)).filter(({ metadata }) => metadata.namespace === SYSTEM);
  }

  /** A token of cloudcore's account, good as long as the pod is there. */
  async function tokenFor(pod: KubeObject): Promise<string> {
    const { name = '', uid = '' } = pod.metadata;
    const account = { namespace: SYSTEM, name: 'hawser-cloudcore', subresource: 'token' };
    const answer = await site.client.request({
      method: 'POST',
      path: resourcePath(RESOURCES.serviceaccounts, account),
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
      },
    });
    return (answer as { readonly status: { readonly token: string } }).status.token;
  }

  /** The container of the chart as a process; only its ports differ, for both are on one machine. */
  async function startReplica(pod: KubeObject): Promise<Replica> {
    const { name = '' } = pod.metadata;
    const dir = path.join(site.dir, name);
    const environment = await PodEnvironment.make(dir, site.kubeconfig, await tokenFor(pod));
    const [port, operations] = [await freePort(), await freePort()];
    const config = parse(configOf(objects)) as CloudCoreConfigInput;
    const file = path.join(dir, 'cloudcore.yaml');
    const ports = {
      listen: { ...config.listen, host: '127.0.0.1', websocketPort: port },
      operations: { host: '127.0.0.1', port: operations },
    };
    await writeFile(file, stringify({ ...config, ...ports, replica: name }));
    const [container] = podOf(objects).spec.containers;
    const args = container.args.map((arg) =>
      arg.replace('/etc/hawser/cloudcore.yaml', file).replace('$(POD_IP)', '127.0.0.1'),
    );
    const child = await startNode({ script: MAIN, args, readyWhen: 'spawned', ...environment.child });
    const get: Replica['get'] = async (path) => {
      const response = await fetch(`http://127.0.0.1:${operations}${path}`);
      return { status: response.status, text: await response.text() };
    };
    const replica = { child, environment, port, get };
    replicas.push(replica);
    return replica;
  }

  function replica(index: number): Replica {
    const found = replicas[index];
    assert.ok(found);
    return found;
  }

  /** Sessions that a replica has, by its own count. */
  async function sessionsOf({ get }: Replica): Promise<number> {
    const { text } = await get('/metrics');
    const lines = text.matchAll(/^hawser_tunnel_connections\{[^}]*purpose="control"[^}]*\} (\d+)$/gm);
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  const untilReady = ({ get, child }: Replica): Promise<void> =>
    eventually(
      `it is ready; it says ${child.stderr.slice(-1000)}`,
      async () => (await get('/readyz').catch(() => undefined))?.status === 200,
      WAIT,
    );

  it('is installed by Helm: two pods that want an account, and nothing of the machine', async () => {
    await eventually('two pods', async () => (await pods()).length === 2, WAIT);
    for (const pod of await pods()) {
      const { serviceAccountName } = pod['spec'] as ChartPod['spec'];
      assert.equal(serviceAccountName, 'hawser-cloudcore');
    }
    const hub = await read('v1', 'configmaps', 'hawser-hub');
    assert.deepEqual(hub['data'], { advertise: '127.0.0.1', port: '10000' });
    const service = only([await read('v1', 'services', 'hawser-cloudcore')], 'Service');
    assert.equal((service['spec'] as { readonly type: string }).type, 'LoadBalancer');
    const definitions = await site.objects.list(RESOURCES.customresourcedefinitions);
    assert.equal(definitions.length, 4);
  });

  it('is alive while the API server does not answer, and ready when it has listed and listens', async () => {
    const [pod] = await pods();
    assert.ok(pod);
    const first = await startReplica(pod);
    await site.controlPlane.freeze();
    try {
      await eventually(
        'it is alive',
        async () => (await first.get('/livez').catch(() => undefined))?.status === 200,
        WAIT,
      );
      const { status, text } = await first.get('/readyz');
      assert.equal(status, 503);
      assert.match(text, /^not ready:\n(- .*\n)*- it does not listen for edges yet\n/);
    } finally {
      site.controlPlane.thaw();
    }
    await untilReady(first);
    assert.match((await first.get('/metrics')).text, /^hawser_cache_/m);
  });

  it('lets machines in by the authority that all replicas share', async () => {
    const [, pod] = await pods();
    assert.ok(pod);
    const second = await startReplica(pod);
    await untilReady(second);
    const { certificate, privateKey } = await site.authority();
    const authority = await TestAuthority.load(certificate, privateKey);
    const target = { host: '127.0.0.1', port: replica(0).port };
    balancer = await startTcpProxy({ link: site.link, target });
    cleanUp.push(() => balancer.stop());
    for (let index = 0; index < EDGES; index++) {
      const node = `edge-${index}`;
      edges.push(new RawEdge(node, await authority.edge(node), { host: '127.0.0.1', port: balancer.port }));
    }
    await Promise.all(edges.map((edge) => edge.session()));
    assert.equal(await sessionsOf(replica(0)), EDGES);
    assert.equal(await sessionsOf(second), 0);
  });

  it('shows as not ready before it stops, and hands its edges over one by one', async () => {
    const [first, second] = [replica(0), replica(1)];
    const ends = Promise.all(
      edges.map(async (edge) => ({ reason: await edge.end(), atMs: performance.now() })),
    );
    const toldMs = performance.now();
    const stopped = first.child.stop(30_000);
    await eventually('it is not ready', async () => (await first.get('/readyz')).status === 503, WAIT);
    assert.match((await first.get('/readyz')).text, /^not ready:\n- it is stopping\n$/);
    assert.equal(await sessionsOf(first), EDGES, 'it serves on');
    assert.equal((await first.get('/livez')).status, 200);
    // As a Service does for a pod that is not ready.
    balancer.target = { host: '127.0.0.1', port: second.port };

    const ended = (await ends).sort((a, b) => a.atMs - b.atMs);
    assert.deepEqual([...new Set(ended.map(({ reason }) => reason.code))], ['going-away']);
    const [earliest, latest] = [ended.at(0)?.atMs ?? 0, ended.at(-1)?.atMs ?? 0];
    assert.ok(earliest - toldMs >= 950, `the first one ended after ${earliest - toldMs} ms`);
    // The last of twelve is due after eleven twelfths of two seconds.
    assert.ok(latest - earliest >= 1_600, `all ended within ${latest - earliest} ms`);
    assert.deepEqual(await stopped, { code: 0, signal: null });
    await eventually('all are at the other one', async () => (await sessionsOf(second)) === EDGES, WAIT);
  });

  it('goes on with the token that is in its file, when the former one is over', async () => {
    const second = replica(1);
    const [, former] = await pods();
    assert.ok(former);
    // With its pod the token goes; the Deployment makes another pod.
    await site.client.request({
      method: 'DELETE',
      path: resourcePath(RESOURCES.pods, { namespace: SYSTEM, name: former.metadata.name ?? '' }),
      body: { gracePeriodSeconds: 0 },
    });
    const [edge] = edges;
    assert.ok(edge);
    const condition = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
    const report = { labels: {}, annotations: {}, taints: [], status: { conditions: [condition] } };
    await eventually(
      'the API server refuses the former token',
      async () => (await edge.upstream('node', report)).status !== 0,
      WAIT,
    );
    const known = new Set([former.metadata.uid]);
    const successor = (await pods()).find(({ metadata }) => !known.has(metadata.uid));
    assert.ok(successor);
    await second.environment.rotate(await tokenFor(successor));
    await eventually('it writes again', async () => (await edge.upstream('node', report)).status === 0, WAIT);
    assert.equal((await second.get('/readyz')).status, 200);
  });

  it('asked for nothing that its rights do not allow', async () => {
    const refused = (await site.requests()).filter(({ code }) => code === '403');
    assert.deepEqual(refused, []);
  });
});
