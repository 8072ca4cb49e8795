import assert from 'node:assert/strict';
import type { Problem } from '@hawser/devices';
import { boundDevice } from '../testing/index.ts';
import { gauge, MapperBench, pump } from './mapper-bench.ts';

describe('Mapper: devices and connections', () => {
  let bench: MapperBench;

  beforeEach(() => {
    bench = new MapperBench();
  });
  afterEach(() => bench.end());

  const problemsOf = (name: string): readonly Problem[] | undefined =>
    (bench.bus.messages(`/refused/default/${name}`).at(-1) as { problems: readonly Problem[] } | undefined)
      ?.problems;

  it('refuses what the schemas and the driver do not take, with paths in the Device', async () => {
    await bench.begin(
      gauge('good'),
      { ...gauge('no-address'), config: {} },
      { ...gauge('nowhere'), config: { at: 'nowhere' } },
      boundDevice({
        name: 'unlucky',
        protocol: 'memory',
        config: { at: 'unlucky' },
        properties: [{ name: 'a' }, { name: 'b', visitor: { address: 13 } }],
      }),
      boundDevice({
        name: 'negative',
        protocol: 'memory',
        config: { at: 'negative' },
        properties: [{ name: 'a', visitor: { address: -1 } }],
      }),
    );
    assert.deepEqual(problemsOf('good'), []);
    const paths = (name: string): readonly string[] | undefined =>
      problemsOf(name)?.map(({ path, message }) => `${path} ${message}`);
    assert.match(paths('no-address')?.join() ?? '', /^\/spec\/protocol\/configData.*at/);
    assert.deepEqual(paths('nowhere'), ['/spec/protocol/configData/at is nowhere']);
    assert.deepEqual(paths('unlucky'), ['/spec/properties/1/visitors/configData/address is unlucky']);
    assert.match(
      paths('negative')?.join() ?? '',
      /^\/spec\/properties\/0\/visitors\/configData\/address must/,
    );
    assert.deepEqual(
      bench.mapper.devices().map(({ id }) => id),
      ['default/good'],
    );
    assert.equal(bench.mapper.refused().size, 4);
  });

  it('serves a device when it is mended, and no more when it is broken again', async () => {
    const broken = { ...gauge('g'), config: { at: 'nowhere' } };
    await bench.begin(broken);
    assert.equal(bench.driver.opened, 0);
    bench.driver.device('g').values.set('level', 5);
    bench.bus.device(gauge('g'));
    await bench.pass(100);
    assert.deepEqual(problemsOf('g'), []);
    assert.deepEqual(bench.bus.reported(gauge('g')), { level: '5' });
    bench.bus.device(broken);
    await bench.pass(100);
    assert.equal(problemsOf('g')?.length, 1);
    assert.equal(bench.driver.closed, 1);
    assert.deepEqual(bench.mapper.devices(), []);
  });

  it('fills in defaults of the schemas, and gives the same visits each time', async () => {
    const seen: unknown[] = [];
    const open = bench.driver.open.bind(bench.driver);
    bench.driver.open = async (config) => {
      seen.push(config);
      const connection = await open(config);
      const read = connection.read.bind(connection);
      connection.read = (device, visits, signal) => {
        seen.push(visits[0]);
        return read(device, visits, signal);
      };
      return connection;
    };
    await bench.begin(gauge('g'));
    await bench.pass(2_000);
    assert.deepEqual(seen[0], { at: 'g', speed: 9600 });
    assert.deepEqual(seen[1], { property: 'level', type: 'INT', writable: true, visitor: { address: 7 } });
    assert.equal(seen[1], seen[2]);
  });

  it('closes the connection with its last device, and opens it for the next', async () => {
    const [a, b] = [gauge('a', 'shared'), gauge('b', 'shared')];
    await bench.begin(a, b);
    assert.equal(bench.driver.opened, 1);
    bench.bus.removeDevice(a);
    await bench.pass(2_000);
    assert.equal(bench.driver.closed, 0);
    bench.bus.removeDevice(b);
    await bench.pass(100);
    assert.equal(bench.driver.closed, 1);
    assert.deepEqual(bench.mapper.connections(), { idle: 0, opening: 0, open: 0, waiting: 0 });
    bench.bus.device(a);
    await bench.pass(100);
    assert.equal(bench.driver.opened, 2);
  });

  it('opens the connection anew when the device that it was opened with has another configuration', async () => {
    const g = gauge('g', 'shared');
    await bench.begin(g);
    bench.bus.device({ ...g, config: { ...g.config, speed: 19200 } });
    await bench.pass(1_000);
    assert.equal(bench.driver.opened, 2);
    assert.equal(bench.driver.closed, 1);
    // Another cycle alone is no reason.
    bench.bus.device({ ...gauge('g', 'shared', 500), config: { ...g.config, speed: 19200 } });
    await bench.pass(1_000);
    assert.equal(bench.driver.opened, 2);
  });

  it('removes what was removed while the bus was away, 30 s after it is back', async () => {
    const [a, b] = [gauge('a'), gauge('b')];
    await bench.begin(a, b);
    bench.bus.disconnect();
    bench.bus.removeDevice(b);
    await bench.pass(100_000);
    assert.equal(bench.mapper.devices().length, 2);
    bench.bus.published.length = 0;
    bench.driver.device('a').values.set('level', 1);
    bench.driver.device('b').values.set('level', 1);
    bench.bus.connect();
    await bench.pass(29_000);
    assert.equal(bench.mapper.devices().length, 2);
    assert.deepEqual(bench.bus.reported(a), { level: '1' });
    // Who speaks of a device that is gone is disconnected by the edge core, again and again.
    assert.deepEqual(
      bench.bus.published.filter(({ topic }) => topic.includes('/b')),
      [],
    );
    await bench.pass(2_000);
    assert.deepEqual(
      bench.mapper.devices().map(({ id }) => id),
      ['default/a'],
    );
  });

  it('tries to open with back-off, and tells that devices are offline', async () => {
    bench.driver.unreachable = new Error('connection refused');
    await bench.begin(pump);
    bench.bus.desire(pump, { speed: '50' });
    await bench.pass(3_000);
    assert.equal(bench.bus.state(pump), 'offline');
    assert.deepEqual(bench.bus.settled(pump)['speed'], {
      version: 'of 50',
      ok: false,
      message: 'cannot be reached: connection refused; tried again',
    });
    await bench.pass(600_000);
    // 0.5, 1, 2 … 60 s: about sixteen in ten minutes, not 1,200.
    const { openFailures } = bench.mapper.stats;
    assert.ok(openFailures >= 12 && openFailures <= 30, `${openFailures} attempts`);
    bench.driver.unreachable = undefined;
    await bench.pass(61_000);
    assert.equal(bench.bus.state(pump), 'online');
    assert.equal(bench.bus.reported(pump)['speed'], '50');
    assert.deepEqual(bench.bus.settled(pump)['speed'], { version: 'of 50', ok: true });
  });

  it('is offline after two failures in a row, online with the first answer', async () => {
    await bench.begin(pump);
    const device = bench.driver.device('pump');
    device.fault = 'error';
    await bench.pass(1_000);
    assert.equal(bench.bus.state(pump), 'online');
    await bench.pass(1_000);
    assert.equal(bench.bus.state(pump), 'offline');
    await bench.pass(300_000);
    const { pollFailures } = bench.mapper.stats;
    assert.ok(pollFailures >= 6 && pollFailures <= 20, `${pollFailures} attempts in five minutes`);
    device.fault = 'none';
    device.values.set('speed', 1);
    await bench.pass(61_000);
    assert.equal(bench.bus.state(pump), 'online');
    assert.equal(bench.bus.reported(pump)['speed'], '1');
    assert.equal(bench.mapper.stats.lateCycles, 0);
  });

  it('is unhealthy while a property fails three times in a row, and well when none does', async () => {
    await bench.begin(pump);
    const device = bench.driver.device('pump');
    device.errors.set('on', new Error('illegal address'));
    await bench.pass(2_000);
    assert.equal(bench.bus.state(pump), 'online');
    await bench.pass(1_000);
    assert.equal(bench.bus.state(pump), 'unhealthy');
    device.values.set('speed', 7);
    await bench.pass(1_000);
    assert.equal(bench.bus.reported(pump)['speed'], '7');
    device.errors.clear();
    // A value that is not of the type is an error of its property as well.
    device.values.set('on', 'maybe');
    await bench.pass(5_000);
    assert.equal(bench.bus.state(pump), 'unhealthy');
    device.values.set('on', false);
    await bench.pass(1_000);
    assert.equal(bench.bus.state(pump), 'online');
  });

  it('is not held up by a device that does not answer for longer than its time-out', async () => {
    const [dead, alive] = [gauge('dead', 'shared'), gauge('alive', 'shared')];
    bench.driver.callTimeoutMs = 300;
    bench.driver.device('alive').values.set('level', 1);
    bench.driver.device('dead').fault = 'silent';
    await bench.begin(dead, alive);
    await bench.pass(60_000);
    assert.equal(bench.bus.state(dead), 'offline');
    assert.equal(bench.bus.state(alive), 'online');
    const reads = bench.driver.device('alive').reads.length;
    assert.ok(reads >= 58, `${reads} readings in a minute`);
    assert.equal(bench.driver.opened, 1);
  });

  it('opens a lost connection anew, without a word of it where that goes well', async () => {
    await bench.begin(pump);
    for (const lose of bench.driver.losers) lose(new Error('cable pulled'));
    await bench.pass(2_000);
    assert.equal(bench.driver.opened, 2);
    assert.equal(bench.driver.closed, 1);
    bench.driver.device('pump').fault = 'lost once';
    await bench.pass(3_000);
    const { opened } = bench.mapper.stats;
    assert.equal(opened, 3);
    assert.deepEqual(
      bench.bus.messages('/state/update').map((message) => (message as { state: string }).state),
      ['online'],
    );
  });

  it('gives up a call that does not end, and its connection with it', async () => {
    bench.driver.callTimeoutMs = 500;
    const [deaf, alive] = [gauge('deaf', 'shared'), gauge('alive', 'shared')];
    bench.driver.device('alive').values.set('level', 1);
    await bench.begin(deaf, alive);
    bench.driver.device('deaf').fault = 'deaf';
    await bench.pass(60_000);
    assert.ok(bench.driver.opened > 1);
    assert.equal(bench.bus.state(deaf), 'offline');
    // 2.5 s each time, less often each time.
    const reads = bench.driver.device('alive').reads.length;
    assert.ok(reads >= 35, `${reads} readings in a minute`);
  });

  it('ends though a call hangs in a driver', async () => {
    await bench.begin(pump);
    bench.driver.device('pump').fault = 'deaf';
    await bench.pass(1_500);
    const beganMs = bench.clock.monotonicMs();
    await bench.end();
    assert.ok(bench.clock.monotonicMs() - beganMs <= 4_000);
  });
});
