import assert from 'node:assert/strict';
import { ConnectionLost } from '@hawser/mapper-sdk';
import { randomBelow, seededRandom } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { ModbusPeer } from '../testing/index.ts';
import { describeUnless, registers, Site, tcpConfig, visit, valueOf } from './site.ts';

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

describeUnless(ModbusPeer.missing(), 'reading', () => {
  let peer: ModbusPeer;
  let site: Site;

  before(async () => {
    peer = await ModbusPeer.tcp();
    for (const kind of ['holding', 'input'] as const) await peer.set(1, kind, 0, numbers(300));
    for (const kind of ['coil', 'discrete'] as const)
      await peer.set(
        1,
        kind,
        0,
        numbers(3000).map((at) => (at % 3 === 0 ? 1 : 0)),
      );
  });

  beforeEach(async () => {
    await peer.forget();
    site = await Site.open(tcpConfig(peer.port));
  });

  afterEach(() => site.close());
  after(() => peer.stop());

  it('reads 200 registers in two requests', async () => {
    assert.deepEqual(await site.values(registers(0, 200)), numbers(200));
    assert.deepEqual(
      (await peer.requests()).map(({ functionCode, offset, count }) => [functionCode, offset, count]),
      [
        [3, 0, 125],
        [3, 125, 75],
      ],
    );
  });

  it('reads each of the four tables with its own function, 2,000 bits at once', async () => {
    const coils = numbers(2500).map((offset) =>
      visit({ register: 'CoilRegister', offset }, { type: 'BOOLEAN' }),
    );
    const values = await site.values([
      ...coils,
      visit({ register: 'DiscreteInputRegister', offset: 3, limit: 7 }),
      visit({ register: 'InputRegister', offset: 7 }),
      visit({ register: 'HoldingRegister', offset: 8 }),
    ]);
    assert.deepEqual(
      values.slice(0, 2500),
      numbers(2500).map((at) => at % 3 === 0),
    );
    assert.deepEqual(values.slice(2500), [0b1001001, 7, 8]);
    assert.deepEqual(
      (await peer.requests()).map(({ functionCode, offset, count }) => [functionCode, offset, count]),
      [
        [1, 0, 2000],
        [1, 2000, 500],
        [2, 3, 7],
        [4, 7, 1],
        [3, 8, 1],
      ],
    );
  });

  it('gives results in the order that was asked for', async () => {
    const visits = [
      visit({ offset: 9 }),
      visit({ register: 'InputRegister', offset: 2 }),
      visit({ offset: 1 }),
    ];
    assert.deepEqual(await site.values(visits), [9, 2, 1]);
  });

  it('reads the last address', async () => {
    await peer.set(1, 'holding', 65535, [77]);
    assert.deepEqual(await site.values([visit({ offset: 65535 })]), [77]);
  });

  it('keeps to the gap that is allowed', async () => {
    const visits = [visit({ offset: 0 }), visit({ offset: 9 }), visit({ offset: 19 })];
    await site.values(visits);
    assert.equal(await peer.requestCount(), 2, 'eight between are read, nine are not');
    await peer.forget();
    await site.values(visits, { maxGap: 0 });
    assert.equal(await peer.requestCount(), 3);
  });

  it('never lets one bad register hide another, remembers it, and tries it again later', async () => {
    await peer.hole(1, 'holding', 50, 1);
    await peer.hole(1, 'holding', 90, 2);
    const visits = registers(0, 200);
    const first = await site.values(visits);
    for (const [at, value] of first.entries())
      if ([50, 90, 91].includes(at))
        assert.match(
          String(value),
          new RegExp(
            `^HoldingRegister ${at} of unit 1 \\(function code 3\\): exception 2, illegal data address. The`,
          ),
        );
      else assert.equal(value, at);
    assert.ok(
      (await peer.requestCount()) <= 50,
      `${await peer.requestCount()} requests to find three out of 200`,
    );

    const before = await peer.requestCount();
    assert.deepEqual(await site.values(visits), first);
    assert.equal((await peer.requestCount()) - before, 3, 'what is around them is still read together');

    await peer.forget();
    assert.match(String((await site.values(visits))[50]), /illegal data address/, 'not yet');
    site.clock.lateMs = 31_000;
    assert.deepEqual(await site.values(visits), numbers(200));
    await peer.forget();
    await site.values(visits);
    assert.equal(await peer.requestCount(), 2, 'joined again');
  });

  it('finds out that it is the gap that cannot be read', async () => {
    await peer.hole(1, 'holding', 3, 4);
    const visits = [...registers(0, 3), ...registers(7, 3)];
    assert.deepEqual(await site.values(visits), [0, 1, 2, 7, 8, 9]);
    const before = await peer.requestCount();
    assert.deepEqual(await site.values(visits), [0, 1, 2, 7, 8, 9]);
    assert.equal((await peer.requestCount()) - before, 2, 'and remembers it');
  });

  it('finds out how much the device takes at once', async () => {
    await peer.limit(32);
    const visits = registers(0, 120);
    assert.deepEqual(await site.values(visits), numbers(120));
    const before = await peer.requestCount();
    assert.deepEqual(await site.values(visits), numbers(120));
    assert.equal((await peer.requestCount()) - before, 4, 'and remembers it');
  });

  it('reads what can be read, wherever the holes are', async function () {
    this.timeout(scaled(10_000, 60_000));
    const random = seededRandom(7);
    const below = (bound: number): number => randomBelow(random, bound);
    for (let round = 0; round < scaled(15, 300); round += 1) {
      await peer.forget();
      await site.close();
      site = await Site.open(tcpConfig(peer.port, { maxGap: below(20) }));
      const holes = Array.from({ length: below(5) }, () => ({ start: below(300), count: 1 + below(6) }));
      for (const { start, count } of holes) await peer.hole(1, 'holding', start, count);
      await peer.limit(below(2) === 0 ? 0 : 8 + below(100));
      const visits = Array.from({ length: 1 + below(120) }, () => {
        const limit = [1, 2, 4][below(3)] ?? 1;
        return visit({ offset: below(297), limit });
      });
      for (let cycle = 0; cycle < 4; cycle += 1) {
        const before = await peer.requestCount();
        const results = await site.read(visits);
        const used = (await peer.requestCount()) - before;
        for (const [at, { visitor }] of visits.entries()) {
          const { offset, limit = 1 } = visitor;
          const bad = holes.some(({ start, count }) => offset < start + count && start < offset + limit);
          const result = results[at];
          assert.ok(
            result !== undefined && 'error' in result === bad,
            `round ${round} ${JSON.stringify(visitor)}`,
          );
          if ('value' in result) {
            const words = Array.from({ length: limit }, (_, word) => BigInt(offset + word));
            assert.equal(
              BigInt(result.value as number),
              words.reduce((sum, word) => (sum << 16n) | word, 0n),
            );
          }
        }
        assert.ok(used <= (cycle === 0 ? 2 * visits.length : visits.length), `${used} requests`);
      }
    }
  });

  it('says so of each property where the device does not have the table', async () => {
    await peer.fault({ kind: 'exception', code: 1 });
    const values = await site.values([
      visit({ offset: 1 }),
      visit({ offset: 2 }),
      visit({ register: 'CoilRegister', offset: 0 }),
    ]);
    assert.match(
      String(values[0]),
      /exception 1, illegal function\. The device does not have this kind of register/,
    );
    assert.match(String(values[1]), /exception 1/);
    assert.equal(values[2], 1, 'the other table is read all the same');
  });

  it('tells each exception in words', async () => {
    for (const [code, name] of [
      [4, 'device failure'],
      [7, 'negative acknowledge'],
      [8, 'memory parity error'],
      [9, 'not one of the standard'],
    ] as const) {
      await peer.fault({ kind: 'exception', code });
      const [value] = await site.values([visit({ offset: 5 })]);
      assert.match(String(value), new RegExp(`exception ${code}, ${name}`));
    }
  });

  it('asks again when the device is busy', async () => {
    await peer.fault({ kind: 'exception', code: 6 });
    assert.deepEqual(await site.values([visit({ offset: 5 })]), [5]);
    await peer.fault({ kind: 'exception', code: 6 }, 2);
    assert.match(String((await site.values([visit({ offset: 5 })]))[0]), /exception 6, device busy/);
  });

  it('does not take a gateway for the device', async () => {
    for (const code of [10, 11]) {
      await peer.fault({ kind: 'exception', code });
      await assert.rejects(
        site.read([visit({ offset: 5 })]),
        (error: Error) => error.message.includes('gateway') && !(error instanceof ConnectionLost),
      );
    }
    assert.deepEqual(await site.values([visit({ offset: 5 })]), [5]);
  });

  it('asks units one by one over one connection', async () => {
    for (const unit of [0, 2, 100, 247, 255]) await peer.set(unit, 'holding', 0, [unit]);
    for (const slaveID of [0, 2, 100, 247, 255])
      assert.deepEqual(await site.values([visit({ offset: 0 })], { slaveID }), [slaveID]);
    assert.deepEqual(await site.values([visit({ offset: 1 })]), [1], 'unit 1 where none is said');
    assert.equal((await peer.connections()).open, 1);
  });

  it('pauses between requests as it is told to', async () => {
    const beganMs = performance.now();
    await site.values([visit({ offset: 0 }), visit({ offset: 40 }), visit({ offset: 80 })], { delayMs: 40 });
    assert.ok(performance.now() - beganMs >= 75, 'two pauses of 40 ms');
  });

  it('says of one property that its registers do not hold such a value', async () => {
    await peer.set(1, 'holding', 290, [0x7fc0, 0]);
    const results = await site.read([
      visit({ offset: 290, type: 'float' }, { type: 'FLOAT' }),
      visit({ offset: 5 }),
    ]);
    assert.equal(valueOf(results[0]), 'holds NaN, which is not a number');
    assert.equal(valueOf(results[1]), 5);
  });
});
