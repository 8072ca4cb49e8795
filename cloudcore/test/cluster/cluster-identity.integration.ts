import assert from 'node:assert/strict';
import {
  HttpApiClient,
  ResourceClient,
  RESOURCES,
  StatusError,
  type ApiCall,
  type ApiClient,
  type ApiStream,
  type ApiStreamCall,
  type KubeObject,
} from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { eventually, within } from '@hawser/seams/testing';
import { ClusterIdentity, type ClusterLife } from '../../src/cluster/cluster-identity.ts';
import { acceptCluster } from '../../src/cluster/cluster-record.ts';
import { HAWSER_NAMESPACE, OBJECTS } from '../../src/cluster/names.ts';

/** The way to an API server that may be another one later, and may take no writes. */
class MovedClient implements ApiClient {
  refusesWrites = false;
  #inner: ApiClient;

  constructor(inner: ApiClient) {
    this.#inner = inner;
  }

  get server(): ApiClient['server'] {
    return this.#inner.server;
  }

  /** Watches go on, and hear nothing more: nothing is said to those who are ahead. */
  moveTo(other: ApiClient): void {
    this.#inner = other;
  }

  request(call: ApiCall): Promise<unknown> {
    if (call.method === 'GET' || !this.refusesWrites) return this.#inner.request(call);
    return Promise.reject(
      new StatusError({
        ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' },
        ...{ code: 403, reason: 'Forbidden', message: 'no writes for now' },
      }),
    );
  }

  stream(call: ApiStreamCall): Promise<ApiStream> {
    return this.#inner.stream(call);
  }

  close(): void {
    this.#inner.close();
  }
}

function configMap(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: {} };
}

describe('ClusterIdentity', function () {
  let fixture: KubeFixture;
  let client: HttpApiClient;
  let running: ClusterIdentity[];

  beforeEach(async function () {
    fixture = await startKubeFixture();
    client = new HttpApiClient({ server: fixture.url });
    running = [];
  });

  afterEach(async function () {
    await Promise.all(running.map((identity) => identity.stop()));
    client.close();
    await fixture.stop();
  });

  function start(api: ApiClient = client): ClusterIdentity {
    const identity = new ClusterIdentity({ client: api, random: { next: () => 0.01 } });
    running.push(identity);
    identity.start();
    return identity;
  }

  const known = (identity: ClusterIdentity): Promise<ClusterLife> =>
    within('known', identity.waitUntilKnown());
  const configMaps = (): ResourceClient => new ResourceClient(client, RESOURCES.configmaps);
  const record = (): Promise<KubeObject> => configMaps().get(HAWSER_NAMESPACE, OBJECTS.cluster);

  it('is the UID of kube-system, and an incarnation that the first hub makes', async function () {
    const replicas = await Promise.all([known(start()), known(start()), known(start())]);
    const namespace = await new ResourceClient(client, RESOURCES.namespaces).get('', 'kube-system');
    const { data } = (await record()) as KubeObject & { data: Record<string, string> };
    for (const life of replicas) {
      assert.deepEqual(life, { uid: namespace.metadata.uid, incarnation: data['incarnation'], follows: [] });
    }
    assert.match(data['incarnation'] ?? '', /^[0-9a-f-]{36}$/);
  });

  it('is what it was after a restart of the hub', async function () {
    const first = start();
    const before = await known(first);
    await first.stop();
    assert.deepEqual(await known(start()), before);
  });

  it('is not known while kube-system is missing', async function () {
    await new ResourceClient(client, RESOURCES.namespaces).delete('', 'kube-system').catch(() => {});
    const entry = fixture.store.get({
      group: '',
      resource: 'namespaces',
      namespace: '',
      name: 'kube-system',
    });
    if (entry !== undefined) await fixture.store.delete(entry.key, entry.resourceVersion);
    const identity = start();
    await eventually('the record', () =>
      record().then(
        () => true,
        () => false,
      ),
    );
    assert.equal(identity.current, undefined);
    await new ResourceClient(client, RESOURCES.namespaces).create({
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: { name: 'kube-system' },
    });
    assert.notEqual((await known(identity)).uid, '');
  });

  it('begins a new incarnation once, however many replicas ask for it', async function () {
    const [one, two] = [start(), start()];
    const before = await known(one);
    await known(two);
    const changes: ClusterLife[] = [];
    two.onChange((life) => changes.push(life));
    const lives = await Promise.all([one.renew('test'), two.renew('test'), one.renew('test')]);
    await eventually('all agree', () => one.current?.incarnation === two.current?.incarnation);
    const after = one.current?.incarnation;
    assert.notEqual(after, before.incarnation);
    assert.deepEqual(new Set(lives.map(({ incarnation }) => incarnation)), new Set([after]));
    const { data } = (await record()) as KubeObject & { data: Record<string, string> };
    assert.deepEqual([data['previous'], data['reason']], [before.incarnation, 'test']);
    assert.deepEqual(
      changes.map(({ incarnation }) => incarnation),
      [after],
    );
  });

  it('tells which incarnations the present one follows, once an operator has accepted it', async function () {
    const identity = start();
    const first = await known(identity);
    const second = await identity.renew('one');
    const third = await identity.renew('two');
    assert.deepEqual(third.follows, []);
    const accepted = await acceptCluster({ client });
    assert.ok(accepted.accepted);
    await eventually('accepted', () => identity.current?.follows.length === 2);
    assert.deepEqual(identity.current?.follows, [second.incarnation, first.incarnation]);
    // The next one is not accepted by that.
    assert.deepEqual((await identity.renew('three')).follows, []);
  });

  it('makes a lost record again as it was', async function () {
    const identity = start();
    const before = await known(identity);
    for (let round = 0; round < 2; round += 1) {
      await configMaps().delete(HAWSER_NAMESPACE, OBJECTS.cluster);
      await eventually('the record is there', () =>
        record().then(
          () => true,
          () => false,
        ),
      );
      assert.deepEqual(identity.current, before);
    }
    await configMaps().update({ ...(await record()), data: { incarnation: 'not a name!' } });
    await eventually('the record says it again', async () => {
      const { data } = (await record()) as KubeObject & { data: Record<string, string> };
      return data['incarnation'] === before.incarnation;
    });
  });

  it('begins another one where the record is restored to a life that was over, and remembers them all', async function () {
    const [one, two] = [start(), start()];
    const first = await known(one);
    await known(two);
    const old = await record();
    const second = await one.renew('one');
    await eventually('known to both', () => two.current?.incarnation === second.incarnation);
    const lives: string[] = [];
    two.onChange(({ incarnation }) => lives.push(incarnation));
    await configMaps().update({ ...(await record()), data: old['data'] });
    await eventually('begun', () => two.current?.incarnation !== second.incarnation);
    await eventually('agreed', () => one.current?.incarnation === two.current?.incarnation);
    assert.deepEqual(lives, [one.current?.incarnation], 'once, and never the one that was over');
    assert.notEqual(lives[0], first.incarnation);
    const { data } = (await record()) as KubeObject & { data: Record<string, string> };
    assert.match(data['reason'] ?? '', new RegExp(`went back to incarnation ${first.incarnation}`));
    await acceptCluster({ client });
    await eventually('accepted', () => (one.current?.follows.length ?? 0) > 0);
    assert.deepEqual(one.current?.follows, [second.incarnation, first.incarnation]);
  });

  it('takes what was written in the new life, however low its version', async function () {
    const server = new MovedClient(client);
    const identity = start(server);
    await known(identity);
    // Much happens, and the record is changed after it: the backup that is restored has none of this.
    for (let round = 0; round < 30; round += 1) await configMaps().create(configMap(`more-${round}`));
    const before = await identity.renew('one');
    const restored = await startKubeFixture({ namespaces: ['kube-system', HAWSER_NAMESPACE] });
    const other = new HttpApiClient({ server: restored.url });
    try {
      await new ResourceClient(other, RESOURCES.configmaps).create({
        ...configMap(OBJECTS.cluster),
        metadata: { name: OBJECTS.cluster, namespace: HAWSER_NAMESPACE },
        data: { incarnation: before.incarnation },
      });
      server.moveTo(other);
      const renewed = await within('renewed', identity.renew('two'));
      assert.notEqual(renewed.incarnation, before.incarnation);
      assert.equal(identity.current?.incarnation, renewed.incarnation);
      const there = await new ResourceClient(other, RESOURCES.configmaps).get(
        HAWSER_NAMESPACE,
        OBJECTS.cluster,
      );
      assert.equal((there['data'] as Record<string, string>)['incarnation'], renewed.incarnation);
      await identity.stop();
    } finally {
      other.close();
      await restored.stop();
    }
  });

  it('goes on trying to begin a new one, and begins but one', async function () {
    const server = new MovedClient(client);
    const identity = start(server);
    const before = await known(identity);
    const lives: ClusterLife[] = [];
    identity.onChange((life, former) => {
      assert.equal(former.incarnation, before.incarnation);
      lives.push(life);
    });
    server.refusesWrites = true;
    await assert.rejects(identity.renew('one'), { message: /no writes/ });
    await assert.rejects(identity.renew('two'), { message: /no writes/ });
    assert.equal(identity.current?.incarnation, before.incarnation);
    server.refusesWrites = false;
    await eventually('begun', () => lives.length > 0);
    const { data } = (await record()) as KubeObject & { data: Record<string, string> };
    assert.equal(data['reason'], 'one');
    assert.deepEqual(
      lives.map(({ incarnation }) => incarnation),
      [data['incarnation']],
    );
  });

  it('refuses to accept what is not there, and to renew what is not known', async function () {
    await assert.rejects(acceptCluster({ client }), { code: 'ERR_CLOUDCORE_CLUSTER' });
    const identity = new ClusterIdentity({ client });
    running.push(identity);
    await assert.rejects(identity.renew('too early'), { code: 'ERR_CLOUDCORE_CLUSTER' });
    const waiting = identity.waitUntilKnown();
    await identity.stop();
    await assert.rejects(waiting, { code: 'ERR_CLOUDCORE_CLOSED' });
  });
});
