import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { E2eError } from '../../src/errors.ts';
import { wireSettings, type WireOptions } from '../../src/fault-proxy/wire-options.ts';
import { Wire, type StreamSource, type Train } from '../../src/fault-proxy/wire.ts';

/** 1000 bytes take a millisecond. */
const MBYTE_PER_SECOND = 8e6;

/** A connection with so many bytes to send, which notes when what arrives. */
class Bulk implements StreamSource {
  readonly lane;
  readonly arrivals: { atMs: number; bytes: number }[] = [];
  readonly #wire: Wire;
  readonly #clock: FakeClock;
  #leftBytes: number;

  constructor(wire: Wire, clock: FakeClock, bytes: number) {
    this.#wire = wire;
    this.#clock = clock;
    this.#leftBytes = bytes;
    this.lane = wire.openLane();
  }

  get arrivedBytes(): number {
    return this.arrivals.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  start(): this {
    this.#wire.ready(this);
    return this;
  }

  next(limitBytes: number): Train | undefined {
    const payloadBytes = Math.min(limitBytes, this.#leftBytes);
    if (payloadBytes === 0) return undefined;
    this.#leftBytes -= payloadBytes;
    return {
      payloadBytes,
      deliver: () => this.arrivals.push({ atMs: this.#clock.monotonicMs(), bytes: payloadBytes }),
    };
  }
}

function makeWire(options: WireOptions, seed = 7): { wire: Wire; clock: FakeClock } {
  const clock = new FakeClock();
  const settings = wireSettings({ segmentBytes: 960, tcpOverheadBytes: 40, ...options });
  return { wire: new Wire({ settings, clock, random: seededRandom(seed) }), clock };
}

/** Sends `count` datagrams at once and returns a list that gets the number of each when it arrives. */
function sendNumbered(wire: Wire, count: number, bytes = 972): number[] {
  const lane = wire.openLane();
  const arrived: number[] = [];
  for (let number = 0; number < count; number++) wire.sendDatagram(lane, bytes, () => arrived.push(number));
  return arrived;
}

function near(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 0.01, `${actual} is not near ${expected}`);
}

describe('Wire', () => {
  it('delivers a packet after its sending time and the delay', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, delayMs: 25 });
    const bulk = new Bulk(wire, clock, 3 * 960).start();
    await clock.advance(100);
    assert.deepEqual(
      bulk.arrivals.map(({ bytes }) => bytes),
      [960, 960, 960],
    );
    for (const [index, { atMs }] of bulk.arrivals.entries()) near(atMs, 26 + index);
  });

  it('counts headers in the bandwidth, and in its statistics', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND });
    const bulk = new Bulk(wire, clock, 1e6).start();
    await clock.advance(500);
    near(bulk.arrivedBytes, 500 * 960);
    const { tcp, wireBytes } = wire.stats;
    assert.equal(wireBytes, tcp.payloadBytes + 40 * tcp.packets);
  });

  it('loses no throughput to late timers', async () => {
    const { wire } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, queueLimitBytes: 1500 });
    const coarse = new CoarseClock(3);
    const late = new Wire({ settings: wire.settings, clock: coarse, random: seededRandom(1) });
    const bulk = new Bulk(late, coarse, 1e6).start();
    await coarse.advance(600);
    assert.ok(bulk.arrivedBytes >= 595 * 960, `only ${bulk.arrivedBytes} bytes`);
  });

  it('bounds its queue, and what it takes beyond it is what is on the way', async () => {
    const { wire, clock } = makeWire({
      bitsPerSecond: MBYTE_PER_SECOND,
      queueLimitBytes: 10_000,
      delayMs: 20,
    });
    const bulk = new Bulk(wire, clock, 1e6).start();
    await clock.advance(200);
    const { queueHighWaterBytes, inFlightHighWaterBytes } = wire.stats;
    assert.ok(queueHighWaterBytes <= 10_000 && queueHighWaterBytes > 8000, `${queueHighWaterBytes}`);
    assert.ok(inFlightHighWaterBytes <= 10_000 + 21_000, `${inFlightHighWaterBytes}`);
    assert.ok(bulk.arrivedBytes > 170 * 960);
  });

  it('lets connections take turns', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, queueLimitBytes: 5000 });
    const first = new Bulk(wire, clock, 1e6).start();
    await clock.advance(100);
    const second = new Bulk(wire, clock, 1e6).start();
    const third = new Bulk(wire, clock, 1e6).start();
    const before = first.arrivedBytes;
    await clock.advance(600);
    for (const bytes of [first.arrivedBytes - before, second.arrivedBytes, third.arrivedBytes])
      assert.ok(Math.abs(bytes - 200 * 960) < 5 * 960, `${bytes} is not a third`);
  });

  it('lets a small message wait for no more than the queue and a turn', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, queueLimitBytes: 20_000 });
    new Bulk(wire, clock, 1e7).start();
    await clock.advance(100);
    const ping = new Bulk(wire, clock, 10).start();
    await clock.advance(100);
    const waitedMs = (ping.arrivals[0]?.atMs ?? Infinity) - 100;
    assert.ok(waitedMs > 15 && waitedMs <= 22.1, `${waitedMs} ms`);
  });

  it('drops datagrams that find no room, and counts them', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, queueLimitBytes: 5000 });
    const arrived = sendNumbered(wire, 8);
    await clock.advance(100);
    assert.deepEqual(arrived, [0, 1, 2, 3, 4]);
    assert.equal(wire.stats.dropped.overflow, 3);
    assert.equal(wire.stats.udp.packets, 5);
  });

  it('leaves room for datagrams beside connections that would take all of it', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, queueLimitBytes: 16_000 });
    new Bulk(wire, clock, 1e7).start();
    await clock.advance(10);
    const lane = wire.openLane();
    let arrived = 0;
    for (let sent = 0; sent < 100; sent++) {
      wire.sendDatagram(lane, 972, () => arrived++);
      await clock.advance(4);
    }
    await clock.advance(100);
    assert.ok(arrived >= 95, `only ${arrived} of 100 arrived`);
  });

  it('loses, doubles and reorders datagrams as often as it was told to, the same with the same seed', async () => {
    const options = { loss: 0.1, duplicate: 0.05, reorder: 0.2, reorderByMs: 3, delayMs: 10 };
    const outcomes = [];
    for (const seed of [3, 3, 4]) {
      const { wire, clock } = makeWire(options, seed);
      const lane = wire.openLane();
      const arrived: number[] = [];
      for (let number = 0; number < 4000; number++) {
        wire.sendDatagram(lane, 100, () => arrived.push(number));
        if (number % 4 === 0) await clock.advance(1);
      }
      await clock.advance(50);
      const { dropped, duplicated, reordered } = wire.stats;
      assert.equal(arrived.length, 4000 + duplicated - dropped.loss);
      assert.ok(Math.abs(dropped.loss - 420) < 80, `${dropped.loss} lost`);
      assert.ok(Math.abs(duplicated - 200) < 60, `${duplicated} doubled`);
      assert.ok(Math.abs(reordered - 756) < 110, `${reordered} reordered`);
      const overtaken = arrived.filter((number, index) => index > 0 && number < (arrived[index - 1] ?? 0));
      assert.ok(overtaken.length > 300, `${overtaken.length} overtaken`);
      outcomes.push(arrived.join());
    }
    assert.equal(outcomes[0], outcomes[1]);
    assert.notEqual(outcomes[0], outcomes[2]);
  });

  it('keeps the order of a lane under jitter', async () => {
    const { wire, clock } = makeWire({ delayMs: 5, jitterMs: 20 });
    const lane = wire.openLane();
    const arrivals: { number: number; tookMs: number }[] = [];
    for (let number = 0; number < 300; number++) {
      const sentMs = clock.monotonicMs();
      wire.sendDatagram(lane, 100, () => arrivals.push({ number, tookMs: clock.monotonicMs() - sentMs }));
      await clock.advance(1);
    }
    await clock.advance(50);
    assert.deepEqual(
      arrivals.map(({ number }) => number),
      Array.from({ length: 300 }, (_, number) => number),
    );
    const took = arrivals.map(({ tookMs }) => tookMs);
    assert.ok(Math.min(...took) >= 5 && Math.max(...took) <= 25.01);
    assert.ok(Math.max(...took) - Math.min(...took) > 8, 'there was no jitter');
  });

  it('holds connections while blocked and goes on where it stood; datagrams are lost', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, delayMs: 10 });
    const bulk = new Bulk(wire, clock, 20 * 960).start();
    const arrived = sendNumbered(wire, 3);
    await clock.advance(15);
    const before = bulk.arrivals.length;
    wire.block();
    const more = sendNumbered(wire, 2);
    await clock.advance(1000);
    assert.equal(bulk.arrivals.length, before);
    wire.unblock();
    await clock.advance(14);
    assert.ok(bulk.arrivals.length < 20, 'what was queued arrived all at once');
    await clock.advance(100);
    assert.equal(bulk.arrivedBytes, 20 * 960);
    assert.deepEqual([arrived, more], [[], []]);
    assert.equal(wire.stats.dropped.blocked, 5);
    assert.equal(clock.pendingTimers, 0);
  });

  it('applies a new bandwidth to what is queued', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND / 100 }); // 100 ms a packet
    const bulk = new Bulk(wire, clock, 10 * 960).start();
    await clock.advance(250);
    assert.equal(bulk.arrivals.length, 2);
    wire.configure({ bitsPerSecond: MBYTE_PER_SECOND });
    await clock.advance(8);
    assert.equal(bulk.arrivals.length, 10);
    assert.equal(clock.pendingTimers, 0);
  });

  it('keeps the order when the bandwidth changes under jitter', async () => {
    const { wire, clock } = makeWire({
      bitsPerSecond: MBYTE_PER_SECOND / 10,
      jitterMs: 60,
      queueLimitBytes: 1e6,
    });
    const arrived = sendNumbered(wire, 60);
    await clock.advance(100);
    wire.configure({ bitsPerSecond: MBYTE_PER_SECOND * 10 });
    await clock.advance(20);
    wire.configure({ bitsPerSecond: Infinity });
    await clock.advance(200);
    assert.deepEqual(
      arrived,
      Array.from({ length: 60 }, (_, number) => number),
    );
  });

  it('sends everything at once without a limit', async () => {
    const { wire, clock } = makeWire({});
    const bulk = new Bulk(wire, clock, 1e6).start();
    assert.equal(bulk.arrivedBytes, 1e6);
    assert.equal(clock.pendingTimers, 0);
    await clock.advance(1);
  });

  it('bounds what is on the way without a limit of bandwidth, too', async () => {
    const { wire, clock } = makeWire({ delayMs: 100, inFlightLimitBytes: 5000 });
    const arrived = sendNumbered(wire, 10);
    await clock.advance(100);
    assert.equal(arrived.length, 5);
    assert.equal(wire.stats.dropped.overflow, 5);
  });

  it('sends what is larger than the queue, when the queue is empty', async () => {
    const { wire, clock } = makeWire({ bitsPerSecond: MBYTE_PER_SECOND, queueLimitBytes: 100 });
    const bulk = new Bulk(wire, clock, 5 * 960).start();
    await clock.advance(6);
    assert.equal(bulk.arrivals.length, 5);
  });

  it('counts each fragment of a large datagram', async () => {
    const { wire, clock } = makeWire({});
    sendNumbered(wire, 1, 4000);
    await clock.advance(1);
    assert.equal(wire.stats.udp.packets, 3);
    assert.equal(wire.stats.wireBytes, 4000 + 28 + 2 * 20);
  });

  it('has no timer left when its last lane is closed', async () => {
    const { wire, clock } = makeWire({ delayMs: 100 });
    const bulk = new Bulk(wire, clock, 960).start();
    assert.equal(clock.pendingTimers, 1);
    wire.closeLane(bulk.lane);
    wire.closeLane(bulk.lane);
    assert.equal(clock.pendingTimers, 0);
    assert.equal(wire.inFlightBytes, 0);
    await clock.advance(200);
    assert.equal(bulk.arrivals.length, 0);
  });

  it('refuses settings that make no sense, all at once, and keeps the old ones', () => {
    const { wire } = makeWire({ delayMs: 5 });
    assert.throws(
      () => wire.configure({ loss: 2, delayMs: -1, colour: 3 } as WireOptions),
      (error: unknown) =>
        error instanceof E2eError &&
        error.code === 'ERR_E2E_BAD_OPTION' &&
        ['loss', 'delayMs', 'colour'].every((name) => error.message.includes(name)),
    );
    assert.throws(() => wire.configure({ jitterMs: NaN }), E2eError);
    assert.equal(wire.settings.delayMs, 5);
  });
});

/** A clock whose timers fire up to `lateMs` late, as real ones do. */
class CoarseClock extends FakeClock {
  readonly #lateMs: number;

  constructor(lateMs: number) {
    super();
    this.#lateMs = lateMs;
  }

  override setTimer(delayMs: number, callback: () => void) {
    return super.setTimer(delayMs + this.#lateMs, callback);
  }
}
