import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { FakeClock, scaled } from '@hawser/seams/testing';
import { objectInformer } from '../../src/index.ts';
import { ModelServer } from './model-server.ts';

const SEEDS = scaled(150, 20_000);
/** One seed, to look at: HAWSER_SEED=n. */
const only = process.env['HAWSER_SEED'];

interface Totals {
  lists: number;
  streamed: number;
  expired: number;
  cuts: number;
  changes: number;
}

/** One random history with random trouble; returns what happened. */
async function play(seed: number): Promise<Totals> {
  const random = seededRandom(seed);
  const clock = new FakeClock();
  const server = new ModelServer(clock, random, {
    listFails: random.next() * 0.4,
    watchRefused: random.next() * 0.4,
    disconnect: random.next() * 0.3,
    compaction: random.next() * 0.3,
    streamingLists: random.next() < 0.5,
  });
  const failures: Error[] = [];
  const informer = objectInformer({
    name: 'model',
    listerWatcher: server,
    clock,
    random,
    minWatchSeconds: 10,
    pageSize: 3,
    onError: (error, phase) => {
      if (phase === 'handler' || phase === 'transform') failures.push(error);
    },
  });

  // What a handler hears, put together, is always what the cache shows, and nothing goes back.
  const heard = new Map<string, number>();
  let changes = 0;
  let lastVersion = 0;
  informer.addHandler((old, current) => {
    changes += 1;
    const key = (current ?? old)?.key ?? '';
    assert.equal(heard.get(key), old && Number(old.resourceVersion), `seed ${seed}: old state of ${key}`);
    if (current === undefined) heard.delete(key);
    else {
      const version = Number(current.resourceVersion);
      assert.ok(version > (heard.get(key) ?? 0), `seed ${seed}: ${key} went back to ${version}`);
      heard.set(key, version);
    }
    assert.equal(
      informer.lister.byKey(key)?.resourceVersion,
      current?.resourceVersion,
      `seed ${seed}: cache`,
    );
  });
  const noteVersion = (): void => {
    const version = Number(informer.lastVersion || '0');
    if (version < lastVersion) failures.push(new Error(`seed ${seed}: version back to ${version}`));
    lastVersion = version;
  };

  informer.start();
  for (let step = 0; step < 60; step++) {
    const writes = randomBelow(random, 4);
    for (let i = 0; i < writes; i++) server.write();
    await clock.advance(random.next() < 0.1 ? 5000 : random.next() * 120);
    noteVersion();
  }
  server.calm();
  await clock.advance(180_000);
  noteVersion();

  const shown = informer.lister.list().map(({ name, resourceVersion, uid }) => [name, resourceVersion, uid]);
  const real = [...server.objects.values()].map(({ metadata: m }) => [m.name, m.resourceVersion, m.uid]);
  assert.deepEqual(shown.sort(), real.sort(), `seed ${seed}: the view differs from the server`);
  assert.equal(heard.size, real.length, `seed ${seed}: handlers`);
  if (failures[0] !== undefined) throw failures[0];
  await informer.stop();
  assert.equal(server.open, 0, `seed ${seed}: a stream was left open`);
  assert.equal(clock.pendingTimers, 0, `seed ${seed}: a timer was left`);
  return { ...server.counts, changes };
}

describe('an informer against a model of a server', () => {
  it('ends with the server state, never goes back, leaks nothing: random histories and failures', async function () {
    this.timeout(scaled(60_000, 3_600_000));
    const totals: Totals = { lists: 0, streamed: 0, expired: 0, cuts: 0, changes: 0 };
    const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)];
    for (const seed of seeds) {
      const one = await play(seed);
      for (const key of Object.keys(totals) as (keyof Totals)[]) totals[key] += one[key];
    }
    // The trouble must really have come.
    for (const [what, count] of Object.entries(totals)) {
      assert.ok(
        only !== undefined || count > seeds.length,
        `${what}: only ${count} in ${seeds.length} histories`,
      );
    }
  });

  it('is reproducible: one seed, one history', async () => {
    assert.deepEqual(await play(7), await play(7));
  });
});
