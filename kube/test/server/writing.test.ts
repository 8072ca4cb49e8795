import assert from 'node:assert/strict';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { meta, names, send, type Reply } from './http.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const MERGE = { 'content-type': 'application/merge-patch+json' };

const STORES = ['memory', 'SQLite'] as const;

for (const kind of STORES) describe(`server: writes, ${kind} store`, () => describeWrites(kind));

function describeWrites(kind: (typeof STORES)[number]): void {
  let fixture: KubeFixture;
  let dir: TempDir;

  beforeEach(async () => {
    dir = await makeTempDir();
    const store =
      kind === 'memory' ? new MemoryStore() : await SqliteStore.open({ path: `${dir.path}/store.db` });
    fixture = await startKubeFixture({ store });
  });
  afterEach(async () => {
    await fixture.stop();
    await dir.remove();
  });

  const post = (path: string, body: object): Promise<Reply> => send(fixture.url, 'POST', path, { body });
  const patch = (path: string, body: object): Promise<Reply> =>
    send(fixture.url, 'PATCH', path, { body, headers: MERGE });

  it('loses none of many patches of one object at the same time', async () => {
    await post(MAPS, { metadata: { name: 'a' } });
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) => patch(`${MAPS}/a`, { data: { [`k${index}`]: 'v' } })),
    );
    assert.ok(replies.every(({ status }) => status === 200));
    const { body } = await send(fixture.url, 'GET', `${MAPS}/a`);
    assert.equal(Object.keys(body['data'] as object).length, 50);
  });

  it('lets one of many conditional updates win', async () => {
    const { body } = await post(MAPS, { metadata: { name: 'a' } });
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        send(fixture.url, 'PUT', `${MAPS}/a`, { body: { ...body, data: { winner: String(index) } } }),
      ),
    );
    const codes = replies.map(({ status }) => status).sort();
    assert.deepEqual(codes, [200, ...Array<number>(19).fill(409)]);
  });

  it('creates one of many of the same name, and generates names that are all different', async () => {
    const same = await Promise.all(Array.from({ length: 10 }, () => post(MAPS, { metadata: { name: 'a' } })));
    assert.deepEqual(same.map(({ status }) => status).sort(), [201, ...Array<number>(9).fill(409)]);
    const generated = await Promise.all(
      Array.from({ length: 100 }, () => post(MAPS, { metadata: { generateName: 'g-' } })),
    );
    assert.ok(generated.every(({ status }) => status === 201));
    assert.equal(new Set(generated.map(({ body }) => meta(body)['name'])).size, 100);
  });

  it('gives each service an address and each node port once', async () => {
    const services = '/api/v1/namespaces/default/services';
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        post(services, {
          metadata: { name: `s${index}` },
          spec: { type: 'NodePort', ports: [{ port: 80 }] },
        }),
      ),
    );
    assert.ok(replies.every(({ status }) => status === 201));
    const specs = replies.map(
      ({ body }) => body['spec'] as { clusterIP: string; ports: { nodePort: number }[] },
    );
    assert.equal(new Set(specs.map(({ clusterIP }) => clusterIP)).size, 50);
    assert.equal(new Set(specs.map(({ ports }) => ports[0]?.nodePort)).size, 50);
    const [first] = specs;
    const taken = await post(services, {
      metadata: { name: 'again' },
      spec: { clusterIP: first?.clusterIP, ports: [{ port: 80 }] },
    });
    assert.equal(taken.status, 422);
    await send(fixture.url, 'DELETE', `${services}/s0`);
    const reused = await post(services, {
      metadata: { name: 'again' },
      spec: { clusterIP: first?.clusterIP, ports: [{ port: 80 }] },
    });
    assert.equal(reused.status, 201);
  });

  it('leaves nothing behind after dry runs', async () => {
    await post(MAPS, { metadata: { name: 'kept' }, data: { a: '1' } });
    const before = fixture.store.resourceVersion;
    for (const [method, path, body] of [
      ['POST', `${MAPS}?dryRun=All`, { metadata: { name: 'x' } }],
      ['PUT', `${MAPS}/kept?dryRun=All`, { metadata: { name: 'kept' }, data: { a: '2' } }],
      ['DELETE', `${MAPS}/kept?dryRun=All`, undefined],
      ['DELETE', `${MAPS}?dryRun=All`, undefined],
    ] as const) {
      const reply = await send(fixture.url, method, path, body === undefined ? {} : { body });
      assert.ok(reply.status < 300, `${method}: ${reply.text}`);
    }
    assert.equal(fixture.store.resourceVersion, before);
  });

  it('keeps an object with finalizers until the last is gone, and creates nothing over it', async () => {
    await post(MAPS, { metadata: { name: 'a', finalizers: ['ex.io/one', 'ex.io/two'] } });
    const deleted = await send(fixture.url, 'DELETE', `${MAPS}/a`);
    assert.equal(deleted.status, 200);
    assert.notEqual(meta(deleted.body)['deletionTimestamp'], undefined);
    assert.equal((await post(MAPS, { metadata: { name: 'a' } })).status, 409);
    assert.equal((await patch(`${MAPS}/a`, { metadata: { finalizers: ['ex.io/two'] } })).status, 200);
    assert.equal((await send(fixture.url, 'GET', `${MAPS}/a`)).status, 200);
    assert.equal((await patch(`${MAPS}/a`, { metadata: { finalizers: null } })).status, 200);
    assert.equal((await send(fixture.url, 'GET', `${MAPS}/a`)).status, 404);
  });

  it('deletes what a selector selects, page by page as well', async () => {
    for (let index = 0; index < 5; index += 1) {
      await post(MAPS, { metadata: { name: `c${index}`, labels: { del: index % 2 === 0 ? 'yes' : 'no' } } });
    }
    const reply = await send(fixture.url, 'DELETE', `${MAPS}?labelSelector=del%3Dyes`);
    assert.deepEqual(names(reply.body), ['c0', 'c2', 'c4']);
    assert.deepEqual(names((await send(fixture.url, 'GET', MAPS)).body), ['c1', 'c3']);
  });

  it('pages through all namespaces in a consistent order', async () => {
    for (const namespace of ['default', 'kube-system']) {
      for (let index = 0; index < 7; index += 1) {
        await post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: `p${index}` } });
      }
    }
    const seen: string[] = [];
    let token = '';
    let version: unknown;
    do {
      const query = `limit=4${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
      const { body } = await send(fixture.url, 'GET', `/api/v1/configmaps?${query}`);
      version ??= meta(body)['resourceVersion'];
      assert.equal(meta(body)['resourceVersion'], version);
      const items = body['items'] as { metadata: { name: string; namespace: string } }[];
      for (const { metadata } of items) seen.push(`${metadata.namespace}/${metadata.name}`);
      token = (meta(body)['continue'] as string | undefined) ?? '';
      // Neither what is created nor what is deleted in between changes the pages.
      await post('/api/v1/namespaces/default/configmaps', { metadata: { name: `new${seen.length}` } });
      await send(fixture.url, 'DELETE', '/api/v1/namespaces/kube-system/configmaps/p6');
    } while (token !== '');
    assert.equal(seen.length, 14);
    assert.deepEqual(seen, [...seen].sort());
  });

  it('compresses large answers for those who take it', async () => {
    await post(MAPS, { metadata: { name: 'big' }, data: { a: 'x'.repeat(300_000) } });
    const plain = await send(fixture.url, 'GET', `${MAPS}/big`);
    assert.equal(plain.headers['content-encoding'], undefined);
    const packed = await send(fixture.url, 'GET', `${MAPS}/big`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.ok(Number(packed.headers['content-length']) < 10_000);
    const refused = await send(fixture.url, 'GET', `${MAPS}/big`, {
      headers: { 'accept-encoding': 'gzip;q=0' },
    });
    assert.equal(refused.headers['content-encoding'], undefined);
  });

  it('answers HEAD like GET without a body, and ?pretty with lines', async () => {
    await post(MAPS, { metadata: { name: 'a' } });
    const head = await send(fixture.url, 'HEAD', `${MAPS}/a`);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    const pretty = await send(fixture.url, 'GET', `${MAPS}/a?pretty=true`);
    assert.ok(pretty.text.includes('\n  "metadata": {'));
  });
}
