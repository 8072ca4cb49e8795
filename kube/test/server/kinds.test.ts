import assert from 'node:assert/strict';
import { builtInResources } from '../../src/server/builtin/index.ts';
import { wireFields } from '../../src/server/body/wire-reader.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { meta, names, send } from './http.ts';

const POD = { containers: [{ name: 'a', image: 'b' }] };
const TEMPLATE = { metadata: { labels: { a: 'b' } }, spec: POD };
const SELECTOR = { matchLabels: { a: 'b' } };

/** The least that a valid object of a kind needs beside its name. */
const MINIMAL: Readonly<Record<string, object>> = {
  Pod: { spec: POD },
  PodTemplate: { template: TEMPLATE },
  Service: { spec: { ports: [{ port: 80 }] } },
  Event: { involvedObject: { namespace: 'default' }, type: 'Normal' },
  Deployment: { spec: { selector: SELECTOR, template: TEMPLATE } },
  ReplicaSet: { spec: { selector: SELECTOR, template: TEMPLATE } },
  DaemonSet: { spec: { selector: SELECTOR, template: TEMPLATE } },
  StatefulSet: { spec: { selector: SELECTOR, template: TEMPLATE, serviceName: 's' } },
  Job: { spec: { template: { spec: { ...POD, restartPolicy: 'Never' } } } },
  CronJob: {
    spec: {
      schedule: '* * * * *',
      jobTemplate: { spec: { template: { spec: { ...POD, restartPolicy: 'Never' } } } },
    },
  },
  RoleBinding: { roleRef: { kind: 'Role', name: 'r' } },
  ClusterRoleBinding: { roleRef: { kind: 'ClusterRole', name: 'r' } },
  CertificateSigningRequest: {
    spec: {
      request: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64'),
      signerName: 'a.b/c',
      usages: ['client auth'],
    },
  },
  CustomResourceDefinition: {
    metadata: { name: 'things.ex.io' },
    spec: {
      group: 'ex.io',
      scope: 'Cluster',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
      ],
    },
  },
};

const NEW_EVENT = {
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'x/y',
  reportingInstance: 'z',
  action: 'A',
  reason: 'R',
  type: 'Normal',
  regarding: { namespace: 'default' },
};

describe('server: every built-in kind', () => {
  let fixture: KubeFixture;

  before(async () => {
    fixture = await startKubeFixture();
  });
  after(() => fixture.stop());

  for (const definition of builtInResources()) {
    const { group, version, kind, resource, namespaced, action, verbs } = definition;
    if (action !== undefined) continue;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const path = namespaced ? `${root}/namespaces/default/${resource}` : `${root}/${resource}`;

    it(`${group === '' ? 'core' : group}/${version} ${kind}: create, get, list, update without change, table, delete`, async () => {
      const least = group === 'events.k8s.io' ? NEW_EVENT : (MINIMAL[kind] ?? {});
      const body = { metadata: { name: 'one' }, ...least };
      const { name } = body.metadata;
      const created = await send(fixture.url, 'POST', path, { body });
      assert.equal(created.status, 201, created.text);
      assert.deepEqual(created.warnings, []);
      const { kind: shownKind, apiVersion } = created.body;
      assert.deepEqual([shownKind, apiVersion], [kind, group === '' ? version : `${group}/${version}`]);
      const got = await send(fixture.url, 'GET', `${path}/${name}`);
      assert.equal(got.status, 200);
      assert.equal(meta(got.body)['uid'], meta(created.body)['uid']);
      const same = await send(fixture.url, 'PUT', `${path}/${name}`, { body: got.body });
      assert.equal(same.status, 200, same.text);
      assert.deepEqual(same.body, got.body);
      const list = await send(fixture.url, 'GET', path);
      assert.ok(names(list.body).includes(name));
      assert.equal(list.body['kind'], `${kind}List`);
      const table = await send(fixture.url, 'GET', path, {
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      });
      const { rows, columnDefinitions } = table.body as {
        rows: { cells: unknown[] }[];
        columnDefinitions: unknown[];
      };
      assert.ok(rows.every(({ cells }) => cells.length === columnDefinitions.length));
      assert.ok(rows.every(({ cells }) => cells.every((cell) => cell !== undefined)));
      if (!verbs.includes('delete')) return;
      const deleted = await send(fixture.url, 'DELETE', `${path}/${name}`);
      assert.equal(deleted.status, 200, deleted.text);
    });
  }

  it('describes each of them in OpenAPI v3, as far as kubectl looks', async () => {
    const { body } = await send(fixture.url, 'GET', '/openapi/v3');
    const paths = body['paths'] as Record<string, { serverRelativeURL: string }>;
    assert.ok(paths['api/v1'] !== undefined && paths['apis/apps/v1'] !== undefined);
    for (const [path, { serverRelativeURL }] of Object.entries(paths)) {
      const document = await send(fixture.url, 'GET', serverRelativeURL);
      assert.equal(document.status, 200, path);
      const { schemas } = document.body['components'] as { schemas: Record<string, object> };
      const references = document.text.matchAll(/"#\/components\/schemas\/([^"]+)"/g);
      for (const [, name = ''] of references) assert.ok(schemas[name] !== undefined, `${path}: ${name}`);
      const etag = document.headers.etag ?? '';
      const again = await send(fixture.url, 'GET', serverRelativeURL, { headers: { 'if-none-match': etag } });
      assert.equal(again.status, 304);
    }
  });

  it('says in OpenAPI v2 that patches of each can be dry runs, in protobuf', async () => {
    const reply = await new Promise<Buffer>((resolve, reject) => {
      fetch(`${fixture.url}/openapi/v2`)
        .then((response) => response.arrayBuffer())
        .then((bytes) => resolve(Buffer.from(bytes)), reject);
    });
    const document = [...wireFields(reply)];
    assert.equal(document.find(({ number }) => number === 1)?.bytes.toString(), '2.0');
    const paths = [...wireFields(document.find(({ number }) => number === 8)?.bytes ?? Buffer.alloc(0))];
    const pods = paths.find(({ bytes }) => bytes.includes('/api/v1/namespaces/{namespace}/pods/{name}'));
    assert.ok(pods !== undefined);
    assert.ok(pods.bytes.includes('dryRun'));
    assert.ok(pods.bytes.includes('fieldValidation'));
    assert.ok(pods.bytes.includes('kind: Pod'));
  });
});
