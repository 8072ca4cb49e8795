import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { seededRandom } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { Reflector, reflectorMetrics, type KubeObject } from '../../src/index.ts';
import { bookmark, object, page, refusal, ScriptedListerWatcher } from './scripted-lister-watcher.ts';

describe('Reflector.relist', () => {
  let clock: FakeClock;
  let server: ScriptedListerWatcher;
  /** What the sink was told, in order. */
  let told: string[];
  let registry: Registry;
  let errors: string[];
  let onReplace: () => void;
  let reflector: Reflector<KubeObject>;

  function create(streamingLists: boolean): void {
    clock = new FakeClock();
    server = new ScriptedListerWatcher();
    registry = new Registry();
    [told, errors, onReplace] = [[], [], (): void => {}];
    const name = ({ metadata }: KubeObject): string => `${metadata.name}@${metadata.resourceVersion}`;
    reflector = new Reflector<KubeObject>({
      ...{ name: 'configmaps', listerWatcher: server, clock, streamingLists, random: seededRandom(1) },
      sink: {
        prepare: (one) => one,
        replace: (entries, version) => {
          told.push(`${version}: ${[...entries].map(name).join(' ')}`);
          onReplace();
        },
        put: (one) => told.push(`+${name(one)}`),
        remove: (one) => told.push(`-${name(one)}`),
      },
      onError: (error) => errors.push(error.message),
      metrics: reflectorMetrics(registry),
    });
  }

  beforeEach(() => create(false));

  afterEach(async () => {
    await reflector.stop();
    assert.equal(server.open, 0, 'calls or streams left open');
    assert.equal(clock.pendingTimers, 0, 'timers left');
    assert.deepEqual(errors, []);
  });

  async function causes(): Promise<string> {
    return (await registry.getSingleMetricAsString('hawser_reflector_relists_total')).replaceAll(
      /^#.*$\n?/gm,
      '',
    );
  }

  it('ends the watch, whose events count no more, and lists the newest, though it is older', async () => {
    reflector.start();
    (await server.next(clock, 'list')).answer(page(1000, [object('a', 900)]));
    const stream = (await server.next(clock, 'watch')).accept();
    await clock.advance(0);
    stream.push({ type: 'MODIFIED', object: object('a', 1001) });
    reflector.relist();
    const list = await server.next(clock, 'list');
    assert.equal(clock.monotonicMs(), 0, 'without a pause');
    assert.deepEqual(list.list, { resourceVersion: '', limit: 500 });
    assert.equal(reflector.lastVersion, '1000', 'until it is listed');
    list.answer(page(400, [object('a', 350)]));
    assert.equal((await server.next(clock, 'watch')).watch.resourceVersion, '400');
    assert.deepEqual(told, ['1000: a@900', '400: a@350']);
    assert.match(await causes(), /cause="asked"\} 1$/m);
  });

  it('does not believe a list that had begun before', async () => {
    reflector.start();
    const early = await server.next(clock, 'list');
    early.answer(page(1000, [object('a', 900)]));
    reflector.relist();
    const list = await server.next(clock, 'list');
    assert.deepEqual(told, []);
    list.answer(page(400, [object('a', 350)]));
    await server.next(clock, 'watch');
    assert.deepEqual(told, ['400: a@350']);
    assert.equal(await causes(), '', 'it was the first');
  });

  it('does not wait for the end of a pause', async () => {
    reflector.start();
    (await server.next(clock, 'list')).fail(refusal(429, { details: { retryAfterSeconds: 60 } }));
    await clock.advance(0);
    reflector.relist();
    await server.next(clock, 'list');
    assert.equal(clock.monotonicMs(), 0);
    errors.length = 0;
  });

  it('lists the newest state where it had not started', async () => {
    reflector.relist();
    reflector.start();
    assert.deepEqual((await server.next(clock, 'list')).list, { resourceVersion: '', limit: 500 });
  });

  it('is obeyed where the sink asks for it while it is told of a list', async () => {
    let asked = false;
    onReplace = () => {
      if (!asked) reflector.relist();
      asked = true;
    };
    reflector.start();
    (await server.next(clock, 'list')).answer(page(10, []));
    (await server.next(clock, 'list')).answer(page(11, [object('a', 11)]));
    assert.equal((await server.next(clock, 'watch')).watch.resourceVersion, '11');
    assert.deepEqual(told, ['10: ', '11: a@11']);
  });

  it('begins a streaming list anew, and forgets what the present one had collected', async () => {
    create(true);
    reflector.start();
    const first = (await server.next(clock, 'watch')).accept();
    first.push({ type: 'ADDED', object: object('a', 900) });
    await clock.advance(0);
    reflector.relist();
    const watch = await server.next(clock, 'watch');
    assert.deepEqual([watch.watch.sendInitialEvents, watch.watch.resourceVersion], [true, '']);
    const stream = watch.accept();
    stream.push({ type: 'ADDED', object: object('b', 350) }, bookmark(400, true));
    await clock.advance(0);
    assert.deepEqual(told, ['400: b@350']);
    reflector.relist();
    const again = await server.next(clock, 'watch');
    assert.deepEqual([again.watch.sendInitialEvents, again.watch.resourceVersion], [true, '']);
  });

  it('counts once, however often it is asked for at a time, and not at all once stopped', async () => {
    reflector.start();
    (await server.next(clock, 'list')).answer(page(10, []));
    (await server.next(clock, 'watch')).accept();
    for (let n = 0; n < 3; n += 1) reflector.relist();
    (await server.next(clock, 'list')).answer(page(11, []));
    await server.next(clock, 'watch');
    assert.equal(server.calls, 4);
    await reflector.stop();
    reflector.relist();
    await clock.advance(1000);
    assert.equal(server.calls, 4);
  });
});
