import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { resourcePath, RESOURCES, type KubeObject } from '@hawser/kube';
import { TestAuthority } from '@hawser/proto/testing';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { edgeConfigFor, isReady, type SeenPod } from '../../src/pods-site/pods-site.ts';
import { RawEdge } from '../spine/raw-edge.ts';
import { only, podOf } from './chart-objects.ts';
import { chartDir, helm, needHelm, objectsIn, renderChart, ROOT } from './helm.ts';

const SYSTEM = 'hawser-system';
const NODE = 'edge-1';
const NAME = 'cloudcore-of-the-chart';
const VALUES = [
  '--set',
  'advertise={hub.example.org}',
  '--set',
  'drain.notReadySeconds=1,drain.sessionsSeconds=1,quic.enabled=true,webTransport.enabled=true',
];
const WAIT = { deadlineMs: 60_000, intervalMs: 50 };

// QUIC and WebTransport are on: a hub whose native code or libraries do not load would not be ready.
// The image that `npm run image` makes, in a real containerd, as the pod of the chart: with its account, its rights, its
// probes and its security context. The node that runs it is one of ours; what it asks of a node any other has too.
describe("cloudcore's image", function () {
  this.timeout(120_000);

  let dir: TempDir;
  let containerd: ContainerdSite;
  let cluster: ClusterSite;
  let edge: RawEdge;
  /** Last first. */
  const cleanUp: (() => Promise<void>)[] = [];

  before(async function () {
    needHelm(this);
    const available = await ContainerdSite.availability();
    if (!available.ok) {
      console.log(`    skipped: ${available.reason}`);
      this.skip();
    }
    dir = await makeTempDir('hwimg-');
    cleanUp.push(() => dir.remove());
    const archive = path.join(dir.path, 'cloudcore.tar');
    const script = path.join(ROOT, 'scripts/image.js');
    await promisify(execFile)(process.execPath, [script, '--fast', '--out', archive]);
    containerd = await ContainerdSite.open({ archives: [archive] });
    cleanUp.push(() => containerd.close());
    // The address of this machine in the network of its pods.
    const gateway = containerd.subnet.replace(/\.0\/24$/, '.1');
    cluster = await ClusterSite.open({ controlPlane: { host: '0.0.0.0', hosts: [gateway] } });
    cleanUp.push(() => cluster.close());
    const where = ['--namespace', SYSTEM, '--kubeconfig', cluster.kubeconfig];
    await helm(['install', 'hawser', chartDir, ...where, ...VALUES], {
      ...{ HELM_CACHE_HOME: dir.path, HELM_CONFIG_HOME: dir.path, HELM_DATA_HOME: dir.path },
    });
    await cluster.edge(NODE, { config: edgeConfigFor(containerd) });
    await create(await podAt(gateway));
  });
  after(async () => {
    for (const undo of cleanUp.reverse()) await undo();
  });

  /** The pod of the Deployment, bound to our node, and told where the API server is, as every kubelet tells it. */
  async function podAt(gateway: string): Promise<KubeObject> {
    const { metadata, spec } = podOf(objectsIn(await renderChart(VALUES)));
    const [container] = spec.containers;
    const { port } = new URL((cluster.controlPlane.ready as { readonly url: string }).url);
    const given = (container as unknown as { readonly env: readonly object[] }).env;
    const env = [
      ...given,
      { name: 'KUBERNETES_SERVICE_HOST', value: gateway },
      { name: 'KUBERNETES_SERVICE_PORT', value: port },
    ];
    const { affinity, ...rest } = spec as typeof spec & { readonly affinity: object };
    assert.ok(affinity, 'it keeps hubs away from nodes like this one');
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...{ name: NAME, namespace: SYSTEM, labels: metadata.labels },
        annotations: { 'hawser.dev/api-server': 'cluster' },
      },
      spec: { ...rest, nodeName: NODE, containers: [{ ...container, env }] },
    };
  }

  async function create(body: KubeObject): Promise<void> {
    await cluster.client.request({
      method: 'POST',
      path: resourcePath(RESOURCES.pods, { namespace: SYSTEM }),
      body,
    });
  }

  async function pod(): Promise<SeenPod> {
    return (await cluster.objects.get(RESOURCES.pods, NAME, SYSTEM)) as SeenPod;
  }

  /** What a path of the operations of the hub in the pod answers. */
  async function get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`http://${(await pod()).status?.podIP ?? ''}:10002${path}`);
    return { status: response.status, text: await response.text() };
  }

  it('becomes ready by the probes of the chart, with the account of its pod', async () => {
    let seen: SeenPod | undefined;
    try {
      await eventually('it is ready', async () => isReady((seen = await pod())), WAIT);
    } catch (error) {
      const logs = await promisify(execFile)('sh', [
        '-c',
        `tail -n 20 ${containerd.dir}/logs/*/*/*.log`,
      ]).catch(String);
      throw new Error(`${JSON.stringify(seen?.status)} ${JSON.stringify(logs)}`, { cause: error });
    }
    const [container] = seen?.status?.containerStatuses ?? [];
    assert.equal(container?.restartCount, 0);
    assert.deepEqual(await get('/readyz'), { status: 200, text: 'ok\n' });
    assert.match((await get('/metrics')).text, /^hawser_cache_/m);
  });

  it('runs as nobody, with no capability, behind seccomp, on files that it cannot change', async () => {
    const id = (await pod()).status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? '';
    const tasks = await containerd.ctr(['tasks', 'list']);
    const pid = new RegExp(`^${id}\\s+(\\d+)`, 'm').exec(tasks)?.[1];
    assert.ok(pid, tasks);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
    assert.match(field('Uid'), /^65532\s/);
    assert.match(field('Gid'), /^65532\s/);
    assert.equal(field('CapEff'), '0000000000000000');
    assert.equal(field('CapBnd'), '0000000000000000');
    assert.equal(field('NoNewPrivs'), '1');
    assert.equal(field('Seccomp'), '2');
    const mounts = await readFile(`/proc/${pid}/mountinfo`, 'utf8');
    assert.match(mounts, /^\d+ \d+ \S+ \S+ \/ ro[, ]/m);
    assert.match(mounts, / \/etc\/hawser ro[, ]/);
  });

  it('lets an edge in at the address of its pod, which is in its certificate', async () => {
    const { certificate, privateKey } = await cluster.authority();
    const authority = await TestAuthority.load(certificate, privateKey);
    const host = (await pod()).status?.podIP ?? '';
    edge = new RawEdge('guest', await authority.edge('guest'), { host, port: 10_000 });
    cleanUp.push(() => edge.stop());
    await edge.session();
    const condition = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
    const report = { labels: {}, annotations: {}, taints: [], status: { conditions: [condition] } };
    assert.equal((await edge.upstream('node', report)).status, 0);
  });

  it('sends its edges away when the pod is deleted, within the time that the chart gives it', async () => {
    const grace = (await pod()).spec['terminationGracePeriodSeconds'];
    assert.equal(grace, 22);
    const startedMs = performance.now();
    await cluster.client.request({
      method: 'DELETE',
      path: resourcePath(RESOURCES.pods, { namespace: SYSTEM, name: NAME }),
      body: {},
    });
    await eventually('it shows as not ready', async () => (await get('/readyz')).status === 503, WAIT);
    assert.equal((await edge.end()).code, 'going-away');
    const isGone = async (): Promise<boolean> =>
      (await cluster.objects.list(RESOURCES.pods)).every(({ metadata }) => metadata.name !== NAME);
    await eventually('the pod is gone', isGone, WAIT);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < 15_000, `it took ${tookMs} ms: it was killed`);
  });

  it('is made of the same files by the Containerfile, for the same user', async () => {
    const text = await readFile(path.join(ROOT, 'packaging/Containerfile'), 'utf8');
    const { ENTRYPOINT, USER } = (await import(
      new URL('scripts/image/root-fs.js', `file://${ROOT}/`).href
    )) as {
      readonly ENTRYPOINT: readonly string[];
      readonly USER: number;
    };
    assert.ok(text.includes(`ENTRYPOINT ${JSON.stringify(ENTRYPOINT).replaceAll(',', ', ')}`));
    assert.ok(text.includes(`USER ${USER}:${USER}`));
    assert.match(text, /scripts\/image\.js --tree \/image/);
    const deployment = only(objectsIn(await renderChart(VALUES)), 'Deployment');
    assert.ok(JSON.stringify(deployment).includes(`"runAsUser":${USER}`));
  });
});
