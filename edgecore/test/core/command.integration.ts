import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, within } from '@hawser/seams/testing';
import { EdgeSite, makePod } from '../../testing/index.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the command edgecore', function () {
  this.timeout(60_000);
  let site: EdgeSite;
  let children: ChildProcess[];

  beforeEach(async () => {
    site = await EdgeSite.open();
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await site.close();
  });

  function start(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });
    children.push(child);
    const text = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
    return { child, ended };
  }

  async function configFile(): Promise<string> {
    const file = path.join(site.dir, 'edgecore.yaml');
    await writeFile(file, JSON.stringify(site.config({ log: { level: 'debug' } }))); // JSON is YAML
    return file;
  }

  const isUp = (): Promise<boolean> =>
    site.admin.status().then(
      ({ session, scopes }) => session.state === 'up' && scopes.every(({ synced }) => synced),
      () => false,
    );
  const LONG = { deadlineMs: 20_000 };

  it('joins the session, and stops in good order at SIGTERM', async () => {
    site.hub.put('pods', { kind: 'Pod', ...makePod('a') });
    const { child, ended } = start(['--config', await configFile()]);
    await eventually('it is up', isUp, LONG);
    const status = await site.admin.status();
    assert.equal(status.process.pid, child.pid);
    assert.equal(status.node.name, 'edge-1');
    child.kill('SIGTERM');
    const { code, stderr, stdout } = await within('its end', ended, 10_000);
    assert.equal(code, 0);
    assert.equal(stdout, '');
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    assert.ok(lines.some(({ msg }) => msg === 'edge core ready'));
    assert.equal(lines.at(-1)?.msg, 'stopped');
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error'),
      [],
    );
    const reason = await site.hub.tunnels[0]?.closed;
    assert.deepEqual([reason?.code, reason?.by], ['normal', 'remote']);
  });

  it('goes on after SIGKILL with what it had', async () => {
    site.hub.put('pods', { kind: 'Pod', ...makePod('a') });
    const config = await configFile();
    const first = start(['--config', config]);
    await eventually('a runs', () => site.hub.bodies('pod').length > 0, LONG);
    first.child.kill('SIGKILL');
    await first.ended;
    await site.hub.down();
    const second = start(['--config', config]);
    await eventually(
      'it has tried',
      async () => {
        const status = await site.admin.status().catch(() => undefined);
        return status?.session.lastError !== undefined && status.scopes[0]?.objects === 1;
      },
      LONG,
    );
    second.child.kill('SIGINT');
    assert.equal((await within('its end', second.ended, 10_000)).code, 0);
  });

  it('tells systemd that it is ready, alive, and stopping', async function () {
    const notify = path.join(site.dir, 'systemd-notify');
    const said = path.join(site.dir, 'said');
    await writeFile(notify, `#!/bin/sh\necho "$*" >> ${said}\n`, { mode: 0o755 });
    const { child, ended } = start(['--config', await configFile()], {
      PATH: `${site.dir}:${process.env['PATH'] ?? ''}`,
      NOTIFY_SOCKET: '/run/nobody',
      WATCHDOG_USEC: '1000000',
    });
    const text = (): Promise<string> => readFile(said, 'utf8').catch(() => '');
    await eventually(
      'two signs of life',
      async () => ((await text()).match(/WATCHDOG=1/g)?.length ?? 0) >= 2,
      LONG,
    );
    child.kill('SIGTERM');
    assert.equal((await within('its end', ended, 10_000)).code, 0);
    assert.match(await text(), /^READY=1 STATUS=node edge-1, .+\n(WATCHDOG=1( STATUS=.+)?\n)+STOPPING=1\n/);
  });

  it('says what it is and what it can', async () => {
    const help = await start(['--help']).ended;
    assert.deepEqual([help.code, help.stderr], [0, '']);
    assert.match(help.stdout, /--config FILE/);
    const version = await start(['--version']).ended;
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it('ends with a code that says why', async () => {
    const misuse = await start(['--nonsense']).ended;
    assert.equal(misuse.code, 2);
    assert.match(misuse.stderr, /^edgecore: .*--nonsense/);
    const wrong = await start(['--set', 'node.maxPods=none', '--data-dir', 'relative']).ended;
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /node\.maxPods: .*data\.dir: /);
    const absent = await start(['--config', path.join(site.dir, 'none.yaml')]).ended;
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /ENOENT/);
    const stranger = await start(['--data-dir', path.join(site.dir, 'new'), '--socket', site.socket]).ended;
    assert.equal(stranger.code, 3);
    await site.start();
    const second = await start(['--data-dir', site.dataDir, '--socket', site.socket]).ended;
    assert.equal(second.code, 1);
    assert.match(second.stderr, /ERR_EDGE_STORE_IN_USE/);
  });
});
