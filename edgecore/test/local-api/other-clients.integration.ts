import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import {
  DiscoveryV1Api,
  KubeConfig,
  makeInformer,
  type KubernetesListObject,
  type V1EndpointSlice,
} from '@kubernetes/client-node';
import { eventually, within } from '@hawser/seams/testing';
import { makePod } from '../../testing/pod-maker.ts';
import { LocalSite } from './local-site.ts';

const execute = promisify(execFile);
const GROUP = 'discovery.k8s.io';
const READ = ['get', 'list', 'watch'];

/** Other people's clients, unmodified, with and without a cloud. */
describe('clients of others at the local API', function () {
  this.timeout(40_000);
  let site: LocalSite;
  let token: string;
  let poor: string;
  let authority: string;

  beforeEach(async () => {
    site = new LocalSite();
    await site.start();
    const { cluster } = site;
    await put('web-1', '10.0.0.1');
    await cluster.put('services', {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 'web', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { type: 'ClusterIP', clusterIP: '10.96.0.9', ports: [{ port: 80, protocol: 'TCP' }] },
    });
    const till = { kind: 'Till', apiVersion: 'shop.example/v1' };
    await cluster.put('tills', { ...till, metadata: { name: 'one', namespace: 'default' } }, 'shop.example');
    await cluster.allow('app', [
      { apiGroups: [GROUP], resources: ['endpointslices'], verbs: READ },
      { apiGroups: ['shop.example'], resources: ['tills'], verbs: READ },
      { apiGroups: [''], resources: ['services', 'pods', 'configmaps'], verbs: READ },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: READ },
    ]);
    site.addPod(makePod('till-driver', { spec: { serviceAccountName: 'app' } }));
    token = await site.token();
    poor = await site.token({ account: 'poor' });
    authority = path.join(site.dir, 'local.crt');
    await writeFile(authority, site.authority);
  });

  afterEach(() => site.stop());

  async function put(name: string, address: string): Promise<void> {
    await site.cluster.put(
      'endpointslices',
      {
        kind: 'EndpointSlice',
        apiVersion: 'discovery.k8s.io/v1',
        metadata: { name, namespace: 'default' },
        addressType: 'IPv4',
        endpoints: [{ addresses: [address], conditions: { ready: true } }],
        ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      },
      GROUP,
    );
  }

  describe('kubectl', () => {
    let file: string;

    before(async function () {
      if (!(await isThere('kubectl'))) this.skip();
    });

    beforeEach(async () => {
      file = path.join(site.dir, 'kubeconfig');
      const of = (name: string, bearer: string): object[] => [{ name, user: { token: bearer } }];
      await writeFile(
        file,
        JSON.stringify({
          ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'app' },
          clusters: [{ name: 'c', cluster: { server: site.url, 'certificate-authority': authority } }],
          users: [...of('app', token), ...of('poor', poor), ...of('wrong', 'x.y.z')],
          contexts: ['app', 'poor', 'wrong'].map((name) => ({ name, context: { cluster: 'c', user: name } })),
        }),
      );
    });

    const kubectl = async (...args: string[]): Promise<string> => {
      const env = { ...process.env, KUBECONFIG: file, HOME: site.dir };
      try {
        return (await execute('kubectl', args, { env })).stdout;
      } catch (error) {
        const { stdout, stderr } = error as { stdout: string; stderr: string };
        return `failed: ${stdout}${stderr}`;
      }
    };

    it('reads what is here right after a start without a cloud', async () => {
      site.cloud.available = false;
      assert.match(
        await kubectl('get', 'services'),
        /^NAME +TYPE +CLUSTER-IP[^]*\nweb +ClusterIP +10\.96\.0\.9 /,
      );
      assert.match(await kubectl('get', 'tills.shop.example'), /^NAME +AGE\none /);
      const slices = await kubectl(
        'get',
        'endpointslices',
        '-o',
        'jsonpath={.items[*].endpoints[0].addresses[0]}',
      );
      assert.equal(slices, '10.0.0.1');
      const pods = await kubectl('get', 'pods', '--field-selector', 'spec.nodeName=edge-1', '-o', 'name');
      assert.equal(pods.trim(), 'pod/till-driver');
      assert.match(await kubectl('auth', 'can-i', 'list', 'services'), /^yes/);
      assert.match(await kubectl('auth', 'can-i', 'delete', 'services'), /^failed: no\n/);
      assert.match(
        await kubectl('--context', 'poor', 'get', 'services'),
        /Error from server \(Forbidden\): services is forbidden/,
      );
      assert.match(
        await kubectl('--context', 'wrong', 'get', 'services'),
        /You must be logged in|Unauthorized/,
      );
      assert.match(
        await kubectl('get', '--raw', '/apis/apps/v1/deployments'),
        /the API server cannot be reached from node edge-1/,
      );
    });

    it('sees the whole cluster while there is one, and what it was then told of later', async () => {
      await site.cluster.put(
        'deployments',
        {
          kind: 'Deployment',
          apiVersion: 'apps/v1',
          metadata: { name: 'web', namespace: 'default' },
          spec: {
            selector: { matchLabels: { a: 'b' } },
            template: { metadata: {}, spec: { containers: [] } },
          },
        },
        'apps',
      );
      assert.match(await kubectl('get', 'deployments'), /\nweb /);
      assert.ok(site.cloud.forwarded.includes('GET /apis/apps/v1/namespaces/default/deployments?limit=500'));
      site.cloud.available = false;
      assert.match(await kubectl('get', 'services'), /\nweb /);
      const refused = await kubectl('get', 'deployments');
      assert.match(refused, /Error from server \(ServiceUnavailable\): the API server cannot be reached/);
    });
  });

  it('informers of @kubernetes/client-node see each change once, whether there is a cloud or not', async () => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      {
        name: 'c',
        server: site.url,
        caData: Buffer.from(site.authority).toString('base64'),
        skipTLSVerify: false,
      },
      { name: 'u', token },
    );
    const api = config.makeApiClient(DiscoveryV1Api);
    let lists = 0;
    const list = async (): Promise<KubernetesListObject<V1EndpointSlice>> => {
      lists += 1;
      return await api.listNamespacedEndpointSlice({ namespace: 'default' });
    };
    const informer = makeInformer<V1EndpointSlice>(
      config,
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
      list,
    );
    const events: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const) {
      informer.on(verb, ({ metadata, endpoints }) => {
        events.push(`${verb} ${metadata?.name ?? ''} ${endpoints[0]?.addresses[0] ?? ''}`);
      });
    }
    await informer.start();
    try {
      await eventually('the first list', () => events.length === 1);
      for (const [round, available] of [true, false, true].entries()) {
        site.cloud.available = available;
        await put('web-2', `10.0.1.${round}`);
        await put('web-1', `10.0.2.${round}`);
        await site.cluster.remove('endpointslices', 'default', 'web-2', GROUP);
      }
      await eventually('all changes', () => events.length === 1 + 9, { deadlineMs: 10_000 });
      const expected = [0, 1, 2].flatMap((round) => [
        `add web-2 10.0.1.${round}`,
        `update web-1 10.0.2.${round}`,
        `delete web-2 10.0.1.${round}`,
      ]);
      assert.deepEqual(events, ['add web-1 10.0.0.1', ...expected]);
      assert.equal(lists, 1);
      assert.deepEqual(site.cloud.forwarded, []);
    } finally {
      await informer.stop();
    }
  });

  it('python3-kubernetes lists, watches and is refused as at an API server, without a cloud', async function () {
    if (!(await hasPythonClient())) this.skip();
    site.cloud.available = false;
    const script = path.join(import.meta.dirname, '../../../test/local-api/python-client.py');
    const child = spawn('/usr/bin/python3', [script, site.url, authority, token, poor], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    const reader = createInterface(child.stdout);
    reader.on('line', (line) => lines.push(line));
    const ended = once(reader, 'close');
    await eventually('its lists', () => lines.length > 0, { deadlineMs: 20_000 });
    await put('web-2', '10.0.1.1');
    await put('web-1', '10.0.1.2');
    await site.cluster.remove('endpointslices', 'default', 'web-2', GROUP);
    await within('its end', ended, 20_000);
    assert.deepEqual(JSON.parse(lines[1] ?? '{}'), {
      services: ['web'],
      slices: { 'web-1': ['10.0.0.1'] },
      pods: ['till-driver'],
      seen: [
        ['ADDED', 'web-2'],
        ['MODIFIED', 'web-1'],
        ['DELETED', 'web-2'],
      ],
      poor: [403, 'Forbidden'],
      wrong: [401, 'Unauthorized'],
      far: [503, 'ServiceUnavailable'],
    });
  });
});

async function isThere(program: string): Promise<boolean> {
  for (const dir of (process.env['PATH'] ?? '').split(':')) {
    const found = await access(path.join(dir, program)).then(
      () => true,
      () => false, // whatever the reason, it cannot be run
    );
    if (found) return true;
  }
  return false;
}

async function hasPythonClient(): Promise<boolean> {
  return await execute('/usr/bin/python3', ['-c', 'import kubernetes']).then(
    () => true,
    () => false, // whatever the reason, it cannot be used
  );
}
