import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { seededRandom } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import {
  dropManagedFields,
  Informer,
  LabelSelector,
  objectInformer,
  reflectorMetrics,
  splitCacheKey,
  cacheKey,
  type InformerOptions,
  type KubeObject,
} from '../../src/index.ts';
import { object, page, ScriptedListerWatcher, type ScriptedStream } from './scripted-lister-watcher.ts';

describe('Informer', () => {
  let clock: FakeClock;
  let server: ScriptedListerWatcher;
  let stop: (() => Promise<void>)[];

  beforeEach(() => {
    clock = new FakeClock();
    server = new ScriptedListerWatcher();
    stop = [];
  });

  afterEach(async () => {
    for (const each of stop) await each();
    assert.equal(clock.pendingTimers, 0);
    assert.equal(server.open, 0);
  });

  const common = () => ({
    name: 'test',
    listerWatcher: server,
    clock,
    random: seededRandom(1),
    streamingLists: false,
  });

  function make(options: Partial<InformerOptions<KubeObject>> = {}): Informer {
    const informer = objectInformer({ ...common(), ...options });
    stop.push(() => informer.stop());
    return informer;
  }

  async function synced(informer: { start(): void }, ...objects: KubeObject[]): Promise<ScriptedStream> {
    informer.start();
    (await server.next(clock, 'list')).answer(page(10, objects));
    return (await server.next(clock, 'watch')).accept();
  }

  async function relist(stream: ScriptedStream, version: number, ...objects: KubeObject[]): Promise<void> {
    stream.push({
      type: 'ERROR',
      status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code: 410 },
    });
    (await server.next(clock, 'list')).answer(page(version, objects));
    (await server.next(clock, 'watch')).accept();
  }

  function log(informer: Informer): string[] {
    const lines: string[] = [];
    informer.addHandler((old, current) => {
      lines.push(
        `${(current ?? old)?.name}: ${old?.resourceVersion ?? '-'} → ${current?.resourceVersion ?? '-'}`,
      );
    });
    return lines;
  }

  it('tells handlers old and new, in order, with the cache already there', async () => {
    const informer = make();
    const lines = log(informer);
    informer.addHandler((old, current) => {
      const { key } = current ?? old ?? { key: '' };
      assert.equal(informer.lister.byKey(key), current);
    });
    const stream = await synced(informer, object('a', 1), object('b', 2));
    stream.push(
      { type: 'MODIFIED', object: object('a', 11) },
      { type: 'DELETED', object: object('b', 12) },
      { type: 'DELETED', object: object('never-seen', 13) },
      { type: 'ADDED', object: object('c', 14) },
    );
    await clock.advance(0);
    assert.deepEqual(lines, ['a: - → 1', 'b: - → 2', 'a: 1 → 11', 'b: 2 → -', 'c: - → 14']);
  });

  it('tells only the difference after a relist, a change of uid as one change', async () => {
    const informer = make();
    const lines = log(informer);
    const stream = await synced(
      informer,
      object('same', 1),
      object('changed', 2),
      object('gone', 3),
      object('reborn', 4),
    );
    lines.length = 0;
    let complete = true;
    const uids: (string | undefined)[] = [];
    informer.addHandler((old, current) => {
      if ((current ?? old)?.name === 'reborn') uids.push(old?.uid, current?.uid);
      complete &&= informer.lister.size === 4 && informer.lister.get('ns', 'new') !== undefined;
    });
    complete = true;
    uids.length = 0;
    const reborn = object('reborn', 24, { uid: 'another' });
    await relist(stream, 30, object('same', 1), object('changed', 22), object('new', 23), reborn);
    assert.deepEqual(lines, ['changed: 2 → 22', 'new: - → 23', 'reborn: 4 → 24', 'gone: 3 → -']);
    assert.deepEqual(uids, ['uid-reborn', 'another']);
    assert.equal(complete, true, 'no handler saw half of the new state');
  });

  it('tells a late handler of what is there, once', async () => {
    const informer = make();
    const stream = await synced(informer, object('a', 1));
    const lines = log(informer);
    assert.deepEqual(lines, ['a: - → 1'], 'before addHandler returns');
    let inner: string[] = [];
    const first = informer.addHandler((_old, current) => {
      // A handler that adds a handler in the middle of a change.
      if (current?.resourceVersion === '11') inner = log(informer);
    });
    assert.equal(first.hasSynced, true);
    stream.push({ type: 'MODIFIED', object: object('a', 11) });
    await clock.advance(0);
    assert.deepEqual(inner, ['a: - → 11'], 'not told twice of the change during which it came');
    stream.push({ type: 'MODIFIED', object: object('a', 12) });
    await clock.advance(0);
    assert.deepEqual(inner, ['a: - → 11', 'a: 11 → 12']);
  });

  it('does not call a removed handler, not even within the change that removed it', async () => {
    const informer = make();
    const calls: string[] = [];
    informer.addHandler(() => second.remove());
    const second = informer.addHandler(() => calls.push('second'));
    const stream = await synced(informer, object('a', 1));
    assert.deepEqual(calls, []);
    second.remove();
    stream.push({ type: 'MODIFIED', object: object('a', 11) });
    await clock.advance(0);
    assert.deepEqual(calls, []);
  });

  it('survives a handler that throws: reported, counted, and the others are called', async () => {
    const errors: string[] = [];
    const metrics = reflectorMetrics(new Registry());
    const informer = make({ metrics, onError: (error, phase) => errors.push(`${phase}: ${error.message}`) });
    informer.addHandler(() => {
      throw new Error('broken handler');
    });
    const lines = log(informer);
    const stream = await synced(informer, object('a', 1));
    stream.push({ type: 'MODIFIED', object: object('a', 11) });
    await clock.advance(0);
    assert.deepEqual(lines, ['a: - → 1', 'a: 1 → 11']);
    assert.deepEqual(errors, ['handler: broken handler', 'handler: broken handler']);
    const counted = (await metrics.errors.get()).values;
    assert.deepEqual(
      counted.map(({ labels, value }) => [labels.phase, value]),
      [['handler', 2]],
    );
  });

  it('keeps the last good form of an object that the transform fails on', async () => {
    const errors: string[] = [];
    const informer = new Informer<string>({
      ...common(),
      transform: ({ metadata }) => {
        if (metadata.labels?.['bad'] !== undefined) throw new Error(`cannot take ${metadata.name}`);
        return `${metadata.name} ${metadata.resourceVersion}`;
      },
      onError: (error, phase) => errors.push(`${phase}: ${error.message}`),
    });
    stop.push(() => informer.stop());
    const stream = await synced(informer, object('a', 1), object('b', 2, { labels: { bad: '' } }));
    stream.push({ type: 'MODIFIED', object: object('a', 11, { labels: { bad: '' } }) });
    await clock.advance(0);
    const values = (): string[] => informer.lister.list().map(({ value }) => value);
    assert.deepEqual(values(), ['a 1']);
    await relist(stream, 30, object('a', 21, { labels: { bad: '' } }), object('c', 22));
    assert.deepEqual(values(), ['a 1', 'c 22'], 'a relist does not drop it');
    assert.equal(errors.filter((text) => text.startsWith('transform: cannot take')).length, 3);
  });

  it('reduces objects to bytes, indexing them as they came', async () => {
    const informer = new Informer<Buffer>({
      ...common(),
      transform: (whole) => Buffer.from(JSON.stringify(whole['data'])),
      indexers: { byVersion: (whole) => [(whole['data'] as { version: string }).version] },
    });
    stop.push(() => informer.stop());
    await synced(informer, object('a', 7), object('b', 8));
    const [found, ...others] = informer.lister.byIndex('byVersion', '7');
    assert.equal(found?.value.toString(), '{"version":"7"}');
    assert.equal(others.length, 0);
  });

  it('drops managedFields and leaves the object that came alone', () => {
    const withFields = object('a', 1, { managedFields: [{}], labels: { x: 'y' } } as object);
    const before = structuredClone(withFields);
    const kept = dropManagedFields(withFields);
    assert.deepEqual(kept, object('a', 1, { labels: { x: 'y' } }));
    assert.deepEqual(withFields, before);
    assert.equal(dropManagedFields(kept), kept);
  });

  it('tells of everything again at each resync', async () => {
    const informer = make({ resyncMs: 60_000 });
    const stream = await synced(informer, object('a', 1), object('b', 2));
    const lines = log(informer);
    lines.length = 0;
    await clock.advance(59_000);
    assert.deepEqual(lines, []);
    await clock.advance(1000);
    assert.deepEqual(lines, ['a: 1 → 1', 'b: 2 → 2']);
    stream.push({ type: 'DELETED', object: object('b', 12) });
    await clock.advance(60_000);
    assert.deepEqual(lines.slice(2), ['b: 2 → -', 'a: 1 → 1']);
    await informer.stop();
    await clock.advance(600_000);
    assert.equal(lines.length, 4);
  });

  it('counts lists, watches, events and objects', async () => {
    const registry = new Registry();
    const informer = make({ metrics: reflectorMetrics(registry) });
    assert.equal(reflectorMetrics(registry), reflectorMetrics(registry));
    const stream = await synced(informer, object('a', 1), object('b', 2));
    stream.push({ type: 'DELETED', object: object('a', 11) }, { type: 'ADDED', object: object('c', 12) });
    await clock.advance(0);
    await relist(stream, 30, object('c', 12));
    const text = await registry.metrics();
    for (const line of [
      'hawser_reflector_lists_total{resource="test",how="paged"} 2',
      'hawser_reflector_watches_total{resource="test"} 2',
      'hawser_reflector_events_total{resource="test",type="DELETED"} 1',
      'hawser_reflector_relists_total{resource="test",cause="expired"} 1',
      'hawser_reflector_errors_total{resource="test",phase="watch"} 1',
      'hawser_reflector_objects{resource="test"} 1',
    ]) {
      assert.ok(text.includes(line), `${line} in\n${text}`);
    }
  });

  describe('lister', () => {
    it('looks up by name, namespace, selector and index, and follows changes', async () => {
      const informer = make({
        indexers: { tier: ({ metadata }) => (metadata.labels?.['tier'] ?? '').split('.') },
      });
      const named = (entries: readonly { name: string }[]): string[] =>
        entries.map(({ name }) => name).sort();
      const { lister } = informer;
      const stream = await synced(
        informer,
        object('a', 1, { labels: { tier: 'front', app: 'x' } }),
        object('b', 2, { labels: { tier: 'front.back' } }),
        object('c', 3, { namespace: 'other', labels: { app: 'x' } }),
      );
      assert.equal(lister.size, 3);
      assert.equal(lister.get('ns', 'a')?.value.metadata.name, 'a');
      assert.equal(lister.get('other', 'a'), undefined);
      assert.deepEqual(named(lister.list()), ['a', 'b', 'c']);
      assert.deepEqual(named(lister.list({ namespace: 'ns' })), ['a', 'b']);
      assert.deepEqual(named(lister.list({ selector: LabelSelector.parse('app=x') })), ['a', 'c']);
      assert.deepEqual(named(lister.list({ namespace: 'ns', selector: LabelSelector.parse('app!=x') })), [
        'b',
      ]);
      assert.deepEqual(named(lister.byIndex('tier', 'front')), ['a', 'b']);
      assert.deepEqual(named(lister.byIndex('tier', 'back')), ['b']);
      assert.throws(() => lister.byIndex('nosuch', 'x'), { code: 'ERR_KUBE_CLIENT_CONFIG' });

      stream.push(
        { type: 'MODIFIED', object: object('a', 11, { labels: { tier: 'back' } }) },
        { type: 'DELETED', object: object('b', 12) },
      );
      await clock.advance(0);
      assert.deepEqual(named(lister.byIndex('tier', 'front')), []);
      assert.deepEqual(named(lister.byIndex('tier', 'back')), ['a']);
      await relist(stream, 30, object('d', 25, { labels: { tier: 'front' } }));
      assert.deepEqual(named(lister.byIndex('tier', 'front')), ['d']);
      assert.deepEqual(named(lister.byIndex('tier', 'back')), []);
      assert.deepEqual(named(lister.list({ namespace: 'other' })), []);
    });

    it('takes more indexes before the start and none after', async () => {
      const informer = make({ indexers: { one: () => ['1'] } });
      informer.addIndexers({ two: () => ['2'] });
      assert.throws(() => informer.addIndexers({ one: () => [] }), { code: 'ERR_KUBE_CLIENT_CONFIG' });
      await synced(informer, object('a', 1));
      assert.equal(informer.lister.byIndex('two', '2').length, 1);
      assert.throws(() => informer.addIndexers({ three: () => [] }), { code: 'ERR_KUBE_CLIENT_CONFIG' });
    });
  });

  it('makes keys of namespace and name, and takes them apart', () => {
    assert.deepEqual(splitCacheKey(cacheKey('ns', 'a')), { namespace: 'ns', name: 'a' });
    assert.deepEqual(splitCacheKey(cacheKey('', 'node')), { namespace: '', name: 'node' });
    assert.equal(cacheKey(undefined, 'node'), 'node');
  });
});
