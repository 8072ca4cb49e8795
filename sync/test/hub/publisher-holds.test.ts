import assert from 'node:assert/strict';
import { DigestTree, packInventory, type Content } from '../../src/index.ts';
import { sampleContent } from '../../testing/index.ts';
import { settle } from '../settle.ts';
import { PublisherBench, said } from './publisher-bench.ts';

const HAVE = Array.from({ length: 4 }, (_, n) => sampleContent(`configmaps/default/c${n}`, `text ${n}`));
const [FIRST] = HAVE as [Content, ...Content[]];

/** A bench whose view has lost everything; the edge has just been told. */
async function emptied(catchUp: () => Promise<void> = () => Promise.resolve()): Promise<PublisherBench> {
  const bench = new PublisherBench({}, { catchUp });
  HAVE.forEach((content) => bench.view.put(content));
  await bench.subscribe(HAVE);
  bench.next('inSync');
  HAVE.forEach(({ key }) => bench.view.remove(key));
  await settle();
  assert.equal(bench.batch().changes.length, 4);
  return bench;
}

describe('A publisher whose edge holds removals back', () => {
  it('confirms after 30 s, once the caches have caught up, and says then that the edge has everything', async () => {
    let asked = 0;
    const bench = await emptied(() => {
      asked += 1;
      return Promise.resolve();
    });
    await bench.report({ held: { id: 1, removals: 4, count: 4 } });
    await bench.ack(2);
    await bench.clock.advance(29_900);
    bench.nothing();
    assert.equal(asked, 0);
    assert.equal(bench.publisher.inSync, false);
    await bench.clock.advance(200);
    assert.equal(bench.next('confirmRemovals').message.confirmRemovals.id, 1);
    bench.next('inSync');
    bench.nothing();
    assert.equal(asked, 1);
    assert.equal(bench.publisher.counters.confirmations, 1);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('does not say that an edge has everything while it holds something back', async () => {
    const bench = await emptied();
    await bench.report({ held: { id: 1, removals: 4, count: 4 } });
    await bench.ack(2);
    bench.view.put(sampleContent('configmaps/default/new', 'new'));
    await settle();
    assert.equal(bench.batch().inSync, false);
  });

  it('sends what is wanted again before it confirms', async () => {
    const bench = await emptied();
    await bench.report({ held: { id: 1, removals: 4, count: 4 } });
    await bench.ack(2);
    // The window is full when the time has come.
    for (let n = 0; n < 4; n += 1) {
      bench.view.put(sampleContent(`configmaps/default/new${n}`, 'new'));
      await settle();
      bench.batch();
    }
    bench.view.put(FIRST);
    await bench.clock.advance(30_100);
    bench.nothing();
    await bench.ack(3);
    assert.deepEqual(bench.batch().changes, [said('full', FIRST)]);
    assert.equal(bench.next('confirmRemovals').message.confirmRemovals.id, 1);
  });

  it('does not let changes of other objects keep it from confirming', async () => {
    const bench = await emptied();
    const other = sampleContent('configmaps/default/other', 'one');
    bench.view.put(other);
    await settle();
    bench.batch();
    await bench.report({ held: { id: 1, removals: 4, count: 5 } });
    for (let n = 0; n < 2; n += 1) {
      bench.view.put(sampleContent(`configmaps/default/new${n}`, 'new'));
      await settle();
      bench.batch();
    }
    bench.view.put(sampleContent(other.key, 'two'));
    bench.view.put(FIRST);
    await settle();
    await bench.clock.advance(30_100);
    // The window is full; what the edge lacks goes first when there is room.
    assert.equal(bench.publisher.unacknowledged, 4);
    await bench.ack(2);
    const { changes } = bench.batch();
    assert.ok(changes.includes(said('full', FIRST)), changes.join());
    bench.next('confirmRemovals');
  });

  it('tries again when it cannot be found out what the API server has', async () => {
    let fails = 3;
    const bench = await emptied(() => {
      fails -= 1;
      return fails >= 0 ? Promise.reject(new Error('the API server does not answer')) : Promise.resolve();
    });
    await bench.report({ held: { id: 1, removals: 4, count: 4 } });
    await bench.ack(2);
    await bench.clock.advance(30_000 + 1_000 + 2_000);
    bench.nothing();
    await bench.clock.advance(4_100);
    bench.next('confirmRemovals');
    assert.deepEqual(bench.failures, []);
  });

  it('gives each hold its own time', async () => {
    const bench = await emptied();
    await bench.report({ held: { id: 1, removals: 2, count: 4 } });
    await bench.clock.advance(10_000);
    await bench.report({ held: { id: 2, removals: 4, count: 4 } });
    await bench.clock.advance(20_100);
    assert.equal(bench.next('confirmRemovals').message.confirmRemovals.id, 1);
    bench.nothing();
    await bench.clock.advance(10_000);
    assert.equal(bench.next('confirmRemovals').message.confirmRemovals.id, 2);
    bench.next('inSync');
  });

  it('waits for a few holds at most: later ones join the last of them', async () => {
    const bench = await emptied();
    for (let id = 1; id <= 100; id += 1) {
      await bench.report({ held: { id, removals: 1, count: 4 } });
      await bench.clock.advance(100);
    }
    await bench.clock.advance(60_000);
    const ids = bench.inbox.flatMap(({ message }) =>
      message.body === 'confirmRemovals' ? [message.confirmRemovals.id] : [],
    );
    assert.deepEqual(ids, [1, 2, 3, 4, 5, 6, 7, 100]);
  });

  it('ends quietly while it waits, and while it looks', async () => {
    const waiting = await emptied();
    await waiting.report({ held: { id: 1, removals: 4, count: 4 } });
    waiting.publisher.close();
    assert.equal(waiting.clock.pendingTimers, 0);
    const looking = await emptied(() => new Promise(() => {}));
    await looking.report({ held: { id: 1, removals: 4, count: 4 } });
    await looking.clock.advance(30_100);
    looking.publisher.close();
    assert.equal(looking.clock.pendingTimers, 0);
    assert.deepEqual([...waiting.failures, ...looking.failures], []);
  });
});

describe('A publisher whose edge is hostile', () => {
  /** Everything that a subscriber may not say, and what it gets for it. */
  const bad: readonly [string, string, (bench: PublisherBench) => Promise<void>][] = [
    ['an ack of nothing', 'ERR_SYNC_BAD_ACK', (bench) => bench.ack(2)],
    ['an ack of what is no batch', 'ERR_SYNC_BAD_ACK', (bench) => bench.ack(1)],
    ['an ack of the future', 'ERR_SYNC_BAD_ACK', (bench) => bench.ack(2 ** 52)],
    [
      'an ack twice',
      'ERR_SYNC_BAD_ACK',
      async (bench) => {
        bench.view.put(sampleContent('configmaps/default/new', 'new'));
        await settle();
        await bench.ack(2);
        await bench.ack(2);
      },
    ],
    ['entries unasked', 'ERR_SYNC_BAD_MESSAGE', (bench) => bench.tellEntries(HAVE)],
    [
      'digests unasked',
      'ERR_SYNC_BAD_MESSAGE',
      (bench) => bench.report({ bucketDigests: { digests: new Uint8Array(2048) } }),
    ],
    [
      'a hold that does not grow',
      'ERR_SYNC_BAD_MESSAGE',
      async (bench) => {
        await bench.report({ held: { id: 3, removals: 1, count: 1 } });
        await bench.report({ held: { id: 3, removals: 1, count: 1 } });
      },
    ],
    ['a hold without a number', 'ERR_SYNC_BAD_MESSAGE', (bench) => bench.report({ held: {} })],
    [
      'noise',
      'ERR_SYNC_BAD_MESSAGE',
      (bench) => {
        bench.publisher.onReport(Buffer.from('ffffffff', 'hex'));
        return Promise.resolve();
      },
    ],
    [
      'more than a message may have',
      'ERR_SYNC_BAD_MESSAGE',
      (bench) => bench.report({ entries: { packed: new Uint8Array(1024 * 1024 + 1) } }),
    ],
  ];
  for (const [what, code, act] of bad) {
    it(`ends the session: ${what}`, async () => {
      const bench = new PublisherBench();
      HAVE.forEach((content) => bench.view.put(content));
      await bench.subscribe(HAVE);
      bench.next('inSync');
      await assert.rejects(async () => act(bench), { code });
      bench.publisher.close();
    });
  }

  it('ends the session: words about contents before any came', async () => {
    for (const message of [{ wantFull: { keys: ['pods/default/a'] } }, { held: { id: 1 } }]) {
      const bench = new PublisherBench();
      HAVE.forEach((content) => bench.view.put(content));
      await bench.subscribe([FIRST]);
      bench.next('askInventory');
      await assert.rejects(async () => bench.report(message), { code: 'ERR_SYNC_BAD_MESSAGE' });
    }
  });

  it('ends the session: a key twice, in one message or two, or of a bucket that was not asked for', async () => {
    const many = Array.from({ length: 300 }, (_, n) => sampleContent(`configmaps/default/m${n}`, `${n}`));
    const small = new PublisherBench();
    HAVE.forEach((content) => small.view.put(content));
    await small.subscribe([FIRST]);
    small.next('askInventory');
    const twice = new PublisherBench();
    HAVE.forEach((content) => twice.view.put(content));
    await twice.subscribe([FIRST]);
    await assert.rejects(() => twice.tellEntries([FIRST, FIRST]), { code: 'ERR_SYNC_BAD_INVENTORY' });
    const [packed = new Uint8Array(0)] = packInventory([[FIRST.key, FIRST.hash]]);
    await small.report({ entries: { packed, more: true } });
    await assert.rejects(() => small.report({ entries: { packed } }), { code: 'ERR_SYNC_BAD_MESSAGE' });
    const large = new PublisherBench();
    many.forEach((content) => large.view.put(content));
    const has = many.map((content, n) => (n === 0 ? sampleContent(content.key, 'other') : content));
    await large.subscribe(has);
    const tree = DigestTree.of(has.map(({ key, hash }) => [key, hash] as const));
    await large.report({ bucketDigests: { digests: tree.bucketDigests() } });
    await assert.rejects(() => large.tellEntries(has), { code: 'ERR_SYNC_BAD_MESSAGE' });
  });

  it('ends the session: parts of an inventory without end', async () => {
    const bench = new PublisherBench();
    HAVE.forEach((content) => bench.view.put(content));
    await bench.subscribe([FIRST]);
    const [empty = new Uint8Array(0)] = packInventory([]);
    await assert.rejects(() => bench.report({ entries: { packed: empty, more: true } }), {
      code: 'ERR_SYNC_BAD_MESSAGE',
    });
    const flood = async (): Promise<void> => {
      for (let part = 0; part < 100; part += 1) {
        const entries = Array.from({ length: 2_000 }, (_, n) => [`pods/x/${part}-${n}`, FIRST.hash] as const);
        const [packed = new Uint8Array(0)] = packInventory(entries);
        await bench.report({ entries: { packed, more: true } });
      }
    };
    await assert.rejects(flood, { code: 'ERR_SYNC_LIMIT' });
  });

  it('refuses a state that is none', () => {
    const bench = new PublisherBench();
    for (const [hex, code] of [
      ['ffff', 'ERR_SYNC_BAD_MESSAGE'],
      ['', 'ERR_SYNC_BAD_MESSAGE'], // no digest
      ['120100', 'ERR_SYNC_BAD_MESSAGE'], // a digest of one byte
      [`1210${'00'.repeat(16)}18a18d06`, 'ERR_SYNC_LIMIT'], // 100,001 objects
      [`1210${'00'.repeat(16)}228140${'00'.repeat(8193)}`, 'ERR_SYNC_BAD_MESSAGE'], // a stamp of 8 KiB
    ] as const) {
      assert.throws(() => bench.publisher.start(Buffer.from(hex, 'hex')), { code }, hex.slice(0, 40));
    }
    assert.equal(bench.view.listeners, 0);
  });

  it('takes a message of a later release for none', async () => {
    const bench = new PublisherBench();
    await bench.subscribe([]);
    bench.next('inSync');
    bench.publisher.onReport(Buffer.from('7a00', 'hex')); // field 15
    await settle();
    bench.nothing();
  });
});
