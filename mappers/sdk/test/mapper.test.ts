import assert from 'node:assert/strict';
import { gauge, MapperBench, pump } from './mapper-bench.ts';

describe('Mapper: readings', () => {
  let bench: MapperBench;

  beforeEach(() => {
    bench = new MapperBench();
  });
  afterEach(() => bench.end());

  it('says who it is, reads its devices at once and reports all values', async () => {
    await bench.begin(pump);
    const { bus, driver } = bench;
    assert.deepEqual(bus.messages('/hello'), [{ mapper: 'mem', version: '1.2.3', schemas: driver.schemas }]);
    assert.equal(bus.published.find(({ topic }) => topic.endsWith('/hello'))?.retain, true);
    assert.deepEqual(bus.reported(pump), { speed: '42', on: 'true', serial: 'A-1' });
    assert.equal(bus.state(pump), 'online');
    assert.equal(bus.messages('/twin/update').length, 1);
    const [refused] = bus.messages('/refused/default/pump') as { problems: unknown[] }[];
    assert.deepEqual(refused?.problems, []);
  });

  it('reads by cycle, and reports only what has changed', async () => {
    await bench.begin(pump);
    const device = bench.driver.device('pump');
    device.values.set('speed', 43);
    await bench.pass(5_000);
    const later = bench.bus.messages('/twin/update').slice(1) as { twin: object }[];
    assert.deepEqual(
      later.map(({ twin }) => Object.keys(twin)),
      [['speed']],
    );
    assert.equal(bench.bus.reported(pump)['speed'], '43');
    // All of it at once, then each second without what is read every ten.
    assert.deepEqual(device.reads, [['speed', 'on', 'serial'], ...Array<string[]>(5).fill(['speed', 'on'])]);
  });

  it('gives values the time at which they were read', async () => {
    await bench.begin(pump);
    const [first] = bench.bus.messages('/twin/update') as {
      timestamp: number;
      twin: Record<string, { actual: { metadata: { timestamp: number } } }>;
    }[];
    assert.ok(first);
    const ageMs = bench.clock.wallMs() - (first.twin['speed']?.actual.metadata.timestamp ?? 0);
    assert.ok(ageMs >= 0 && ageMs <= 100, `${ageMs} ms`);
  });

  it('says a heartbeat at once and every 5 s, and each state again every 30 s', async () => {
    await bench.begin(pump);
    await bench.pass(60_000);
    const beats = bench.bus.messages('/heartbeat');
    assert.equal(beats.length, 13);
    assert.deepEqual(beats.at(-1), { devices: 1, online: 1, dropped: 0 });
    assert.equal(bench.bus.messages('/state/update').length, 3);
  });

  it('does one thing at a time on a line, and skips cycles that it cannot keep', async () => {
    const devices = ['a', 'b', 'c', 'd'].map((name) => gauge(name, 'shared', 100));
    for (const { name } of devices) bench.driver.device(name).values.set('level', 1);
    bench.driver.latencyMs = 50;
    bench.driver.clock = bench.clock;
    await bench.begin(...devices);
    await bench.pass(10_000);
    assert.equal(bench.driver.busy.get('shared')?.most, 1);
    assert.equal(bench.driver.opened, 1);
    // 200 readings fit into ten seconds; each device gets its share.
    const shares = devices.map(({ name }) => bench.driver.device(name).reads.length);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, shares.join(' '));
    assert.ok(
      shares.every((share) => share >= 45 && share <= 55),
      shares.join(' '),
    );
    const { lateCycles, polls } = bench.mapper.stats;
    assert.ok(lateCycles + polls > 380 && lateCycles + polls < 420, `${lateCycles} late, ${polls} read`);
  });

  it('keeps the latest value of each property while the bus does not acknowledge', async () => {
    await bench.begin(pump);
    const device = bench.driver.device('pump');
    bench.bus.hold();
    for (let speed = 0; speed < 100; speed++) {
      device.values.set('speed', speed);
      await bench.pass(1_000);
    }
    // The window is 64 messages, heartbeats not counted; what came later waits as one value.
    const sent = bench.bus.messages('/twin/update').length;
    assert.ok(sent <= 65, `${sent} messages`);
    assert.ok(bench.mapper.stats.coalesced >= 30, `${bench.mapper.stats.coalesced} coalesced`);
    bench.bus.release();
    await bench.pass(100);
    assert.equal(bench.bus.reported(pump)['speed'], '99');
    assert.equal(bench.bus.messages('/twin/update').length, sent + 1);
  });

  it('says everything again when the bus was away, and goes on reading meanwhile', async () => {
    await bench.begin(pump);
    const { bus } = bench;
    bus.disconnect();
    bench.driver.device('pump').values.set('speed', 50);
    await bench.pass(60_000);
    const readsMeanwhile = bench.driver.device('pump').reads.length;
    assert.ok(readsMeanwhile >= 60, `${readsMeanwhile} readings`);
    bus.published.length = 0;
    bus.connect();
    await bench.pass(100);
    assert.deepEqual(bus.reported(pump), { speed: '50', on: 'true', serial: 'A-1' });
    assert.equal(bus.state(pump), 'online');
    assert.equal(bus.messages('/hello').length, 1);
    assert.equal(bus.messages('/refused/default/pump').length, 1);
    assert.equal(bus.messages('/twin/update').length, 1);
    assert.equal(bench.driver.opened, 1);
  });

  it('takes what a device says by itself, and polls the rest', async () => {
    bench.driver.subscribes = ['speed'];
    await bench.begin(pump);
    const device = bench.driver.device('pump');
    device.say('speed', 77);
    device.say('unheard', 1);
    await bench.pass(100);
    assert.equal(bench.bus.reported(pump)['speed'], '77');
    await bench.pass(3_000);
    // Once in the beginning, then no more.
    assert.deepEqual(
      device.reads.map((read) => read.includes('speed')),
      [true, false, false, false],
    );
    bench.bus.removeDevice(pump);
    await bench.pass(1_000);
    assert.equal(bench.driver.closed, 1);
    device.say('speed', 78);
    await bench.pass(1_000);
    assert.equal(bench.bus.reported(pump)['speed'], '77');
  });

  it('takes what a device says for newer than a reading that began before', async () => {
    bench.driver.subscribes = ['speed'];
    const device = bench.driver.device('pump');
    device.whileRead = () => {
      device.whileRead = () => {};
      device.values.set('speed', 91);
      device.say('speed', 91);
    };
    await bench.begin(pump);
    await bench.pass(3_000);
    assert.equal(bench.bus.reported(pump)['speed'], '91');
  });

  it('reads when it is told to, and says what it has read', async () => {
    await bench.begin(pump);
    const { bus, driver } = bench;
    driver.device('pump').values.set('serial', 'B-2');
    bus.command(pump, { id: 'c1', kind: 'read', properties: ['serial'] });
    bus.command(pump, { id: 'c2', kind: 'read' });
    bus.command(pump, { id: 'c3', kind: 'read', properties: ['nothing'] });
    bus.command(gauge('nobody'), { id: 'c4', kind: 'read' });
    await bench.pass(100);
    driver.device('pump').errors.set('on', new Error('illegal address'));
    bus.command(pump, { id: 'c5', kind: 'read' });
    await bench.pass(100);
    const results = bus.published.filter(({ topic }) => topic.includes('/command-result/'));
    const byId = new Map(results.map(({ message }) => [(message as { id: string }).id, message]));
    assert.deepEqual(byId.get('c1'), { id: 'c1', ok: true, values: { serial: 'B-2' } });
    assert.deepEqual(byId.get('c2'), {
      id: 'c2',
      ok: true,
      values: { speed: '42', on: 'true', serial: 'B-2' },
    });
    assert.deepEqual(byId.get('c3'), { id: 'c3', ok: false, message: 'no such property: nothing' });
    assert.deepEqual(byId.get('c4'), { id: 'c4', ok: false, message: 'there is no such device' });
    assert.deepEqual(byId.get('c5'), {
      id: 'c5',
      ok: false,
      message: 'on: illegal address',
      values: { speed: '42', serial: 'B-2' },
    });
    assert.equal(bus.reported(pump)['serial'], 'B-2');
  });

  it('passes over messages that it does not understand, and counts them', async () => {
    await bench.begin(pump);
    for (const kind of ['devices', 'desired', 'command']) {
      bench.bus.say(`$hw/events/mapper/memory/${kind}/default/pump`, '{"no', false);
    }
    bench.bus.say('$hw/events/mapper/memory/devices/default/other', { revision: 'r', device: pump }, false);
    await bench.pass(2_000);
    assert.equal(bench.mapper.stats.messagesBad, 4);
    assert.deepEqual(bench.mapper.devices(), [{ id: 'default/pump', state: 'online', errors: 0 }]);
  });
});
