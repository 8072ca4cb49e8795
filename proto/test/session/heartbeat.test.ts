import assert from 'node:assert/strict';
import type { Clock, Timer } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import type { CloseCode } from '../../src/index.ts';
import { Heartbeat } from '../../src/session/heartbeat.ts';
import { ScriptedConnection } from './scripted-connection.ts';

const INTERVAL_MS = 10_000;

/** A {@link FakeClock} whose process can be held up: time goes on, timers fire late. */
class HeldUpClock implements Clock {
  readonly fake = new FakeClock();
  timersSet = 0;
  #aheadMs = 0;

  wallMs(): number {
    return this.fake.wallMs() + this.#aheadMs;
  }

  monotonicMs(): number {
    return this.fake.monotonicMs() + this.#aheadMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.timersSet += 1;
    return this.fake.setTimer(delayMs, callback);
  }

  /** The process stands still for so long. */
  holdUp(byMs: number): void {
    this.#aheadMs += byMs;
  }
}

interface Scene {
  readonly clock: HeldUpClock;
  readonly connection: ScriptedConnection;
  readonly heartbeat: Heartbeat;
  readonly roundTrips: number[];
}

function begin(options: { leads: boolean }): Scene {
  const clock = new HeldUpClock();
  const connection = new ScriptedConnection(clock);
  const roundTrips: number[] = [];
  const heartbeat = new Heartbeat({
    connection,
    intervalMs: INTERVAL_MS,
    leads: options.leads,
    clock,
    onRoundTrip: (roundTripMs) => roundTrips.push(roundTripMs),
  });
  heartbeat.start();
  return { clock, connection, heartbeat, roundTrips };
}

/** Why it ended, if it did. */
const codeOf = ({ ended }: ScriptedConnection): CloseCode | undefined => ended?.code;

/** Time passes in steps, at each of which something happens. */
async function pass(clock: HeldUpClock, forMs: number, everyMs: number, each: () => void): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += everyMs) {
    await clock.fake.advance(everyMs);
    each();
  }
}

describe('Heartbeat', () => {
  it('pings once an interval on an idle connection, when it leads', async () => {
    const { clock, connection, roundTrips } = begin({ leads: true });
    const answer = (): void => {
      for (const pong of connection.pings.splice(0)) {
        connection.hear();
        pong(42);
      }
    };
    let pings = 0;
    await pass(clock, 100 * INTERVAL_MS, 100, () => {
      pings += connection.pings.length;
      answer();
    });
    assert.equal(codeOf(connection), undefined);
    assert.ok(pings >= 75 && pings <= 100, `${pings} pings in 100 intervals`);
    assert.deepEqual([...new Set(roundTrips)], [42]);
  });

  it('does not ping a busy connection', async () => {
    const { clock, connection } = begin({ leads: true });
    await pass(clock, 20 * INTERVAL_MS, INTERVAL_MS / 2, () => {
      connection.hear();
      connection.say();
    });
    assert.equal(connection.pings.length, 0);
    assert.equal(codeOf(connection), undefined);
  });

  it('pings when it has said nothing for an interval, though it hears: the other side wants signs of life too', async () => {
    const { clock, connection } = begin({ leads: true });
    await pass(clock, 2 * INTERVAL_MS, INTERVAL_MS / 2, () => connection.hear());
    assert.ok(connection.pings.length > 0);
  });

  it('leaves pinging to the other side when it does not lead, for two intervals', async () => {
    const { clock, connection } = begin({ leads: false });
    await pass(clock, 20 * INTERVAL_MS, INTERVAL_MS, () => connection.hear());
    assert.equal(connection.pings.length, 0);
    await clock.fake.advance(1.9 * INTERVAL_MS);
    assert.equal(connection.pings.length, 0);
    await clock.fake.advance(0.2 * INTERVAL_MS);
    assert.equal(connection.pings.length, 1);
  });

  it('looks seldom at a peer that is heard, when it does not lead', async () => {
    const { clock, connection } = begin({ leads: false });
    await pass(clock, 100 * INTERVAL_MS, INTERVAL_MS / 10, () => connection.hear());
    assert.ok(clock.timersSet <= 60, `${clock.timersSet} timers in 100 intervals`);
    assert.ok(clock.timersSet >= 34, 'it does look before a peer could be dead');
  });

  for (const leads of [true, false]) {
    it(`gives a silent peer three intervals, and no more (${leads ? 'leading' : 'following'})`, async () => {
      const { clock, connection } = begin({ leads });
      await clock.fake.advance(1234);
      connection.hear();
      await clock.fake.advance(3 * INTERVAL_MS - 150);
      assert.equal(codeOf(connection), undefined);
      await clock.fake.advance(150);
      assert.equal(codeOf(connection), 'heartbeat-timeout');
      assert.match(connection.ended?.message ?? '', /nothing heard for 29\d{3} ms/);
      assert.equal(clock.fake.pendingTimers, 0);
    });
  }

  it('takes any bytes as a sign of life, to the end', async () => {
    const { clock, connection } = begin({ leads: true });
    await pass(clock, 50 * INTERVAL_MS, 2.9 * INTERVAL_MS, () => connection.hear());
    assert.equal(codeOf(connection), undefined);
  });

  it('looks at what waits to be read before it calls a peer dead, after the process itself was held up', async () => {
    const { clock, connection } = begin({ leads: true });
    await clock.fake.advance(INTERVAL_MS);
    clock.holdUp(5 * INTERVAL_MS); // a suspended machine, a debugger, a long pause
    await clock.fake.advance(INTERVAL_MS / 4); // the check that was due long ago
    assert.equal(codeOf(connection), undefined, 'there may be unread bytes');
    connection.hear(); // there were
    await clock.fake.advance(INTERVAL_MS);
    assert.equal(codeOf(connection), undefined);
  });

  it('calls it dead soon after the hold-up, if there was nothing to read', async () => {
    const { clock, connection } = begin({ leads: true });
    await clock.fake.advance(INTERVAL_MS);
    clock.holdUp(5 * INTERVAL_MS);
    await clock.fake.advance(INTERVAL_MS / 4);
    assert.equal(codeOf(connection), undefined);
    await clock.fake.advance(INTERVAL_MS / 4);
    assert.equal(codeOf(connection), 'heartbeat-timeout');
  });

  it('stops with the connection, and when it is told to', async () => {
    const ending = begin({ leads: true });
    ending.connection.destroy({ code: 'normal', message: 'done' });
    await ending.clock.fake.advance(0);
    assert.equal(ending.clock.fake.pendingTimers, 0);
    const stopping = begin({ leads: true });
    stopping.heartbeat.stop();
    stopping.heartbeat.stop();
    await stopping.clock.fake.advance(10 * INTERVAL_MS);
    assert.equal(codeOf(stopping.connection), undefined);
    assert.equal(stopping.clock.fake.pendingTimers, 0);
  });
});
