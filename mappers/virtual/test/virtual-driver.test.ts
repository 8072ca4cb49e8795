import assert from 'node:assert/strict';
import type { ConfigData } from '@hawser/devices';
import { ConnectionLost, PropertyError, type Connection, type Visit } from '@hawser/mapper-sdk';
import { describeDriver } from '@hawser/mapper-sdk/testing';
import { silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { VirtualDriver, type VirtualConfig, type VirtualVisitor } from '../src/index.ts';

describeDriver(new VirtualDriver(), {
  start: () => Promise.resolve({ seed: 7, latencyMs: 5 }),
  stop: () => Promise.resolve(),
  readable: [
    {
      property: 'label',
      type: 'STRING',
      visitor: { signal: 'constant', value: 'press 1' },
      expect: 'press 1',
    },
    { property: 'level', type: 'FLOAT', visitor: { signal: 'sine', min: 10, max: 20 } },
    {
      property: 'raw',
      type: 'BYTES',
      visitor: { signal: 'constant', value: 'hi' },
      expect: Buffer.from('hi'),
    },
  ],
  writable: [
    { property: 'target', type: 'DOUBLE', visitor: {}, values: [1.5, -2] },
    { property: 'on', type: 'BOOLEAN', visitor: { value: false }, values: [true, false] },
  ],
  refuses: { property: 'ramp', type: 'INT', visitor: { signal: 'ramp' }, value: 3 },
});

const CONFIG: VirtualConfig = {
  seed: 1,
  latencyMs: 0,
  fault: 'none',
  faultDelayMs: 1_000,
  faultAfterMs: 0,
  faultForMs: 0,
  faultEveryMs: 0,
};
const VISITOR: VirtualVisitor = { signal: 'echo', min: 0, max: 100, periodMs: 60_000, step: 1 };
const SIGNAL = new AbortController().signal;

function visit(visitor: Partial<VirtualVisitor>, type: Visit['type'] = 'DOUBLE'): Visit<VirtualVisitor> {
  return { property: 'p', type, writable: true, visitor: { ...VISITOR, ...visitor } };
}

describe('a simulated device', () => {
  let clock: FakeClock;
  let driver: VirtualDriver;
  let connection: Connection<VirtualConfig, VirtualVisitor>;

  beforeEach(async () => {
    clock = new FakeClock();
    driver = new VirtualDriver(clock);
    connection = await driver.open(CONFIG, { log: silentLogger, clock }, SIGNAL);
  });
  afterEach(() => connection.close());

  const read = async (
    visitor: Partial<VirtualVisitor>,
    type?: Visit['type'],
    config: Partial<VirtualConfig> = {},
    id = 'default/v',
  ): Promise<unknown> => {
    const [result] = await connection.read(
      { id, config: { ...CONFIG, ...config } },
      [visit(visitor, type)],
      SIGNAL,
    );
    assert.ok(result);
    return 'value' in result ? result.value : result.error;
  };

  it('goes as its signals say', async () => {
    await read({});
    const sine = { signal: 'sine', min: 0, max: 10, periodMs: 4_000 } as const;
    const ramp = { signal: 'ramp', min: 0, max: 10, periodMs: 4_000 } as const;
    const seen: unknown[] = [];
    for (let second = 0; second < 4; second++) {
      seen.push([
        await read(sine, 'INT'),
        await read(ramp, 'DOUBLE'),
        await read({ signal: 'toggle', periodMs: 4_000 }, 'BOOLEAN'),
      ]);
      await clock.advance(1_000);
    }
    assert.deepEqual(seen, [
      [5, 0, false],
      [10, 2.5, false],
      [5, 5, true],
      [0, 7.5, true],
    ]);
  });

  it('counts readings, and begins again at its lower end', async () => {
    const counter = { signal: 'counter', min: 0, max: 2 } as const;
    const seen = [];
    for (let reading = 0; reading < 5; reading++) seen.push(await read(counter, 'INT'));
    assert.deepEqual(seen, [0, 1, 2, 0, 1]);
  });

  it('walks at random, the same way for the same seed, within its range', async () => {
    const walk = { signal: 'random-walk', min: 0, max: 1, step: 0.5 } as const;
    const walkOf = async (id: string, seed: number): Promise<readonly number[]> => {
      const seen: number[] = [];
      for (let reading = 0; reading < 200; reading++)
        seen.push(Number(await read(walk, 'DOUBLE', { seed }, id)));
      return seen;
    };
    const first = await walkOf('default/a', 5);
    assert.deepEqual(await walkOf('default/b', 5), first);
    assert.notDeepEqual(await walkOf('default/c', 6), first);
    assert.ok(first.every((value) => value >= 0 && value <= 1));
    assert.ok(new Set(first).size > 100);
  });

  it('keeps what was written when its connection is closed', async () => {
    await connection.write({ id: 'default/v', config: CONFIG }, visit({}), 12.5, SIGNAL);
    await connection.close();
    connection = await driver.open(CONFIG, { log: silentLogger, clock }, SIGNAL);
    assert.equal(await read({}), 12.5);
  });

  it('does wrong what it is told to', async () => {
    assert.equal(await read({ signal: 'sine' }, 'DOUBLE', { fault: 'wrong' }), 1_100);
    assert.ok((await read({}, 'DOUBLE', { fault: 'error' })) instanceof PropertyError);
    await assert.rejects(read({}, 'DOUBLE', { fault: 'lost' }), ConnectionLost);
    const offline = assert.rejects(read({}, 'DOUBLE', { fault: 'offline' }), /no answer/);
    await clock.advance(1_000);
    await offline;
    let answered = false;
    const slow = read({}, 'DOUBLE', { fault: 'slow' }).then(() => (answered = true));
    await clock.advance(999);
    assert.equal(answered, false);
    await clock.advance(1);
    await slow;
  });

  it('does wrong when it is told to', async () => {
    const config = { fault: 'error', faultAfterMs: 2_000, faultForMs: 1_000, faultEveryMs: 3_000 } as const;
    const seen: boolean[] = [];
    for (let second = 0; second < 8; second++) {
      seen.push((await read({}, 'DOUBLE', config)) instanceof Error);
      await clock.advance(1_000);
    }
    assert.deepEqual(seen, [false, false, true, false, false, true, false, false]);
  });

  it('ends a wait when its caller gives up, and when it is closed', async () => {
    const config = { ...CONFIG, latencyMs: 60_000 };
    const caller = new AbortController();
    const given = connection.read({ id: 'default/v', config }, [visit({})], caller.signal);
    const closed = connection.read({ id: 'default/v', config }, [visit({})], SIGNAL);
    caller.abort(new Error('given up'));
    await assert.rejects(given, /given up/);
    await Promise.all([assert.rejects(closed, ConnectionLost), connection.close()]);
    assert.equal(clock.pendingTimers, 0);
  });

  it('says what no schema can', () => {
    const config: ConfigData & VirtualConfig = { ...CONFIG };
    assert.deepEqual(
      driver.check(config, [visit({ min: 5, max: 1 })]).map(({ path, property }) => [path, property]),
      [['/min', 'p']],
    );
  });
});
