import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { delay, silentLogger, systemClock, type Clock } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { Leftovers } from '../../src/mappers/leftover.ts';
import { MapperSupervisor } from '../../src/mappers/mapper-supervisor.ts';

const FOR_EVER = 'while :; do sleep 0.1; done';

/** Waits until a check does not throw any more. @returns what it answers */
async function passes<T>(check: () => T | Promise<T>): Promise<T> {
  const found: T[] = [];
  let last: unknown;
  const attempt = async (): Promise<boolean> => {
    try {
      found.push(await check());
    } catch (error) {
      last = error;
    }
    return found.length > 0;
  };
  await eventually('the check passes', attempt).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${String(last)}`);
  });
  const [first] = found;
  return first as T; // there is one, undefined may be it
}

describe('the supervisor of mappers', () => {
  let dir: TempDir;
  let troubles: string[];
  const supervisors: MapperSupervisor[] = [];

  beforeEach(async () => {
    dir = await makeTempDir();
    troubles = [];
  });

  afterEach(async () => {
    for (const supervisor of supervisors.splice(0)) await supervisor.stop();
    await dir.remove();
  });

  async function define(name: string, shell: string, more = 'protocols: [modbus]'): Promise<void> {
    const run = JSON.stringify({ command: ['/bin/sh', '-c', shell] });
    await writeFile(path.join(dir.path, `${name}.yaml`), `run: ${run}\n${more}\n`);
  }

  async function supervise(clock: Clock = systemClock): Promise<MapperSupervisor> {
    const supervisor = new MapperSupervisor({
      dir: dir.path,
      dataDir: path.join(dir.path, 'data'),
      cgroupRoot: '',
      busUrl: () => 'mqtt://127.0.0.1:1',
      onTrouble: (mapper, reason, message) => troubles.push(`${mapper} ${reason} ${message}`),
      clock,
      random: { next: () => 0 },
      log: silentLogger,
    });
    supervisors.push(supervisor);
    await supervisor.open();
    supervisor.run();
    return supervisor;
  }

  const stateOf = (supervisor: MapperSupervisor, name: string) =>
    supervisor.states.find((state) => state.name === name);

  it('runs what is defined, with what it needs to know, and nothing of the own environment', async () => {
    process.env['HAWSER_TEST_SECRET'] = 'not for mappers';
    const out = path.join(dir.path, 'out');
    await define('modbus', `env > ${out}.new; mv ${out}.new ${out}; ${FOR_EVER}`);
    const supervisor = await supervise();
    const env = await passes(() => readFile(out, 'utf8'));
    delete process.env['HAWSER_TEST_SECRET'];
    assert.match(env, /HAWSER_BUS_URL=mqtt:\/\/127\.0\.0\.1:1/);
    assert.match(env, /HAWSER_MAPPER_NAME=modbus/);
    assert.doesNotMatch(env, /HAWSER_TEST_SECRET/);
    const secret = /HAWSER_MAPPER_SECRET=(.*)/.exec(env)?.[1] ?? '';
    assert.equal(supervisor.credentials('modbus', secret)?.name, 'modbus');
    assert.equal(supervisor.credentials('modbus', 'other'), undefined);
    assert.equal(stateOf(supervisor, 'modbus')?.state, 'running');
  });

  it('starts again what ends, and says how it ended', async () => {
    await define('modbus', 'echo out of luck >&2; exit 3');
    const supervisor = await supervise();
    await passes(() => assert.ok((stateOf(supervisor, 'modbus')?.restarts ?? 0) >= 1));
    assert.match(
      troubles[0] ?? '',
      /^modbus MapperEnded after .* s by exit 3: out of luck; it is started again$/,
    );
    assert.equal(stateOf(supervisor, 'modbus')?.lastEnd, 'exit 3: out of luck');
  });

  it('says why a program cannot be started', async () => {
    const run = JSON.stringify({ command: ['/no/such/program'] });
    await writeFile(path.join(dir.path, 'modbus.yaml'), `run: ${run}\nprotocols: [modbus]\n`);
    await supervise();
    await passes(() => assert.match(troubles.join(), /modbus MapperEnded .*ENOENT/));
    const user = JSON.stringify({ command: ['/bin/true'], user: 'nobody-of-this-name' });
    await writeFile(path.join(dir.path, 'other.yaml'), `run: ${user}\n`);
    const second = await supervise();
    await passes(() =>
      assert.match(troubles.join(), /other MapperNotStarted there is no user nobody-of-this-name/),
    );
    await second.stop();
  });

  it('ends one that says nothing, with all that it has started', async () => {
    const pids = path.join(dir.path, 'pids');
    await define('modbus', `trap '' TERM; (trap '' TERM; ${FOR_EVER}) & echo $$ $! > ${pids}; ${FOR_EVER}`);
    const clock = new FakeClock();
    const supervisor = await supervise(clock);
    const numbers = await passes(async () => {
      const found = (await readFile(pids, 'utf8')).trim().split(' ').map(Number);
      assert.equal(found.length, 2);
      return found;
    });
    await passes(() => assert.equal(stateOf(supervisor, 'modbus')?.pid, numbers[0]));
    supervisor.heartbeat('modbus');
    assert.equal(stateOf(supervisor, 'modbus')?.lastHeartbeatMs, clock.wallMs());
    await passes(async () => {
      await clock.advance(31_000); // SIGTERM, which it does not hear; then SIGKILL
      await new Promise(setImmediate);
      assert.match(troubles.join(), /modbus MapperHung no sign of life for/);
      for (const pid of numbers) assert.throws(() => process.kill(pid, 0), /ESRCH/);
    });
    assert.equal(troubles.filter((each) => each.includes('MapperEnded')).length, 0);
    let stopped = false;
    void supervisor.stop().then(() => (stopped = true));
    await passes(async () => {
      await clock.advance(5_000); // the next one does not hear SIGTERM either
      assert.ok(stopped);
    });
  });

  it('does not wait for signs of life of what serves no devices', async () => {
    await define('app', FOR_EVER, 'topics: {}');
    const clock = new FakeClock();
    const supervisor = await supervise(clock);
    await passes(() => assert.equal(stateOf(supervisor, 'app')?.state, 'running'));
    await clock.advance(600_000);
    assert.deepEqual(troubles, []);
    assert.equal(stateOf(supervisor, 'app')?.state, 'running');
  });

  it('follows definitions: another command, none any more', async () => {
    const clock = new FakeClock();
    await define('modbus', FOR_EVER);
    const supervisor = await supervise(clock);
    const first = await passes(() => {
      const { pid } = stateOf(supervisor, 'modbus') ?? {};
      assert.ok(pid);
      return pid;
    });
    await define('modbus', `: another; ${FOR_EVER}`);
    await passes(async () => {
      await clock.advance(10_000);
      await delay(20); // files are read outside of the fake clock
      const { pid } = stateOf(supervisor, 'modbus') ?? {};
      assert.ok(pid !== undefined && pid !== first);
      assert.throws(() => process.kill(first, 0), /ESRCH/);
    });
    await rm(path.join(dir.path, 'modbus.yaml'));
    await passes(async () => {
      await clock.advance(10_000);
      await delay(20); // files are read outside of the fake clock
      assert.deepEqual(supervisor.states, []);
    });
    assert.deepEqual(troubles, []);
  });

  it('ends what an earlier run has left, and nobody else', async () => {
    const left = spawn('/bin/sh', ['-c', FOR_EVER], { detached: true, stdio: 'ignore' });
    const ended = new Promise((resolve) => left.on('exit', (_, signal) => resolve(signal)));
    await define('modbus', FOR_EVER);
    const supervisor = await supervise();
    await supervisor.stop();
    await new Leftovers(path.join(dir.path, 'data', 'mappers'), silentLogger).remember(
      'modbus',
      left.pid ?? 0,
    );
    const next = await supervise();
    assert.equal(await ended, 'SIGTERM');
    await passes(() => assert.equal(stateOf(next, 'modbus')?.state, 'running'));
  });

  it('is not kept from stopping by what an earlier run has left and cannot be ended', async () => {
    const left = spawn('/bin/sh', ['-c', FOR_EVER], { stdio: 'ignore' }); // leads no group: signals to one miss it
    await define('modbus', FOR_EVER);
    await (await supervise()).stop();
    const leftovers = new Leftovers(path.join(dir.path, 'data', 'mappers'), silentLogger);
    await leftovers.remember('modbus', left.pid ?? 0);
    const clock = new FakeClock();
    const next = await supervise(clock);
    let stopped = false;
    void next.stop().then(() => (stopped = true));
    for (let passedMs = 0; passedMs < 4_000; passedMs += 50) {
      await clock.advance(50);
      await new Promise(setImmediate);
    }
    assert.equal(stopped, false, 'most that is left ends when it is told to');
    await passes(async () => {
      await clock.advance(1_000);
      assert.ok(stopped);
    });
    assert.equal(await leftovers.find('modbus'), left.pid, 'the next start looks for it again');
    left.kill('SIGKILL');
  });

  it('reads what a mapper writes without end, and passes on some of it', async () => {
    await define('modbus', 'yes this is a line');
    const supervisor = await supervise();
    await passes(() => assert.equal(stateOf(supervisor, 'modbus')?.state, 'running'));
    const before = process.memoryUsage().rss;
    await delay(300); // so much of its writing is looked at
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
  });
});
