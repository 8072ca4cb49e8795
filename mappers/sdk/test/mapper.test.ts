import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { seededRandom } from '@hawser/seams';
import { Mapper } from '../src/mapper.ts';
import { boundDevice, TestBus } from '../testing/index.ts';
import { MemoryDriver } from './memory-driver.ts';

const pump = boundDevice({
  name: 'pump',
  protocol: 'memory',
  config: { at: 'pump' },
  properties: [
    { name: 'speed', type: 'INT', minimum: 0, maximum: 100 },
    { name: 'on', type: 'BOOLEAN' },
    { name: 'serial', type: 'STRING', accessMode: 'ReadOnly', collectCycleMs: 10_000 },
  ],
});

describe('Mapper', () => {
  let clock: FakeClock;
  let driver: MemoryDriver;
  let bus: TestBus;
  let mapper: Mapper;

  beforeEach(() => {
    clock = new FakeClock();
    driver = new MemoryDriver();
    bus = new TestBus();
    mapper = new Mapper(driver, { name: 'mem', bus, clock, random: seededRandom(1) });
    const device = driver.device('pump');
    device.values.set('speed', 42);
    device.values.set('on', true);
    device.values.set('serial', 'A-1');
  });

  afterEach(async () => {
    await mapper.stop();
    assert.equal(clock.pendingTimers, 0, 'timers are left');
    assert.equal(driver.closed, driver.opened, 'connections are left open');
  });

  const begin = async (): Promise<void> => {
    bus.device(pump);
    mapper.start();
    await loaded();
  };
  /** Validation loads a library by a dynamic import, which takes real time. */
  const loaded = async (): Promise<void> => {
    const untilMs = performance.now() + 5_000;
    while (driver.opened === 0 && performance.now() < untilMs) await clock.advance(0);
    await clock.advance(50);
  };

  it('says who it is, reads its devices at once and reports all values', async () => {
    await begin();
    assert.deepEqual(bus.messages('/hello'), [{ mapper: 'mem', version: '1.2.3', schemas: driver.schemas }]);
    assert.deepEqual(bus.reported(pump), { speed: '42', on: 'true', serial: 'A-1' });
    assert.equal(bus.state(pump), 'online');
    assert.equal(bus.messages('/twin/update').length, 1);
    assert.deepEqual((bus.messages('/refused/default/pump')[0] as { problems: unknown[] }).problems, []);
  });

  it('reads by cycle, and reports only what has changed', async () => {
    await begin();
    const device = driver.device('pump');
    device.values.set('speed', 43);
    await clock.advance(5_000);
    assert.deepEqual(
      bus
        .messages('/twin/update')
        .slice(1)
        .map((message) => Object.keys((message as { twin: object }).twin)),
      [['speed']],
    );
    assert.equal(bus.reported(pump)['speed'], '43');
    // The first, at once, with everything; then each second without what is read every ten.
    assert.equal(device.reads.length, 6);
    assert.deepEqual(device.reads[1], ['speed', 'on']);
  });
});
