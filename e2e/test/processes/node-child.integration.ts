import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { eventually, within } from '@hawser/seams/testing';
import { processUsage, startNode, type NodeChild, type NodeChildOptions } from '../../src/index.ts';

const script = (name: string): URL => new URL(`children/${name}.js`, import.meta.url);

describe('NodeChild', () => {
  const children: NodeChild[] = [];

  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.kill()));
  });

  async function start(options: Partial<NodeChildOptions> = {}): Promise<NodeChild> {
    const child = await startNode({ script: script('talker'), ...options });
    children.push(child);
    return child;
  }

  async function ticks(child: NodeChild): Promise<number> {
    await child.send('ticks');
    return ((await child.message()) as { ticks: number }).ticks;
  }

  it('waits until the child is ready, and has its pid, value and output', async () => {
    const child = await start({ args: ['one', 'two'], env: { TALKER: 'yes' } });
    const ready = child.ready as { pid: number; env: string; bytes: Uint8Array };
    assert.equal(ready.pid, child.pid, 'no process in between');
    assert.equal(ready.env, 'yes');
    assert.equal(Buffer.from(ready.bytes).toString(), 'raw');
    await child.output(/arguments: one two/);
  });

  it('exchanges messages', async () => {
    const child = await start();
    await child.send('one');
    await child.send({ two: 2 });
    const isTwo = (message: unknown): boolean => typeof (message as { echo: unknown }).echo === 'object';
    assert.deepEqual(await child.message(isTwo), { echo: { two: 2 } });
    assert.deepEqual(await child.message(), { echo: 'one' });
    await assert.rejects(child.message(undefined, 50), { code: 'ERR_E2E_CHILD_TIMEOUT' });
  });

  it('freezes and thaws', async () => {
    const child = await start();
    await child.freeze();
    await child.send('ticks');
    await assert.rejects(child.message(undefined, 100), { code: 'ERR_E2E_CHILD_TIMEOUT' });
    child.thaw();
    const then = ((await child.message()) as { ticks: number }).ticks;
    await eventually('it goes on', async () => (await ticks(child)) > then);
  });

  it('kills, frozen or not, and more than once', async () => {
    for (const frozen of [false, true]) {
      const child = await start();
      if (frozen) await child.freeze();
      const exits = await within('the kills', Promise.all([child.kill(), child.kill(), child.exited]));
      assert.deepEqual(exits[0], { code: null, signal: 'SIGKILL' });
      assert.ok(!existsSync(`/proc/${child.pid}`));
      await assert.rejects(child.freeze(), { code: 'ERR_E2E_CHILD_EXITED' });
      assert.throws(() => child.thaw(), { code: 'ERR_E2E_CHILD_EXITED' });
    }
  });

  it('stops with SIGTERM, a frozen one too, and kills one that does not want to', async () => {
    assert.deepEqual(await (await start()).stop(), { code: null, signal: 'SIGTERM' });
    const frozen = await start();
    await frozen.freeze();
    assert.deepEqual(await frozen.stop(), { code: null, signal: 'SIGTERM' });
    const stubborn = await start({ args: ['stubborn'] });
    assert.deepEqual(await stubborn.stop(100), { code: null, signal: 'SIGKILL' });
    assert.match(stubborn.stderr, /no, thank you/);
  });

  it('tells of a child that ends, with its last words', async () => {
    const child = await start();
    await child.send('fail');
    await assert.rejects(child.message(), { code: 'ERR_E2E_CHILD_EXITED', message: /failed as told/ });
    assert.equal((await child.exited).code, 1);
    await assert.rejects(start({ script: script('nowhere') }), {
      code: 'ERR_E2E_CHILD_EXITED',
      message: /Cannot find module/,
    });
    await assert.rejects(start({ cwd: '/nowhere/at/all' }), { code: 'ERR_E2E_CHILD_EXITED' });
  });

  it('kills one that is not ready in time', async () => {
    await assert.rejects(start({ script: script('mute'), readyTimeoutMs: 500 }), {
      code: 'ERR_E2E_CHILD_TIMEOUT',
      message: /I have nothing to say/,
    });
    const mute = await start({ script: script('mute'), readyWhen: 'spawned' });
    await mute.output(/nothing to say/);
  });

  it('leaves no orphan when the parent exits or is killed, even a frozen one', async function () {
    if (process.platform !== 'linux') this.skip();
    for (const how of ['exits', 'is killed'] as const) {
      const parent = await start({ script: script('parent') });
      const pid = parent.ready as number;
      assert.ok(runs(pid));
      if (how === 'exits') await parent.send('exit');
      else await parent.kill();
      await eventually(`the child is gone when the parent ${how}`, () => !runs(pid));
    }
  });

  it('measures what a process uses', async function () {
    if (process.platform !== 'linux') this.skip();
    const usage = await processUsage(process.pid);
    const rssBytes = process.memoryUsage.rss();
    assert.ok(Math.abs(usage.rssBytes - rssBytes) < 0.2 * rssBytes, `${usage.rssBytes}, not ${rssBytes}`);
    assert.ok(usage.anonBytes > 0 && usage.anonBytes < usage.rssBytes);
    const { user, system } = process.cpuUsage();
    assert.ok(Math.abs(usage.cpuMs - (user + system) / 1000) < 100);
    assert.ok(usage.writtenBytes >= 0);
  });
});

/** Whether a process exists and is not just waiting to be reaped. */
function runs(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
