import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { seededRandom } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import {
  ClientError,
  objectInformer,
  Reflector,
  reflectorMetrics,
  type Informer,
  type InformerOptions,
  type KubeObject,
} from '../../src/index.ts';
import { bookmark, object, page, refusal, ScriptedListerWatcher } from './scripted-lister-watcher.ts';

type Options = Partial<Omit<InformerOptions<KubeObject>, 'transform'>>;

describe('Reflector', () => {
  let clock: FakeClock;
  let server: ScriptedListerWatcher;
  let errors: [string, string][];
  let running: Informer[];

  beforeEach(() => {
    clock = new FakeClock();
    server = new ScriptedListerWatcher();
    errors = [];
    running = [];
  });

  afterEach(async () => {
    await Promise.all(running.map((informer) => informer.stop()));
    assert.equal(server.open, 0, 'calls or streams left open');
    assert.equal(clock.pendingTimers, 0, 'timers left');
  });

  function start(options: Options = {}): Informer {
    const informer = objectInformer({
      name: 'configmaps',
      listerWatcher: server,
      streamingLists: false,
      clock,
      random: seededRandom(1),
      onError: (error, phase) => errors.push([phase, error.message]),
      ...options,
    });
    running.push(informer);
    informer.start();
    return informer;
  }

  const view = (informer: Informer): string[] =>
    informer.lister
      .list()
      .map((entry) => `${entry.name}@${entry.resourceVersion}`)
      .sort();

  it('lists from version 0 in pages, then watches from the version of the list', async () => {
    const informer = start();
    const first = await server.next(clock, 'list');
    assert.deepEqual(first.list, { resourceVersion: '0', limit: 500 });
    first.answer(page(10, [object('a', 3)], 'more'));
    const second = await server.next(clock, 'list');
    assert.deepEqual(second.list, { limit: 500, continue: 'more' }, 'a continue carries no version');
    assert.equal(informer.hasSynced, false);
    second.answer(page(10, [object('b', 4)]));
    const watch = await server.next(clock, 'watch');
    assert.equal(informer.hasSynced, true);
    await informer.waitForSync();
    assert.equal(watch.watch.resourceVersion, '10');
    assert.ok(watch.watch.timeoutSeconds >= 300 && watch.watch.timeoutSeconds <= 600);
    const stream = watch.accept();
    stream.push(
      { type: 'MODIFIED', object: object('a', 11) },
      { type: 'DELETED', object: object('b', 12) },
      { type: 'ADDED', object: object('c', 13) },
      bookmark(20),
    );
    await clock.advance(0);
    assert.deepEqual(view(informer), ['a@11', 'c@13']);
    assert.equal(informer.lastVersion, '20');
    assert.deepEqual(errors, []);
  });

  it('asks for the newest state first if told to', async () => {
    start({ initialVersion: '' });
    assert.deepEqual((await server.next(clock, 'list')).list, { resourceVersion: '', limit: 500 });
  });

  it('goes on from the last version when a watch ends, a bookmark counts', async () => {
    start();
    (await server.next(clock, 'list')).answer(page(10, []));
    const stream = (await server.next(clock, 'watch')).accept();
    stream.push({ type: 'ADDED', object: object('a', 11) }, bookmark(50));
    await clock.advance(2000);
    stream.end();
    await clock.advance(0);
    const again = await server.next(clock, 'watch');
    assert.equal(again.watch.resourceVersion, '50');
    assert.equal(clock.monotonicMs(), 2000, 'without a pause');
    assert.deepEqual(errors, []);
  });

  it('pauses, longer and longer, while lists fail, and keeps what it had', async () => {
    const informer = start({ random: { next: () => 1 - Number.EPSILON } });
    const times: number[] = [];
    for (let i = 0; i < 8; i++) {
      const call = await server.next(clock, 'list');
      times.push(clock.monotonicMs());
      call.fail(refusal(500));
      await clock.advance(0);
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    assert.deepEqual(gaps, [800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
    assert.equal(errors.length, 8);
    assert.equal(informer.hasSynced, false);
  });

  it('spreads its retries over the whole pause', async () => {
    start({ random: { next: () => 0.25 } });
    (await server.next(clock, 'list')).fail(refusal(500));
    await clock.advance(0);
    await server.next(clock, 'list');
    assert.equal(clock.monotonicMs(), 200);
  });

  it('waits as long as the server asks', async () => {
    start();
    (await server.next(clock, 'list')).fail(refusal(429, { details: { retryAfterSeconds: 7 } }));
    await server.next(clock, 'list');
    assert.equal(clock.monotonicMs(), 7000);
  });

  for (const [name, fail] of [
    ['a refused connection', new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'refused')],
    ['too many requests', refusal(429)],
    ['a 503', refusal(503)],
    ['lost permission', refusal(403)],
  ] as const) {
    it(`tries the watch again from the same version after ${name}`, async () => {
      const informer = start();
      (await server.next(clock, 'list')).answer(page(10, [object('a', 3)]));
      (await server.next(clock, 'watch')).fail(fail);
      const again = await server.next(clock, 'watch');
      assert.equal(again.watch.resourceVersion, '10');
      assert.deepEqual(view(informer), ['a@3']);
      assert.deepEqual(
        errors.map(([phase]) => phase),
        ['watch'],
      );
    });
  }

  it('never lists again because of an outage, however long', async () => {
    start();
    (await server.next(clock, 'list')).answer(page(10, []));
    for (let i = 0; i < 30; i++) {
      const call = await server.next(clock, 'watch');
      call.fail(new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'refused'));
      await clock.advance(0);
    }
    assert.ok(clock.monotonicMs() > 60_000);
  });

  for (const how of ['HTTP 410', 'an ERROR event'] as const) {
    it(`lists again, at least as new, after 410 as ${how}`, async () => {
      const informer = start();
      (await server.next(clock, 'list')).answer(page(10, [object('a', 3), object('b', 4)]));
      const watch = await server.next(clock, 'watch');
      if (how === 'HTTP 410') watch.fail(refusal(410, { reason: 'Expired' }));
      else watch.accept().push({ type: 'ERROR', status: refusal(410, { reason: 'Expired' }).status });
      const list = await server.next(clock, 'list');
      assert.deepEqual(list.list, {
        resourceVersion: '10',
        resourceVersionMatch: 'NotOlderThan',
        limit: 500,
      });
      assert.deepEqual(view(informer), ['a@3', 'b@4'], 'the old view stays meanwhile');
      list.answer(page(30, [object('a', 25)]));
      assert.equal((await server.next(clock, 'watch')).watch.resourceVersion, '30');
      assert.deepEqual(view(informer), ['a@25']);
    });
  }

  it('lists the newest state when the server cannot list the last version', async () => {
    const metrics = reflectorMetrics(new Registry());
    const informer = start({ metrics });
    (await server.next(clock, 'list')).answer(page(100, [object('a', 90)]));
    (await server.next(clock, 'watch')).fail(refusal(410));
    const causes = { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } };
    (await server.next(clock, 'list')).fail(refusal(504, causes));
    const list = await server.next(clock, 'list');
    assert.deepEqual(list.list, { resourceVersion: '', limit: 500 });
    list.answer(page(40, [object('a', 35)]));
    await server.next(clock, 'watch');
    assert.deepEqual(view(informer), ['a@35'], 'a restored server is followed back');
    assert.equal(informer.lastVersion, '40');
    const relists = (await metrics.relists.get()).values;
    assert.deepEqual(
      relists.map(({ value, labels }) => [value, labels.cause]),
      [[1, 'expired']],
    );
  });

  it('starts over in one piece when a continue token has expired', async () => {
    const informer = start();
    (await server.next(clock, 'list')).answer(page(10, [object('gone', 1)], 'more'));
    (await server.next(clock, 'list')).fail(refusal(410, { metadata: { continue: 'inconsistent' } }));
    const whole = await server.next(clock, 'list');
    assert.deepEqual(whole.list, { resourceVersion: '0' }, 'no limit, and not the inconsistent token');
    whole.answer(page(20, [object('a', 15)]));
    assert.equal((await server.next(clock, 'watch')).watch.resourceVersion, '20');
    assert.deepEqual(view(informer), ['a@15']);
  });

  it('refuses a server that answers its own continue token', async () => {
    start();
    (await server.next(clock, 'list')).answer(page(10, [], 'x'));
    (await server.next(clock, 'list')).answer(page(10, [], 'x'));
    await server.next(clock, 'list');
    assert.match(errors[0]?.[1] ?? '', /continue token/);
  });

  it('lists page by page after a list in one piece was too large', async () => {
    start();
    (await server.next(clock, 'list')).fail(new ClientError('ERR_KUBE_CLIENT_TOO_LARGE', 'too large'));
    assert.deepEqual((await server.next(clock, 'list')).list, { resourceVersion: '', limit: 500 });
  });

  it('goes on after a broken connection in the middle of a watch, losing nothing', async () => {
    const informer = start();
    (await server.next(clock, 'list')).answer(page(10, []));
    const stream = (await server.next(clock, 'watch')).accept();
    stream.push({ type: 'ADDED', object: object('a', 11) });
    await clock.advance(0);
    stream.fail(new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'half a line'));
    const again = await server.next(clock, 'watch');
    assert.equal(again.watch.resourceVersion, '11');
    again.accept().push({ type: 'ADDED', object: object('b', 12) });
    await clock.advance(0);
    assert.deepEqual(view(informer), ['a@11', 'b@12']);
  });

  it('lists again after five watches of nonsense in a row', async () => {
    start();
    (await server.next(clock, 'list')).answer(page(10, []));
    for (let i = 0; i < 5; i++) {
      const stream = (await server.next(clock, 'watch')).accept();
      stream.fail(new ClientError('ERR_KUBE_CLIENT_BAD_RESPONSE', 'garbage'));
      await clock.advance(0);
    }
    assert.deepEqual((await server.next(clock, 'list')).list.resourceVersion, '10');
  });

  it('does not loop without pause on a server that ends each watch at once', async () => {
    start({ random: { next: () => 1 - Number.EPSILON } });
    (await server.next(clock, 'list')).answer(page(10, []));
    for (let i = 0; i < 4; i++) {
      (await server.next(clock, 'watch')).accept().end();
      await clock.advance(0);
    }
    await server.next(clock, 'watch');
    assert.equal(clock.monotonicMs(), 800 + 1600 + 3200 + 6400);
    assert.equal(errors.length, 4);
  });

  it('starts the pauses over once a watch was healthy', async () => {
    start({ random: { next: () => 1 - Number.EPSILON } });
    (await server.next(clock, 'list')).fail(refusal(500));
    await clock.advance(0);
    (await server.next(clock, 'list')).fail(refusal(500));
    await clock.advance(0);
    (await server.next(clock, 'list')).answer(page(10, []));
    const stream = (await server.next(clock, 'watch')).accept();
    stream.push(bookmark(11));
    await clock.advance(10_000);
    stream.fail(new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'reset'));
    await clock.advance(0);
    const before = clock.monotonicMs();
    await server.next(clock, 'watch');
    assert.equal(clock.monotonicMs() - before, 800);
  });

  it('gives up a watch that does not end when it should', async () => {
    start({ minWatchSeconds: 300, random: { next: () => 0 } });
    (await server.next(clock, 'list')).answer(page(10, []));
    const stream = (await server.next(clock, 'watch')).accept();
    stream.push(bookmark(12));
    await clock.advance(329_999);
    assert.equal(server.pending.length, 0);
    await clock.advance(1);
    const again = await server.next(clock, 'watch');
    assert.equal(again.watch.resourceVersion, '12');
    assert.match(errors[0]?.[1] ?? '', /did not end/);
  });

  it('gives up a watch whose answer never comes', async () => {
    start({ random: { next: () => 0 } });
    (await server.next(clock, 'list')).answer(page(10, []));
    await server.next(clock, 'watch');
    await clock.advance(330_000);
    assert.match(errors[0]?.[1] ?? '', /did not end/);
  });

  it('finds out that a server was restored, where the watch is only silent', async () => {
    const informer = start({ random: { next: () => 0 } });
    (await server.next(clock, 'list')).answer(page(1000, [object('a', 900)]));
    const stream = (await server.next(clock, 'watch')).accept();
    await clock.advance(300_000);
    stream.end();
    const look = await server.next(clock, 'list');
    assert.deepEqual(look.list, { resourceVersion: '', limit: 1 });
    look.answer(page(400, [object('a', 350)]));
    const list = await server.next(clock, 'list');
    assert.deepEqual(list.list, { resourceVersion: '', limit: 500 });
    list.answer(page(400, [object('a', 350), object('b', 360)]));
    await server.next(clock, 'watch');
    assert.deepEqual(view(informer), ['a@350', 'b@360']);
  });

  it('finds it out at once where asked to, since a server that is restored was stopped first', async () => {
    const informer = start({ suspectsRestores: true });
    (await server.next(clock, 'list')).answer(page(1000, [object('a', 900)]));
    (await server.next(clock, 'watch')).fail(new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'refused'));
    const again = await server.next(clock, 'list');
    assert.deepEqual(again.list, { resourceVersion: '', limit: 1 });
    again.answer(page(1000, []));
    const stream = (await server.next(clock, 'watch')).accept();
    stream.push({ type: 'MODIFIED', object: object('a', 1010) });
    await clock.advance(1000);
    stream.end();
    const look = await server.next(clock, 'list');
    assert.deepEqual(look.list, { resourceVersion: '', limit: 1 });
    look.answer(page(400, []));
    const list = await server.next(clock, 'list');
    assert.deepEqual(list.list, { resourceVersion: '', limit: 500 });
    list.answer(page(400, [object('a', 350)]));
    await server.next(clock, 'watch');
    assert.deepEqual(view(informer), ['a@350']);
  });

  it('watches on after a silent watch of a server that is where it was', async () => {
    start({ random: { next: () => 0 } });
    (await server.next(clock, 'list')).answer(page(1000, []));
    const stream = (await server.next(clock, 'watch')).accept();
    await clock.advance(300_000);
    stream.end();
    (await server.next(clock, 'list')).answer(page(1000, []));
    assert.equal((await server.next(clock, 'watch')).watch.resourceVersion, '1000');
  });

  it('does not believe a watch that goes back', async () => {
    const informer = start();
    (await server.next(clock, 'list')).answer(page(100, [object('a', 90)]));
    (await server.next(clock, 'watch')).accept().push({ type: 'MODIFIED', object: object('a', 50) });
    await clock.advance(0);
    assert.deepEqual(view(informer), ['a@90']);
    assert.deepEqual((await server.next(clock, 'list')).list, { resourceVersion: '', limit: 500 });
  });

  describe('streaming lists', () => {
    it('collects until the bookmark, shows all at once, and goes on in the same watch', async () => {
      const informer = start({ streamingLists: true });
      const call = await server.next(clock, 'watch');
      assert.equal(call.watch.sendInitialEvents, true);
      assert.equal(call.watch.resourceVersion, '');
      const stream = call.accept();
      stream.push(
        { type: 'ADDED', object: object('b', 9) },
        { type: 'ADDED', object: object('a', 3) },
        { type: 'ADDED', object: object('c', 5) },
        { type: 'MODIFIED', object: object('a', 11) },
        { type: 'DELETED', object: object('c', 12) },
      );
      await clock.advance(0);
      assert.deepEqual(view(informer), []);
      assert.equal(informer.hasSynced, false);
      stream.push(bookmark(7), bookmark(12, true), { type: 'ADDED', object: object('d', 13) });
      await clock.advance(0);
      assert.equal(informer.hasSynced, true);
      assert.deepEqual(view(informer), ['a@11', 'b@9', 'd@13']);
      stream.fail(new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'reset'));
      const again = await server.next(clock, 'watch');
      assert.deepEqual([again.watch.resourceVersion, again.watch.sendInitialEvents], ['13', undefined]);
    });

    it('holds nothing of what it had collected while the same watch goes on', async () => {
      const sink = {
        prepared: [] as WeakRef<object>[],
        prepare(from: KubeObject) {
          const entry = { name: from.metadata.name };
          sink.prepared.push(new WeakRef(entry));
          return entry;
        },
        replaced: 0,
        replace: (entries: Iterable<object>) => void (sink.replaced = [...entries].length),
        put: () => {},
        remove: () => {},
      };
      const reflector = new Reflector({ name: 'configmaps', listerWatcher: server, sink, clock });
      reflector.start();
      const stream = (await server.next(clock, 'watch')).accept();
      stream.push({ type: 'ADDED', object: object('a', 3) }, bookmark(7, true));
      await clock.advance(0);
      assert.equal(sink.replaced, 1);
      await clock.advance(0); // a WeakRef that was just made keeps its target for the turn
      globalThis.gc?.();
      assert.equal(sink.prepared[0]?.deref(), undefined);
      await reflector.stop();
    });

    it('forgets what it had collected when the connection breaks before the end', async () => {
      const informer = start({ streamingLists: true });
      const stream = (await server.next(clock, 'watch')).accept();
      stream.push({ type: 'ADDED', object: object('gone', 9) });
      stream.fail(new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'reset'));
      const again = await server.next(clock, 'watch');
      assert.equal(again.watch.sendInitialEvents, true);
      again.accept().push({ type: 'ADDED', object: object('a', 3) }, bookmark(12, true));
      await clock.advance(0);
      assert.deepEqual(view(informer), ['a@3']);
    });

    for (const code of [400, 422]) {
      it(`falls back at once when refused with ${code}, and remembers it for the server`, async () => {
        start({ streamingLists: true });
        (await server.next(clock, 'watch')).fail(refusal(code));
        await clock.advance(0);
        assert.equal(server.pending[0]?.kind, 'list');
        assert.equal(clock.monotonicMs(), 0, 'without a pause');
        start({ streamingLists: true });
        await clock.advance(0);
        assert.deepEqual(
          server.pending.map(({ kind }) => kind),
          ['list', 'list'],
        );
        await clock.advance(30 * 60_000);
        assert.equal(server.server.mayStreamLists(clock.monotonicMs()), true, 'but not for ever');
      });
    }

    it('falls back on a server that ignores the wish', async () => {
      const informer = start({ streamingLists: true });
      const stream = (await server.next(clock, 'watch')).accept();
      stream.push({ type: 'ADDED', object: object('a', 3) });
      await clock.advance(29_999);
      assert.equal(server.pending.length, 0);
      (await server.next(clock, 'list')).answer(page(10, [object('a', 3)]));
      await server.next(clock, 'watch');
      assert.deepEqual(view(informer), ['a@3']);
    });

    it('asks for at least the last version after 410, for the newest if that is not to be had', async () => {
      start({ streamingLists: true });
      const stream = (await server.next(clock, 'watch')).accept();
      stream.push(bookmark(12, true), { type: 'ERROR', status: refusal(410).status });
      const again = await server.next(clock, 'watch');
      assert.deepEqual([again.watch.resourceVersion, again.watch.sendInitialEvents], ['12', true]);
      again.fail(refusal(504, { details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }));
      const third = await server.next(clock, 'watch');
      assert.deepEqual([third.watch.resourceVersion, third.watch.sendInitialEvents], ['', true]);
    });
  });

  describe('stop', () => {
    const closed = { code: 'ERR_KUBE_CLIENT_CLOSED' };
    const points: [string, (informer: Informer) => Promise<void>][] = [
      ['before the first list is answered', async () => assert.ok(await server.next(clock, 'list'))],
      [
        'between two pages',
        async () => {
          (await server.next(clock, 'list')).answer(page(10, [], 'more'));
          await server.next(clock, 'list');
        },
      ],
      [
        'just as the list is answered',
        async () => (await server.next(clock, 'list')).answer(page(10, [object('a', 3)])),
      ],
      [
        'in a pause after a failure',
        async () => {
          (await server.next(clock, 'list')).fail(refusal(500));
          await clock.advance(0);
        },
      ],
      [
        'while a watch opens',
        async () => {
          (await server.next(clock, 'list')).answer(page(10, []));
          await server.next(clock, 'watch');
        },
      ],
      [
        'just as a watch opens',
        async () => {
          (await server.next(clock, 'list')).answer(page(10, []));
          (await server.next(clock, 'watch')).accept().push({ type: 'ADDED', object: object('late', 11) });
        },
      ],
      [
        'while a watch is silent',
        async () => {
          (await server.next(clock, 'list')).answer(page(10, []));
          (await server.next(clock, 'watch')).accept();
          await clock.advance(1000);
        },
      ],
      [
        'in a pause between watches',
        async () => {
          (await server.next(clock, 'list')).answer(page(10, []));
          (await server.next(clock, 'watch')).fail(refusal(500));
          await clock.advance(0);
        },
      ],
      ['before anything was asked', () => Promise.resolve()],
    ];
    for (const [when, reach] of points) {
      it(`leaves nothing open ${when}, and is not an error`, async () => {
        const informer = start();
        const waiting = informer.waitForSync();
        waiting.catch(() => {}); // looked at below, where it may have been fulfilled as well
        await reach(informer);
        const reported = errors.length;
        await informer.stop();
        await informer.stop();
        const { calls } = server;
        const [before] = [view(informer)];
        await clock.advance(3_600_000);
        assert.equal(server.calls, calls, 'no call after the stop');
        assert.equal(server.open, 0);
        assert.equal(clock.pendingTimers, 0);
        assert.deepEqual(view(informer), before);
        assert.equal(errors.length, reported);
        if (!informer.hasSynced) {
          await assert.rejects(waiting, closed);
          await assert.rejects(informer.waitForSync(), closed);
        }
      });
    }

    it('keeps a stopped informer stopped', async () => {
      const informer = start();
      await informer.stop();
      informer.start();
      await clock.advance(1000);
      assert.equal(server.open, 0);
    });

    it('lets a waiter go by its own signal', async () => {
      const informer = start();
      const reason = new Error('enough');
      const controller = new AbortController();
      const waiting = informer.waitForSync(controller.signal);
      controller.abort(reason);
      await assert.rejects(waiting, reason);
      await assert.rejects(informer.waitForSync(AbortSignal.abort(reason)), reason);
    });
  });

  it('survives an error listener that throws', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    try {
      const informer = start({
        onError: () => {
          throw new Error('the listener failed');
        },
      });
      (await server.next(clock, 'list')).fail(refusal(500));
      (await server.next(clock, 'list')).answer(page(10, []));
      await server.next(clock, 'watch');
      assert.equal(informer.hasSynced, true);
      assert.deepEqual(
        warnings.map(({ message }) => message),
        ['the listener failed'],
      );
    } finally {
      process.off('warning', onWarning);
    }
  });
});
