import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { HAWSER_NAMESPACE } from '@hawser/cloudcore/admin';
import { ResourceClient, RESOURCES, type ApiResource, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { parse, parseAllDocuments } from 'yaml';
import { applyObject, describeObject } from '../src/cloud/apply.ts';
import { readManifests } from '../src/cloud/manifests.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';

const execute = promisify(execFile);
const DEVICES_GROUP = { group: 'devices.kubeedge.io', version: 'v1beta1', namespaced: true } as const;
const POOLS_GROUP = {
  group: 'apps.openyurt.io',
  resource: 'nodepools',
  kind: 'NodePool',
  namespaced: false,
} as const;
const RESOURCE_OF: Readonly<Record<string, ApiResource>> = {
  Device: { ...DEVICES_GROUP, resource: 'devices', kind: 'Device' },
  DeviceModel: { ...DEVICES_GROUP, resource: 'devicemodels', kind: 'DeviceModel' },
  DeviceStatus: { ...DEVICES_GROUP, resource: 'devicestatuses', kind: 'DeviceStatus' },
  NodePool: { ...POOLS_GROUP, version: 'v1beta2' },
};
const STRICT = { query: { fieldValidation: 'Strict' } } as const;

function nameOf({ metadata }: KubeObject): string {
  return metadata.name ?? '';
}

async function allManifests(): Promise<readonly KubeObject[]> {
  const folders = ['crds', 'rbac', 'mapper-schemas'] as const;
  return (await Promise.all(folders.map(readManifests))).flat();
}

describe('the manifests', function () {
  this.timeout(30_000);

  let cluster: TestCluster;
  before(async function () {
    cluster = await startTestCluster();
    const { client } = cluster;
    const options = { dryRun: false, signal: new AbortController().signal };
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HAWSER_NAMESPACE } };
    for (const object of [namespace, ...(await allManifests())]) {
      assert.equal(await applyObject(client, object, options), 'created', describeObject(object));
    }
    const crds = new ResourceClient(client, RESOURCES.customresourcedefinitions);
    await eventually('all definitions are established', async () => {
      return (await crds.list('')).items.every(({ status }) => {
        const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
        return conditions.some(
          (condition) => condition.type === 'Established' && condition.status === 'True',
        );
      });
    });
  });
  after(() => cluster.stop());

  function resource(kind: string): ResourceClient {
    const known = RESOURCE_OF[kind];
    assert.ok(known, kind);
    return new ResourceClient(cluster.client, known);
  }

  it('are applied a second time without a change', async () => {
    const options = { dryRun: false, signal: new AbortController().signal };
    for (const object of await allManifests()) {
      assert.equal(await applyObject(cluster.client, object, options), 'unchanged', describeObject(object));
    }
  });

  it('have the schemas of our mappers as their drivers have them', async () => {
    // From `cli/dist/test`: what writes the manifests, which is no package.
    const script = new URL('../../../scripts/docs/mapper-schemas.js', import.meta.url).href;
    const { mapperSchemaPages } = (await import(script)) as {
      mapperSchemaPages: () => Promise<Readonly<Record<string, () => string>>>;
    };
    const made = Object.values(await mapperSchemaPages()).map((make) => parse(make()) as KubeObject);
    const byName = (a: KubeObject, b: KubeObject): number => (nameOf(a) < nameOf(b) ? -1 : 1);
    const present = [...(await readManifests('mapper-schemas'))].sort(byName);
    assert.deepEqual(present, made.sort(byName), 'run `npm run docs`, and commit the result');
    assert.ok(present.length >= 2);
    for (const configMap of present) {
      const data = configMap['data'] as Readonly<Record<string, string>>;
      assert.deepEqual(Object.keys(data), ['protocol.json', 'visitor.json']);
      for (const text of Object.values(data)) assert.equal(typeof JSON.parse(text), 'object');
    }
  });

  it('take objects as KubeEdge and OpenYurt have them, with every field', async () => {
    for (const object of await fixtures('valid.yaml')) {
      const made = await resource(object.kind).create(object, STRICT);
      assert.deepEqual(made['spec'], object['spec'], describeObject(object));
    }
  });

  it('take the status apart, and drop nothing of it', async () => {
    for (const object of await fixtures('status.yaml')) {
      const client = resource(object.kind);
      const { namespace = '', name = '' } = object.metadata;
      const present = await client.get(namespace, name);
      await client.update({ ...present, status: object['status'] }, { subresource: 'status', ...STRICT });
      assert.deepEqual(
        (await client.get(namespace, name))['status'],
        object['status'],
        describeObject(object),
      );
      // Who writes the object does not write its status.
      await client.update({ ...(await client.get(namespace, name)), status: {} });
      assert.deepEqual(
        (await client.get(namespace, name))['status'],
        object['status'],
        describeObject(object),
      );
    }
  });

  it('refuse what is wrong, naming the field', async () => {
    for (const object of await fixtures('invalid.yaml')) {
      const { annotations = {} } = object.metadata;
      const problem = annotations['problem'];
      assert.ok(problem, describeObject(object));
      await assert.rejects(
        resource(object.kind).create(object, STRICT),
        (error: Error) =>
          error.message.includes(problem) || assert.fail(`${problem} is not in: ${error.message}`),
        describeObject(object),
      );
    }
  });

  it('serve a NodePool by its older version too, without loss', async () => {
    const older = new ResourceClient(cluster.client, { ...POOLS_GROUP, version: 'v1beta1' });
    const newer = resource('NodePool');
    const before = await newer.get('', 'shops');
    const read = await older.get('', 'shops');
    assert.equal(read.apiVersion, 'apps.openyurt.io/v1beta1');
    await older.update({ ...read, metadata: { ...read.metadata, labels: { seen: 'yes' } } });
    assert.deepEqual((await newer.get('', 'shops'))['spec'], before['spec']);
  });

  it('are shown by kubectl with their columns', async function () {
    const run = async (...args: string[]): Promise<string> => {
      const { stdout } = await execute('kubectl', ['--kubeconfig', cluster.kubeconfig, ...args]);
      return stdout;
    };
    try {
      await run('version', '--client');
    } catch {
      this.skip(); // no kubectl on this machine
    }
    const crds = new URL('../../manifests/crds', import.meta.url).pathname;
    assert.doesNotMatch(await run('apply', '-f', crds), /created/);
    assert.match(
      await run('get', 'devices', '-n', 'default'),
      /NAME +MODEL +NODE +PROTOCOL +STATE +VALID +AGE\nboiler +boiler-model +edge-1 +modbus +online/,
    );
    assert.match(await run('get', 'devicemodels', '-n', 'default'), /boiler-model +modbus/);
    assert.match(await run('get', 'devicestatuses', '-n', 'default'), /boiler +online/);
    assert.match(
      await run('get', 'np'),
      /NAME +TYPE +READYNODES +NOTREADYNODES +LEADERNODES +AGE\nshops +Edge +2 +1 +1/,
    );
  });
});

/** Objects in a file beside this test's sources. */
async function fixtures(name: string): Promise<KubeObject[]> {
  const text = await readFile(new URL(`../../test/fixtures/${name}`, import.meta.url), 'utf8');
  return [...parseAllDocuments(text)].map((document) => document.toJS() as KubeObject);
}
