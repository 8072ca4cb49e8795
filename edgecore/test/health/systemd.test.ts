import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@hawser/seams';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { SystemdNotifier, type SystemdEnvironment } from '../../src/health/systemd.ts';

describe('SystemdNotifier', () => {
  let temp: TempDir;
  let clock: FakeClock;
  let healthy: boolean;
  let status: string;
  let program: string;
  const notifiers: SystemdNotifier[] = [];

  beforeEach(async () => {
    temp = await makeTempDir();
    clock = new FakeClock();
    healthy = true;
    status = 'node edge-1';
    // In place of systemd's program: writes down what it was told.
    program = path.join(temp.path, 'notify');
    await writeFile(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${temp.path}/said\n`);
    await chmod(program, 0o755);
  });
  afterEach(async () => {
    for (const notifier of notifiers.splice(0)) notifier.stop();
    await temp.remove();
  });

  function make(environment: SystemdEnvironment, log: Logger = silentLogger): SystemdNotifier {
    const notifier = new SystemdNotifier({
      environment,
      isHealthy: () => Promise.resolve(healthy),
      status: () => status,
      clock,
      log,
      program,
    });
    notifiers.push(notifier);
    return notifier;
  }

  const said = async (): Promise<readonly string[]> => {
    const text = await readFile(path.join(temp.path, 'said'), 'utf8').catch(() => '');
    return text.trim().split('\n').filter(Boolean);
  };

  it('says nothing where nobody listens', async () => {
    const notifier = make({});
    await notifier.ready();
    await notifier.stopping();
    assert.deepEqual(await said(), []);
    assert.equal(clock.pendingTimers, 0);
  });

  it('says when it is ready and when it stops', async () => {
    const notifier = make({ NOTIFY_SOCKET: '/run/x' });
    await notifier.ready();
    await notifier.stopping();
    assert.deepEqual(
      (await said()).map((line) => line.replace(/^\S* /, '')),
      ['READY=1 STATUS=node edge-1', 'STOPPING=1'],
    );
    assert.equal(notifier.watchdogMs, undefined);
    assert.equal(clock.pendingTimers, 0);
  });

  it('gives signs of life twice a period, while all is well', async () => {
    const notifier = make({
      NOTIFY_SOCKET: '/run/x',
      WATCHDOG_USEC: '20000000',
      WATCHDOG_PID: String(process.pid),
    });
    await notifier.ready();
    assert.equal(notifier.watchdogMs, 20_000);
    const signs = async (): Promise<number> =>
      (await said()).filter((line) => line.includes('WATCHDOG=1')).length;
    await clock.advance(10_000);
    await eventually('a sign', async () => (await signs()) === 1);
    await eventually('the next timer', () => clock.pendingTimers === 1);
    healthy = false;
    await clock.advance(10_000);
    await eventually('the next timer', () => clock.pendingTimers === 1);
    assert.equal(await signs(), 1);
    healthy = true;
    status = 'node edge-1, connected';
    await clock.advance(10_000);
    await eventually('another sign', async () => (await signs()) === 2);
    assert.deepEqual(
      (await said()).map((line) => line.replace(/^\S* /, '')),
      ['READY=1 STATUS=node edge-1', 'WATCHDOG=1', 'WATCHDOG=1 STATUS=node edge-1, connected'],
    );
  });

  it('does not answer for another process', () => {
    assert.equal(make({ WATCHDOG_USEC: '20000000', WATCHDOG_PID: '1' }).watchdogMs, undefined);
    assert.equal(make({ WATCHDOG_USEC: '20000000' }).watchdogMs, 20_000);
  });

  it('goes on where systemd cannot be told', async () => {
    program = '/nonexistent/systemd-notify';
    const warnings: string[] = [];
    const log = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) };
    await make({ NOTIFY_SOCKET: '/run/x' }, log).ready();
    assert.match(warnings[0] ?? '', /systemd could not be told: .*ENOENT/);
  });
});
