import assert from 'node:assert/strict';
import { systemClock } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { allowAllAuthorizer, builtInResources, KubeServer, Registry } from '@hawser/kube';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { PoolModel, SERVICES, SLICES } from './pool-model.ts';

const PATH = '/apis/discovery.k8s.io/v1/endpointslices';

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly [field: string]: unknown;
  }[];
}

interface Line {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name?: string; readonly resourceVersion: string } };
}

describe('local store: as kube’s server shows it', () => {
  let model: PoolModel;
  let store: LocalStore;
  let server: KubeServer;

  beforeEach(async () => {
    model = new PoolModel(SLICES, SERVICES);
    store = new LocalStore({ pool: model, clock: systemClock });
    store.start();
    const registry = new Registry();
    registry.add(builtInResources());
    server = new KubeServer({
      ...{ store, registry },
      clock: systemClock,
      authorizer: allowAllAuthorizer,
      limits: { bookmarkMs: 50 },
    });
    await server.start();
    for (let n = 0; n < 5; n += 1) {
      const labels = { 'kubernetes.io/service-name': n % 2 === 0 ? 'even' : 'odd' };
      const endpoints = [{ addresses: [`10.0.0.${n}`], conditions: { ready: true } }];
      model.put(SLICES, 'shop', `s${n}`, { addressType: 'IPv4', metadata: { labels }, endpoints, ports: [] });
    }
    await model.commitAll();
  });

  afterEach(async () => {
    await server.stop();
    await store.close();
  });

  const get = async <T>(query: string, accept = 'application/json'): Promise<T> => {
    const answer = await fetch(`${server.url}${PATH}${query}`, { headers: { accept } });
    return (await answer.json()) as T;
  };

  it('lists, selects, and goes on page by page over changes', async () => {
    const all = await get<List>('');
    assert.equal(all.metadata.resourceVersion, '5');
    assert.deepEqual(all.items[0], {
      metadata: {
        labels: { 'kubernetes.io/service-name': 'even' },
        name: 's0',
        namespace: 'shop',
        resourceVersion: '1',
        uid: 'uid-s0',
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.0'], conditions: { ready: true } }],
      ports: [],
    });
    const odd = await get<List>('?labelSelector=kubernetes.io/service-name%3Dodd');
    assert.deepEqual(
      odd.items.map(({ metadata }) => metadata.name),
      ['s1', 's3'],
    );
    const first = await get<List>('?limit=2');
    model.remove(SLICES, 'shop', 's2');
    model.put(SLICES, 'shop', 's9', { addressType: 'IPv4' });
    await model.commit(SLICES);
    const second = await get<List>(`?limit=5&continue=${first.metadata.continue}`);
    assert.deepEqual(
      second.items.map(({ metadata }) => metadata.name),
      ['s2', 's3', 's4'],
    );
    assert.equal(second.metadata.resourceVersion, '5');
    const table = await get<{ rows: unknown[] }>('', 'application/json;as=Table;v=v1;g=meta.k8s.io');
    assert.equal(table.rows.length, 5);
  });

  it('watches from a version of its own, with bookmarks of it, and says 410 when the resource goes', async () => {
    const answer = await fetch(
      `${server.url}${PATH}?watch=1&resourceVersion=5&allowWatchBookmarks=true&labelSelector=kubernetes.io/service-name%3Dodd`,
    );
    const lines: Line[] = [];
    const reading = (async () => {
      let rest = '';
      for await (const chunk of answer.body ?? []) {
        rest += Buffer.from(chunk).toString();
        const parts = rest.split('\n');
        rest = parts.pop() ?? '';
        lines.push(...parts.map((line) => JSON.parse(line) as Line));
      }
    })();
    const odd = { labels: { 'kubernetes.io/service-name': 'odd' } };
    model.put(SLICES, 'shop', 's6', { addressType: 'IPv4', metadata: odd }); // 6
    model.put(SLICES, 'shop', 's1', { addressType: 'IPv4' }); // 7
    model.put(SERVICES, 'shop', 'svc'); // 8
    model.put(SERVICES, 'shop', 'svc2'); // 9
    await model.commit(SERVICES);
    await model.commit(SLICES, 8);
    await eventually('a bookmark', () => lines.some(({ type }) => type === 'BOOKMARK'));
    assert.deepEqual(
      lines.map(
        ({ type, object: { metadata } }) => `${type} ${metadata.name ?? ''} ${metadata.resourceVersion}`,
      ),
      ['ADDED s6 6', 'DELETED s1 7', 'BOOKMARK  8'],
    );
    model.shared.delete('endpointslices.discovery.k8s.io');
    model.tell();
    await reading;
    const last = lines.at(-1) as unknown as { type: string; object: { code: number; reason: string } };
    assert.deepEqual([last.type, last.object.code, last.object.reason], ['ERROR', 410, 'Expired']);
    const gone = await fetch(`${server.url}${PATH}`);
    assert.equal(gone.status, 503);
    assert.equal(((await gone.json()) as { reason: string }).reason, 'ServiceUnavailable');
  });
});
