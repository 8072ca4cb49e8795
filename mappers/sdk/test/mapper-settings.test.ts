import assert from 'node:assert/strict';
import { MapperBench, pump } from './mapper-bench.ts';

describe('Mapper: settings', () => {
  let bench: MapperBench;

  beforeEach(() => {
    bench = new MapperBench();
  });
  afterEach(() => bench.end());

  const writes = (): readonly unknown[] => bench.driver.device('pump').writes;

  it('writes what shall be, reads it back at once, reports it and says so', async () => {
    await bench.begin(pump);
    bench.bus.desire(pump, { speed: '55', on: 'false' });
    await bench.pass(50);
    assert.deepEqual(writes(), [
      ['speed', 55],
      ['on', false],
    ]);
    const { speed, on } = bench.bus.reported(pump);
    assert.deepEqual([speed, on], ['55', 'false']);
    assert.deepEqual(bench.bus.settled(pump), {
      speed: { version: 'of 55', ok: true },
      on: { version: 'of false', ok: true },
    });
    // A day later nothing was written again.
    await bench.pass(100_000);
    assert.equal(writes().length, 2);
  });

  it('takes a setting that comes before its device', async () => {
    bench.bus.desire(pump, { speed: '55' });
    await bench.begin(pump);
    assert.deepEqual(writes(), [['speed', 55]]);
  });

  it('does not write a version again that was settled, after the bus or the connection was away', async () => {
    await bench.begin(pump);
    bench.bus.desire(pump, { speed: '55' });
    await bench.pass(100);
    // Somebody turns a knob at the device: that stands.
    bench.driver.device('pump').values.set('speed', 12);
    bench.bus.disconnect();
    await bench.pass(1_000);
    bench.bus.published.length = 0;
    bench.bus.connect();
    for (const lose of bench.driver.losers) lose(new Error('cable pulled'));
    await bench.pass(5_000);
    assert.equal(writes().length, 1);
    assert.equal(bench.bus.reported(pump)['speed'], '12');
    // What became of it is said again all the same.
    assert.deepEqual(bench.bus.settled(pump)['speed'], { version: 'of 55', ok: true });
    // The same value with another version is another setting.
    bench.bus.desire(pump, { speed: { value: '55', version: 'anew' } });
    await bench.pass(100);
    assert.equal(writes().length, 2);
  });

  it('writes after a restart of the mapper only where the device reads another value', async () => {
    await bench.begin(pump);
    bench.bus.desire(pump, { speed: '55', on: 'true' });
    await bench.pass(100);
    // The switch was on already, before the mapper began.
    assert.deepEqual(writes(), [['speed', 55]]);
    await bench.restart(pump);
    bench.bus.desire(pump, { speed: '55', on: 'true' });
    await bench.begin();
    assert.equal(writes().length, 1);
    assert.equal(bench.bus.settled(pump)['speed']?.ok, true);
    bench.driver.device('pump').values.set('speed', 3);
    await bench.restart(pump);
    bench.bus.desire(pump, { speed: '55', on: 'true' });
    await bench.begin();
    assert.deepEqual(writes().at(-1), ['speed', 55]);
    assert.equal(writes().length, 2);
  });

  it('tries a write again that failed, later each time, until another one comes', async () => {
    await bench.begin(pump);
    const device = bench.driver.device('pump');
    device.errors.set('speed', new Error('locked'));
    bench.bus.desire(pump, { speed: '55' });
    await bench.pass(50);
    assert.deepEqual(bench.bus.settled(pump)['speed'], {
      version: 'of 55',
      ok: false,
      message: 'locked; tried again',
    });
    await bench.pass(120_000);
    const { writeFailures } = bench.mapper.stats;
    assert.ok(writeFailures >= 5 && writeFailures <= 12, `${writeFailures} attempts in two minutes`);
    // It was told once, not each time.
    assert.equal(bench.bus.messages('/settled/default/pump').length, 1);
    bench.bus.desire(pump, { speed: '56' });
    await bench.pass(50);
    assert.equal(bench.mapper.stats.writeFailures, writeFailures + 1);
    device.errors.clear();
    await bench.pass(2_000);
    assert.deepEqual(writes(), [['speed', 56]]);
    assert.deepEqual(bench.bus.settled(pump)['speed'], { version: 'of 56', ok: true });
  });

  it('stops trying when nobody wants it any more', async () => {
    await bench.begin(pump);
    bench.driver.device('pump').errors.set('speed', new Error('locked'));
    bench.bus.desire(pump, { speed: '55' });
    await bench.pass(1_000);
    bench.bus.desire(pump, {});
    bench.driver.device('pump').errors.clear();
    await bench.pass(120_000);
    assert.deepEqual(writes(), []);
  });

  it('refuses for good what is out of range, of another type, read-only or unknown', async () => {
    await bench.begin(pump);
    bench.bus.desire(pump, { speed: '101', on: 'perhaps', serial: 'X', colour: 'red' });
    await bench.pass(100_000);
    const settled = bench.bus.settled(pump);
    const said = (property: string): string | undefined => settled[property]?.message;
    assert.match(said('speed') ?? '', /speed must be <= 100, is 101$/);
    assert.match(said('on') ?? '', /on must be true or false/);
    assert.match(said('serial') ?? '', /serial is ReadOnly/);
    assert.match(said('colour') ?? '', /no such property/);
    assert.ok(Object.values(settled).every(({ ok }) => !ok));
    assert.equal(bench.mapper.stats.writes, 0);
    // With another range it is right.
    const [speed, ...others] = pump.properties;
    assert.ok(speed);
    bench.bus.device({ ...pump, properties: [{ ...speed, maximum: 200 }, ...others] });
    await bench.pass(1_000);
    assert.deepEqual(writes(), [['speed', 101]]);
  });

  it('says what the device reads where it is not what was written', async () => {
    await bench.begin(pump);
    const device = bench.driver.device('pump');
    const set = device.values.set.bind(device.values);
    device.values.set = (property, value) => set(property, property === 'speed' ? 50 : value);
    bench.bus.desire(pump, { speed: '55' });
    await bench.pass(50);
    assert.deepEqual(bench.bus.settled(pump)['speed'], {
      version: 'of 55',
      ok: true,
      message: 'written; the device reads 50',
    });
    assert.equal(bench.bus.reported(pump)['speed'], '50');
  });

  it('keeps what was settled when the device changes, and forgets it with another device of the name', async () => {
    await bench.begin(pump);
    bench.bus.desire(pump, { speed: '55' });
    await bench.pass(50);
    bench.driver.device('pump').values.set('speed', 12);
    const [speed, ...others] = pump.properties;
    assert.ok(speed);
    bench.bus.device({ ...pump, properties: [{ ...speed, collectCycleMs: 500 }, ...others] });
    await bench.pass(2_000);
    assert.equal(writes().length, 1);
    bench.bus.device({ ...pump, uid: 'another' });
    bench.bus.desire(pump, { speed: '55' });
    await bench.pass(2_000);
    assert.equal(writes().length, 2);
  });

  it('writes before it polls', async () => {
    bench.driver.latencyMs = 200;
    bench.driver.clock = bench.clock;
    await bench.begin(pump);
    await bench.pass(1_000);
    bench.bus.desire(pump, { speed: '55' });
    // The reading that is under way, one reading to compare, the write.
    await bench.pass(700);
    assert.deepEqual(writes(), [['speed', 55]]);
  });
});
