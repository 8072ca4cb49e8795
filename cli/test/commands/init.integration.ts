import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HAWSER_NAMESPACE } from '@hawser/cloudcore/admin';
import { ResourceClient, RESOURCES, type KubeObject } from '@hawser/kube';
import { parse } from 'yaml';
import { startTestCluster, type TestCluster } from '../cluster.ts';
import { hawser, json, type Run } from '../hawser.ts';

interface InitResult {
  readonly changed: boolean;
  readonly steps: readonly { readonly what: string; readonly result: string }[];
  readonly warnings: readonly string[];
  readonly join?: string;
}

describe('hawser init', function () {
  this.timeout(30_000);

  let cluster: TestCluster;
  let config: string;
  beforeEach(async () => {
    cluster = await startTestCluster();
    config = path.join(cluster.dir, 'etc', 'cloudcore.yaml');
  });
  afterEach(() => cluster.stop());

  function init(...args: string[]): Promise<Run> {
    return hawser(['init', '--kubeconfig', cluster.kubeconfig, '--config', config, ...args]);
  }

  async function everything(): Promise<readonly KubeObject[]> {
    const resources = [
      'secrets',
      'configmaps',
      'namespaces',
      'serviceaccounts',
      'customresourcedefinitions',
    ] as const;
    const lists = await Promise.all(
      resources.map((name) => new ResourceClient(cluster.client, RESOURCES[name]).list('')),
    );
    return lists.flatMap(({ items }) => items);
  }

  it('makes everything, and a second run changes nothing and says so', async () => {
    const first = await init(
      '--advertise',
      'hub.example.org',
      '--advertise',
      '192.0.2.7',
      '--output',
      'json',
    );
    assert.equal(first.code, 0, first.stderr);
    assert.equal(first.stderr, '');
    const { changed, steps, join } = json(first) as InitResult;
    assert.ok(changed);
    assert.deepEqual([...new Set(steps.map(({ result }) => result))], ['created']);
    assert.match(join ?? '', /^hawser join --cloud hub\.example\.org:10000 --token [0-9a-f]{64}\./);
    assert.deepEqual(parse(await readFile(config, 'utf8')), {
      kubeconfig: cluster.kubeconfig,
      advertise: ['hub.example.org', '192.0.2.7'],
    });
    const before = await everything();

    const second = await init('--advertise', 'hub.example.org', '--advertise', '192.0.2.7');
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /^Everything was there already: nothing was changed\./);
    assert.doesNotMatch(second.stderr, /: (made|changed)/);
    assert.deepEqual(await everything(), before);
  });

  it('makes a token whose pin is that of the authority', async () => {
    const { join = '' } = json(await init('--advertise', 'a', '--output', 'json')) as InitResult;
    const secrets = new ResourceClient(cluster.client, RESOURCES.secrets);
    const secret = await secrets.get(HAWSER_NAMESPACE, 'hawser-authority');
    const { 'tls.crt': certificate = '' } = secret['data'] as Record<string, string>;
    const pem = Buffer.from(certificate, 'base64').toString();
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    assert.ok(join.includes(` ${createHash('sha256').update(der).digest('hex')}.`));
  });

  it('changes nothing in a dry run', async () => {
    const before = await everything();
    const run = await init('--advertise', 'a', '--dry-run');
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /Nothing was changed/);
    assert.match(run.stderr, /ClusterRole hawser-cloudcore: would be made/);
    assert.deepEqual(await everything(), before);
    await assert.rejects(readFile(config), { code: 'ENOENT' });
  });

  it('mends what somebody has changed, and only that', async () => {
    await init('--advertise', 'a');
    const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: false } as const;
    const roles = new ResourceClient(cluster.client, {
      ...rbac,
      resource: 'clusterroles',
      kind: 'ClusterRole',
    });
    const role = await roles.get('', 'hawser-cloudcore');
    await roles.update({
      ...role,
      rules: [],
      metadata: { ...role.metadata, labels: { ...role.metadata.labels, mine: 'yes' } },
    });
    const { steps } = json(await init('--output', 'json')) as InitResult;
    const changed = steps.filter(({ result }) => result !== 'unchanged');
    assert.deepEqual(changed, [{ what: 'ClusterRole hawser-cloudcore', result: 'updated' }]);
    const mended = await roles.get('', 'hawser-cloudcore');
    assert.deepEqual(mended['rules'], role['rules']);
    assert.equal(mended.metadata.labels?.['mine'], 'yes');
  });

  it('writes values for the chart instead of a configuration', async () => {
    const values = path.join(cluster.dir, 'values.yaml');
    const without = await init('--chart-values', values);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /--chart-values needs --advertise/);

    const made = await init('--chart-values', values, '--advertise', 'hub.example.org');
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /helm install hawser .* --values \/.*values\.yaml/);
    assert.deepEqual(parse(await readFile(values, 'utf8')), {
      advertise: ['hub.example.org'],
      rbac: { create: false },
      mapperSchemas: { create: false },
      hubAddress: { create: false },
    });
    await assert.rejects(readFile(config), { code: 'ENOENT' });

    const again = await init('--chart-values', values); // what it was told is in the cluster
    assert.match(again.stdout, /nothing was changed/);
    const other = await init('--chart-values', values, '--advertise', 'other.example.org');
    assert.match(other.stderr, /values\.yaml is there and stays; its `advertise` lacks other\.example\.org/);
    assert.deepEqual(parse(await readFile(values, 'utf8')), {
      ...{ advertise: ['hub.example.org'], rbac: { create: false } },
      ...{ mapperSchemas: { create: false }, hubAddress: { create: false } },
    });
  });

  it('leaves definitions of another installation alone, and says so', async () => {
    const crds = new ResourceClient(cluster.client, RESOURCES.customresourcedefinitions);
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await crds.create({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'devices.devices.kubeedge.io' },
      spec: {
        group: 'devices.kubeedge.io',
        names: { kind: 'Device', plural: 'devices' },
        scope: 'Namespaced',
        versions: [{ name: 'v1alpha2', served: true, storage: true, schema }],
      },
    });
    const before = await crds.get('', 'devices.devices.kubeedge.io');
    const run = await init('--advertise', 'a');
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /! .*devices\.devices\.kubeedge\.io: kept as it is/);
    const { spec } = await crds.get('', 'devices.devices.kubeedge.io');
    assert.deepEqual(spec, before['spec']);
  });

  it('names the configuration by a path that holds from anywhere', async () => {
    const relative = path.relative(process.cwd(), config);
    const run = await hawser(['init', '--kubeconfig', cluster.kubeconfig, '--config', relative]);
    assert.equal(run.code, 0, run.stderr);
    assert.ok(run.stdout.includes(`hawser-cloudcore --config ${config}\n`), run.stdout);
    assert.ok(run.stderr.includes(`configuration ${config}: made`), run.stderr);
    assert.match(await readFile(config, 'utf8'), /advertise/);
  });

  it('keeps a configuration that is there, takes its port, and warns of what it lacks', async () => {
    await init('--advertise', 'a');
    await writeFile(config, 'listen: { websocketPort: 777 }\nadvertise: [a]\n');
    const { steps, warnings, join } = json(
      await init('--advertise', 'a', '--advertise', 'b', '--output', 'json'),
    ) as InitResult;
    assert.equal(steps.at(-1)?.result, 'kept');
    assert.match(warnings.join(), /lacks b/);
    assert.match(join ?? '', /--cloud a:777 /);
    assert.match(await readFile(config, 'utf8'), /websocketPort: 777/);
  });

  it('refuses a configuration that cloudcore would not take, before it changes the cluster', async () => {
    await init('--advertise', 'a');
    await writeFile(config, 'listen: { websocketPort: lots }\nnonsense: 1\n');
    const run = await init();
    assert.equal(run.code, 1);
    assert.match(run.stderr, /listen\.websocketPort.*nonsense.*ERR_CLOUDCORE_CONFIG/s);
    assert.match(run.stderr, /What to do: /);
  });

  it('says what the user may not do, before it does anything', async () => {
    await cluster.stop();
    cluster = await startTestCluster({
      authorizer: {
        authorize: ({ resource, verb }) => ({
          decision: resource === 'clusterroles' && verb === 'create' ? 'deny' : 'allow',
          reason: '',
        }),
      },
    });
    const run = await init('--advertise', 'a');
    assert.equal(run.code, 1);
    assert.match(run.stderr, /may not create clusterroles\.rbac\.authorization\.k8s\.io \(ERR_CLI_RIGHTS\)/);
    await assert.rejects(
      new ResourceClient(cluster.client, RESOURCES.namespaces).get('', HAWSER_NAMESPACE),
      /not found/,
    );
  });

  it('says that the API server does not answer', async () => {
    await cluster.fixture.server.stop();
    const run = await init('--advertise', 'a');
    assert.equal(run.code, 1);
    assert.match(run.stderr, /ERR_KUBE_CLIENT_CONNECTION/);
    assert.match(run.stderr, /What to do: See that the API server runs/);
    assert.doesNotMatch(run.stderr, /\n {4}at /);
  });

  it('says that there is no kubeconfig', async () => {
    const run = await hawser(['init', '--config', config]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /there is no kubeconfig/);
  });
});
