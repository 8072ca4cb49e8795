import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { EngineTuning } from '../../src/health/engine-tuning.ts';

describe('EngineTuning', () => {
  let clock: FakeClock;
  let cpuMs: number;
  let flags: string[];
  let idles: number;
  let tuning: EngineTuning;

  beforeEach(() => {
    clock = new FakeClock();
    cpuMs = 500;
    flags = [];
    idles = 0;
    tuning = new EngineTuning({
      clock,
      log: silentLogger,
      cpuMs: () => cpuMs,
      setFlags: (flag) => flags.push(flag),
      onIdle: () => (idles += 1),
    });
    tuning.start();
  });

  it('leaves an idle process without compilers', async () => {
    for (let n = 0; n < 100; n++) {
      cpuMs += 100;
      await clock.advance(30_000);
    }
    assert.equal(tuning.compiling, false);
    assert.deepEqual(flags, []);
    tuning.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('gives them back to a busy one, once', async () => {
    cpuMs += 4_000;
    await clock.advance(30_000);
    assert.equal(tuning.compiling, true);
    assert.deepEqual(flags, ['--sparkplug', '--opt']);
    assert.equal(clock.pendingTimers, 0);
    tuning.start();
    assert.equal(clock.pendingTimers, 0);
  });

  it('tells that it is idle twice every five minutes, from the start on', async () => {
    const told: number[] = [];
    for (let n = 0; n < 40; n++) {
      cpuMs += 100;
      await clock.advance(30_000);
      told.push(idles);
    }
    const at = (...looks: readonly number[]): readonly (number | undefined)[] =>
      looks.map((look) => told[look - 1]);
    assert.deepEqual(at(1, 2, 3, 10, 11, 12, 13, 21, 40), [1, 2, 2, 2, 3, 4, 4, 5, 8]);
    tuning.stop();
  });

  it('does not tell that it is while it has something to do', async () => {
    for (let n = 0; n < 40; n++) {
      cpuMs += 1_000;
      await clock.advance(30_000);
    }
    assert.equal(idles, 0);
    tuning.stop();
  });

  it('works in the engine itself: code becomes fast again', async function () {
    this.timeout(30_000);
    const diet = new URL('../../src/memory-diet.js', import.meta.url).href;
    const script = `
      (await import(${JSON.stringify(diet)})).beginMemoryDiet();
      const { setFlagsFromString } = await import('node:v8');
      const work = () => { let x = 0; for (let i = 0; i < 2e6; i++) x = (Math.imul(x, 31) + i) | 0; return x; };
      const time = () => { const start = performance.now(); work(); return performance.now() - start; };
      const best = (n) => Math.min(...Array.from({ length: n }, time));
      const before = best(3);
      setFlagsFromString('--sparkplug');
      setFlagsFromString('--opt');
      console.log(before / best(40));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    assert.ok(Number(stdout) > 3, `${stdout.trim()} times as fast`);
  });
});
