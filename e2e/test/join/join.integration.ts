import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  checkConfig,
  DEVICE_MODELS,
  DEVICES,
  readConfigFile,
  startCloudCore,
  type CloudCore,
} from '@hawser/cloudcore';
import { startControlPlane, type ControlPlane } from '@hawser/controlplane';
import { loadConfig, startEdgeCore, type EdgeCore } from '@hawser/edgecore';
import { HttpApiClient, ResourceClient, RESOURCES, staticCredentials, type KubeObject } from '@hawser/kube';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { hawserCommand, type Run } from '../../src/processes/user-command.ts';
import { grantedRights, isUseOf } from './granted-rights.ts';
import { RecordedClient } from './recorded-calls.ts';

/** This test is about the join: nothing is to run. */
const NO_PODS = { 'pods.runtime': 'null', 'pool.listen': '127.0.0.1:0', 'localApi.port': '0' };
const NODE = 'shop-17';

/** Rights that this run has no occasion for, and what the occasion would be. */
const RARE: Readonly<Record<string, string>> = {
  'create secrets': 'the authority was lost',
  'delete secrets': 'a join token has expired',
  'update configmaps': 'a node renews its certificate, or the API server has gone back to an older state',
  'get events': 'the same event comes a second time',
  'patch events': 'the same event comes a second time, with a higher count',
  'get leases': 'two hubs write the Lease of a pool at the same time',
  'get devices': 'the watch of devices lags, or others wrote the status of one',
  'patch devices': 'a desired value was set at the edge',
  'patch devices/status': 'a mapper says something of a device',
  'get devicestatuses': 'the same, for the first time in a session',
  'create devicestatuses': 'the same, for the first time',
  'patch devicestatuses/status': 'the same',
  'patch devicestatuses': 'a device of the name of a former one',
};
/** A list comes with the watch where the API server can stream it; where it cannot, it is asked for. KEP-3157. */
const STREAMED = 'list ';

const { pods: PODS, configmaps, secrets, persistentvolumes, persistentvolumeclaims } = RESOURCES;
const MADE = [PODS, configmaps, secrets, persistentvolumes, persistentvolumeclaims, DEVICES, DEVICE_MODELS];

describe('from an empty cluster to a node, and back', function () {
  this.timeout(90_000);

  let dir: TempDir;
  let plane: ControlPlane;
  let client: RecordedClient | undefined;
  let cloud: CloudCore | undefined;
  let edge: EdgeCore | undefined;
  let kubeconfig: string;

  before(async () => {
    dir = await makeTempDir('hwj-');
    plane = await startControlPlane();
    kubeconfig = path.join(dir.path, 'admin.conf');
    await writeFile(kubeconfig, plane.kubeconfig);
    await chmod(kubeconfig, 0o600);
  });
  after(async () => {
    await edge?.stop();
    await cloud?.stop();
    client?.close();
    await plane.stop();
    await dir.remove();
  });

  /** Runs the command as a user does. */
  function hawser(...args: string[]): Promise<Run> {
    return hawserCommand({ HOME: dir.path, KUBECONFIG: kubeconfig }).run(args);
  }

  /** The same at the edge, where its files are. */
  function atEdge(...args: string[]): Promise<Run> {
    return hawser(...args, '--config-dir', dir.path);
  }

  async function succeed(run: Promise<Run>): Promise<string> {
    const { code, stdout, stderr } = await run;
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    return stdout;
  }

  /** A client with the rights of cloudcore's service account, and no others. */
  async function cloudcoreClient(): Promise<RecordedClient> {
    const accounts = new ResourceClient(plane.client, RESOURCES.serviceaccounts);
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { namespace: 'hawser-system', name: 'hawser-cloudcore' },
      spec: { expirationSeconds: 3600 },
    };
    const answer = await accounts.create(request, { subresource: 'token' });
    const { token } = answer['status'] as { readonly token: string };
    const credentials = staticCredentials({ token, tls: { ca: plane.ca } });
    return new RecordedClient(new HttpApiClient({ server: plane.url, credentials }));
  }

  const pods = (): ResourceClient => new ResourceClient(plane.client, RESOURCES.pods);

  async function phase(name: string): Promise<string | undefined> {
    return ((await pods().get('default', name))['status'] as { readonly phase?: string }).phase;
  }

  it('goes the whole way by what the command prints', async () => {
    const config = path.join(dir.path, 'cloudcore.yaml');
    const printed = await succeed(hawser('init', '--advertise', '127.0.0.1', '--config', config));
    assert.match(printed, /hawser join --cloud 127\.0\.0\.1:10000 --token \S+/);
    assert.match(await succeed(hawser('init', '--config', config)), /nothing was changed/);

    // The hub, with the rights that init gave it; on free ports, for this is a test.
    client = await cloudcoreClient();
    const written = checkConfig(await readConfigFile(config), config);
    const listen = { ...written.listen, host: '127.0.0.1', websocketPort: 0 };
    const operations = { ...written.operations, port: 0 };
    cloud = await startCloudCore({ config: { ...written, listen, operations }, client });
    const address = `127.0.0.1:${cloud.websocketPort}`;

    const command = await succeed(hawser('token', 'create', '--node', NODE, '--cloud', address));
    const [program, ...args] = command.trim().split(' ');
    assert.equal(program, 'hawser');
    const places = ['--data-dir', path.join(dir.path, 'data'), '--socket', path.join(dir.path, 's')];
    const before = await atEdge('status', ...places);
    assert.deepEqual([before.code, /Joined: +no/.test(before.stdout)], [3, true]);
    const tried = await succeed(atEdge(...args, ...places, '--labels', 'zone=north', '--dry-run'));
    assert.match(tried, /dry run/);
    const joined = await succeed(atEdge(...args, ...places, '--labels', 'zone=north'));
    assert.match(joined, /is the node shop-17 now/);
    assert.ok(joined.includes(`edgecore --config ${path.join(dir.path, 'edgecore.yaml')}\n`), joined);
    assert.ok(joined.includes(`hawser status --config-dir ${dir.path}\n`), joined);
    assert.match(await succeed(atEdge(...args)), /already: nothing was changed/);
    const other = await atEdge(...args.map((arg) => (arg === NODE ? 'shop-18' : arg)));
    assert.equal(other.code, 1);
    assert.match(other.stderr, /✗ joined: this machine is the node shop-17 of this cluster/);

    edge = await startEdgeCore({ config: await loadConfig(path.join(dir.path, 'edgecore.yaml'), NO_PODS) });
    const running = edge;
    const isThere = (): boolean => running.status().scopes.every(({ synced }) => synced);
    await eventually('the node has everything', isThere, { deadlineMs: 30_000 });
    const status = await succeed(atEdge('status'));
    assert.match(status, /^shop-17 {2}● healthy/);
    assert.match(await succeed(hawser('node', 'list')), /^shop-17 +Ready /m);
    const node = await new ResourceClient(plane.client, RESOURCES.nodes).get('', NODE);
    assert.equal(node.metadata.labels?.['zone'], 'north');
    const versions = await succeed(atEdge('version', '--kubeconfig', kubeconfig));
    for (const part of [/hawser: /, /edgecore: /, /hub: /, /Kubernetes: +v1\./]) assert.match(versions, part);
  });

  it('runs a pod there, and takes it away', async () => {
    for (const object of podWithAll()) await make(object);
    await eventually('the pod runs', async () => (await phase('web')) === 'Running', { deadlineMs: 20_000 });
    const shown = await succeed(atEdge('objects'));
    for (const key of [
      'pods/default/web',
      'configmaps/default/settings',
      'secrets/default/password',
      'persistentvolumes//disk',
    ]) {
      assert.ok(shown.includes(key), key);
    }
    const secret = await succeed(atEdge('objects', 'secrets/default/password'));
    assert.ok(!secret.includes('aHVzaA=='), 'values of secrets are not shown');
    await succeed(atEdge('reconnect'));
    // What edges report of their nodes may change at any time.
    const file = path.join(dir.path, 'edgecore.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('zone: north', 'zone: south\n  maxPods: 7'));
    await edge?.stop();
    edge = await startEdgeCore({ config: await loadConfig(file, NO_PODS) });
    const nodes = new ResourceClient(plane.client, RESOURCES.nodes);
    await eventually(
      'labels and capacity have changed',
      async () => {
        const { metadata, status } = await nodes.get('', NODE);
        const { capacity } = status as { readonly capacity: Readonly<Record<string, string>> };
        return metadata.labels?.['zone'] === 'south' && capacity['pods'] === '7';
      },
      { deadlineMs: 20_000 },
    );
    await failToMount('ghost');
    for (const name of ['web', 'ghost']) await pods().delete('default', name, { gracePeriodSeconds: 1 });
    await eventually('the pods are gone', async () => (await pods().list('default')).items.length === 0, {
      deadlineMs: 20_000,
      intervalMs: 50,
    });
  });

  it('leads a pool, and has all that is shared in it', async () => {
    const resource = { group: 'apps.openyurt.io', version: 'v1beta2', resource: 'nodepools' };
    const nodePools = new ResourceClient(plane.client, { ...resource, kind: 'NodePool', namespaced: false });
    const object = { apiVersion: 'apps.openyurt.io/v1beta2', kind: 'NodePool', metadata: { name: 'shops' } };
    await nodePools.create({ ...object, spec: { type: 'Edge' } });
    const labels = { 'apps.openyurt.io/nodepool': 'shops' };
    await new ResourceClient(plane.client, RESOURCES.nodes).patch('', NODE, 'merge', {
      metadata: { labels },
    });
    const isReady = async (): Promise<boolean> => {
      const { conditions = [] } = ((await nodePools.get('', 'shops'))['status'] ?? {}) as {
        readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      };
      return conditions.some(({ type, status }) => type === 'LeaderReady' && status === 'True');
    };
    await eventually('its NodePool says so', isReady, { deadlineMs: 30_000, intervalMs: 100 });
    assert.match(await succeed(hawser('node', 'list')), /^shop-17 +Ready /m);
  });

  it('is asked for its pods by the API server, through the hub', async () => {
    const path = `/api/v1/nodes/${NODE}/proxy/pods`;
    await eventually(
      'the node answers',
      async () =>
        ((await plane.client.request({ method: 'GET', path })) as { kind?: string }).kind === 'PodList',
      { deadlineMs: 20_000 },
    );
  });

  /** A pod whose service account goes before it is bound: the edge has to say that there is no token for it. */
  async function failToMount(name: string): Promise<void> {
    const accounts = new ResourceClient(plane.client, RESOURCES.serviceaccounts);
    await accounts.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: 'default' },
    });
    await pods().create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: {
        serviceAccountName: name,
        nodeSelector: { zone: 'nowhere' },
        containers: [{ name: 'main', image: 'registry.test/web:1' }],
      },
    });
    await accounts.delete('default', name);
    const target = { apiVersion: 'v1', kind: 'Node', name: NODE };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace: 'default' }, target };
    await pods().create(binding, { subresource: 'binding' });
    const events = new ResourceClient(plane.client, RESOURCES.events);
    const isTold = async (): Promise<boolean> =>
      (await events.list('default')).items.some(({ reason }) => reason === 'FailedMount');
    await eventually('the edge has said so', isTold, { deadlineMs: 20_000, intervalMs: 50 });
  }

  it('is shut out, and leaves', async () => {
    assert.match(await succeed(hawser('node', 'revoke', NODE, '--yes')), /is revoked/);
    const isRefused = async (): Promise<boolean> => {
      const { code, stdout } = await atEdge('status');
      return code === 3 && stdout.includes('ERR_TUNNEL_CERT_REVOKED');
    };
    await eventually('hawser status says that it is revoked', isRefused, {
      deadlineMs: 20_000,
      intervalMs: 200,
    });
    assert.match(await succeed(hawser('node', 'list')), /^shop-17 +revoked /m);
    const early = await atEdge('reset', '--yes');
    assert.equal(early.code, 1);
    assert.match(early.stderr, /ERR_CLI_RUNNING/);
    await edge?.stop();
    edge = undefined;
    const left = await succeed(atEdge('reset', '--yes'));
    assert.match(left, /This machine is no node any more.*kubectl delete node shop-17/s);
    assert.match((await atEdge('status')).stdout, /Joined: +no/);
  });

  it('gives cloudcore the rights that it uses, and no others', async () => {
    assert.ok(client);
    const { used, forbidden } = client;
    assert.deepEqual(forbidden, []);
    const granted = await grantedRights(plane.client, 'hawser-cloudcore', [
      'hawser-system',
      'kube-node-lease',
    ]);
    const idle = granted
      .filter((right) => !used.some((use) => isUseOf(use, right)))
      .map(({ verb, resource }) => `${verb} ${resource}`)
      .filter((right) => !Object.hasOwn(RARE, right) && !right.startsWith(STREAMED));
    assert.deepEqual(idle, []);
    for (const { verb, resource, group, namespace, name } of used) {
      const use = { verb, resource, group, namespace, name };
      assert.ok(
        granted.some((right) => isUseOf(use, right)),
        JSON.stringify(use),
      );
    }
  });

  async function make(object: KubeObject): Promise<void> {
    const resource = MADE.find(({ kind }) => kind === object.kind);
    assert.ok(resource, object.kind);
    await new ResourceClient(plane.client, resource).create(object);
  }
});

/** A pod and a device at the node, and what they name. */
function podWithAll(): KubeObject[] {
  const metadata = (name: string): KubeObject['metadata'] => ({ name, namespace: 'default' });
  const accessModes = ['ReadWriteOnce'];
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('settings'), data: { colour: 'red' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: metadata('password'), data: { word: 'aHVzaA==' } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: metadata('disk'),
      spec: {
        accessModes,
        storageClassName: '',
        volumeName: 'disk',
        resources: { requests: { storage: '1Mi' } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'disk' },
      spec: { accessModes, capacity: { storage: '1Mi' }, hostPath: { path: '/srv' } },
    },
    {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'DeviceModel',
      metadata: metadata('boiler-model'),
      spec: { protocol: 'modbus' },
    },
    {
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'Device',
      metadata: metadata('boiler'),
      spec: { nodeName: NODE, deviceModelRef: { name: 'boiler-model' } },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: metadata('web'),
      spec: {
        nodeName: NODE,
        containers: [{ name: 'main', image: 'registry.test/web:1' }],
        volumes: [
          { name: 'settings', configMap: { name: 'settings' } },
          { name: 'password', secret: { secretName: 'password' } },
          { name: 'disk', persistentVolumeClaim: { claimName: 'disk' } },
        ],
      },
    },
  ];
}
