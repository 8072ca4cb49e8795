import assert from 'node:assert/strict';
import { Bench, median, pairedRuns, percentile, runBench, type BenchOutput } from '../../src/index.ts';

function recorder(): { output: BenchOutput; printed: unknown[]; said: string[] } {
  const printed: unknown[] = [];
  const said: string[] = [];
  const output = {
    print: (line: string) => void printed.push(JSON.parse(line)),
    say: (line: string) => void said.push(line),
  };
  return { output, printed, said };
}

describe('median and percentile', () => {
  it('take what is in the middle', () => {
    assert.equal(median([3]), 3);
    assert.equal(median([10, 1, 3]), 3);
    assert.equal(median([4, 1, 10, 3]), 3.5);
  });

  it('take a sample by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.equal(percentile(hundred, 50), 50);
    assert.equal(percentile(hundred, 99), 99);
    assert.equal(percentile(hundred, 100), 100);
    assert.equal(percentile(hundred, 0.1), 1);
    assert.equal(percentile([15, 20, 35, 40, 50], 30), 20);
    assert.equal(percentile([2, 1], 99), 2);
  });

  it('refuse what has no answer', () => {
    assert.throws(() => median([]), { code: 'ERR_E2E_BAD_OPTION' });
    assert.throws(() => percentile([1], 0), { code: 'ERR_E2E_BAD_OPTION' });
    assert.throws(() => percentile([1], 101), { code: 'ERR_E2E_BAD_OPTION' });
  });
});

describe('pairedRuns', () => {
  it('takes turns, leaves warm-ups out, and gives the ratio of medians', async () => {
    const calls: string[] = [];
    const values = { own: [99, 2, 8, 4], rival: [99, 2, 1, 2] };
    const run = (who: 'own' | 'rival') => () => {
      calls.push(who);
      return Promise.resolve(values[who].shift() ?? NaN);
    };
    const result = await pairedRuns({ own: run('own'), rival: run('rival'), runs: 3 });
    assert.deepEqual(result, { own: [2, 8, 4], rival: [2, 1, 2], ratio: 2, runs: 3 });
    assert.deepEqual(calls, ['rival', 'own', 'own', 'rival', 'rival', 'own', 'own', 'rival']);
  });
});

describe('Bench', () => {
  it('prints a figure as a line of JSON', () => {
    const { output, printed } = recorder();
    const bench = new Bench('tunnel', output);
    bench.figure({ figure: 'echo_p50_ms', value: 1.23456789, unit: 'ms', n: 100 });
    bench.figure({ figure: 'big', value: 1_234_567, unit: 'B', n: 1, note: 'once' });
    assert.deepEqual(printed, [
      { bench: 'tunnel', figure: 'echo_p50_ms', value: 1.2346, unit: 'ms', n: 100 },
      { bench: 'tunnel', figure: 'big', value: 1_234_600, unit: 'B', n: 1, note: 'once' },
    ]);
  });

  it('refuses figures that mean nothing', () => {
    const { output, printed } = recorder();
    const bench = new Bench('tunnel', output);
    const good = { figure: 'a', value: 1, unit: 'ms', n: 1 };
    for (const bad of [{ value: NaN }, { value: Infinity }, { n: 0 }, { n: 1.5 }, { figure: 'echoMs' }])
      assert.throws(() => bench.figure({ ...good, ...bad }), { code: 'ERR_E2E_BAD_OPTION' });
    bench.figure(good);
    assert.throws(() => bench.figure(good), /printed twice/);
    assert.equal(printed.length, 1);
  });
});

describe('runBench', () => {
  let exitCode: typeof process.exitCode;

  beforeEach(() => (exitCode = process.exitCode));
  afterEach(() => (process.exitCode = exitCode));

  it('runs the work, then cleans up in reverse', async () => {
    const { output, said } = recorder();
    const events: string[] = [];
    const work = (bench: Bench): Promise<void> => {
      bench.onEnd(() => void events.push('first'));
      bench.onEnd(() => void events.push('second'));
      bench.say('hello');
      events.push('work');
      return Promise.resolve();
    };
    assert.equal(await runBench('x', work, { output }), true);
    assert.deepEqual(events, ['work', 'second', 'first']);
    assert.equal(said[0], '[x] hello');
    assert.match(said[1] ?? '', /done after/);
  });

  it('cleans up after a failure, every step, and says what failed', async () => {
    const { output, said } = recorder();
    let cleaned = 0;
    const work = (bench: Bench): Promise<void> => {
      bench.onEnd(() => {
        cleaned++;
      });
      bench.onEnd(() => Promise.reject(new Error('broken cleaner')));
      return Promise.reject(new Error('broken work'));
    };
    assert.equal(await runBench('x', work, { output }), false);
    assert.equal(cleaned, 1);
    assert.equal(process.exitCode, 1);
    assert.match(said.join('\n'), /broken work[^]*cleaning up failed[^]*failed after/);
  });

  it('gives up what takes too long', async () => {
    const { output, said } = recorder();
    let release: () => void = () => {};
    const work = (bench: Bench): Promise<void> => {
      bench.onEnd(() => release());
      return new Promise((_, reject) => (release = () => reject(new Error('cut off'))));
    };
    assert.equal(await runBench('x', work, { output, limitMs: 30 }), false);
    assert.match(said[0] ?? '', /not done within 0.03 s/);
    assert.ok(!said.join().includes('cut off'));
  });
});
