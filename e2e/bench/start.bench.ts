// npm start itself: how long until its nodes are Ready and its pods Running, and what all of its processes take of a core
// when the demonstration is over and nobody does anything, the live view included. `npm run bench -- start
// [part …]` with parts of: idle start. Default: all.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { delay } from '@hawser/seams';
import { median, runBench, runCommand, type Bench } from '../src/index.ts';
import { usageOfRun, type RunUsage } from './start/run-usage.ts';

const MAIN = path.resolve(import.meta.dirname, '../src/demo/main.js');
const RUNS = 3;
const SETTLE_MS = 20_000;
const MEASURE_MS = 60_000;
const DEMONSTRATION_LIMIT_MS = 180_000;
const STARTED = /Running (\d+\.\d) s after the start/;
const IS_OVER = /Hawser {3}\S+ {3}running/;

/** From the start of the program; without setting up, which is done once. */
async function measureStart(bench: Bench, tmp: string): Promise<void> {
  const samples: number[] = [];
  const processor: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const demo = spawn(process.execPath, [MAIN, '--keep', '--no-view'], { env: environment(tmp) });
    const [, seconds = ''] = await saying(demo, STARTED);
    samples.push(Number(seconds) * 1000);
    processor.push((await usageOfRun(tmp)).cpuMs);
    await stop(demo);
  }
  bench.figure({ figure: 'start_ms', value: median(samples), unit: 'ms', n: RUNS });
  // What says more on a machine that has other things to do.
  bench.figure({ figure: 'start_cpu_ms', value: median(processor), unit: 'ms', n: RUNS });
}

/** All its processes, in a terminal of 80 by 24. */
async function measureIdle(bench: Bench, tmp: string): Promise<void> {
  const command = `stty rows 24 cols 80; exec ${process.execPath} ${MAIN}`;
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { env: environment(tmp) });
  try {
    await saying(terminal, IS_OVER);
    bench.say('the demonstration is over; waiting …');
    await delay(SETTLE_MS);
    const before = await usageOfRun(tmp);
    await delay(MEASURE_MS);
    const after = await usageOfRun(tmp);
    tell(bench, before, after);
    const percent = ((after.cpuMs - before.cpuMs) / MEASURE_MS) * 100;
    const note = `${after.processes.length} processes, ${Math.round(after.rssBytes / 1e6)} MB resident in sum`;
    bench.figure({ figure: 'idle_percent', value: percent, unit: '% of a core', n: 1, note });
  } finally {
    await stop(terminal);
  }
}

/** Who takes what. */
function tell(bench: Bench, before: RunUsage, after: RunUsage): void {
  const old = new Map(before.processes.map(({ pid, cpuMs }) => [pid, cpuMs]));
  const taken = after.processes.map(({ pid, cpuMs, command }) => ({
    ms: cpuMs - (old.get(pid) ?? 0),
    command,
  }));
  for (const { ms, command } of taken.toSorted((one, other) => other.ms - one.ms).slice(0, 12))
    bench.say(`${((ms / MEASURE_MS) * 100).toFixed(2).padStart(6)} %  ${command.slice(0, 100)}`);
}

function environment(tmp: string): NodeJS.ProcessEnv {
  return { ...process.env, TMPDIR: tmp, TERM: 'xterm' };
}

/** Waits until a program has printed something. @throws Error when it has not in time, with the end of what it has */
function saying(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let said = '';
    let found: RegExpExecArray | null = null;
    const giveUp = (why: string): void => {
      clearTimeout(late);
      reject(new Error(`${String(pattern)} was not printed, ${why}: ${said.slice(-2000)}`));
    };
    const late = setTimeout(giveUp, DEMONSTRATION_LIMIT_MS, 'in time');
    child.once('exit', () => giveUp('it has ended'));
    child.stderr?.resume();
    // Read to its end: whoever writes into a full pipe waits, and hears no signal.
    child.stdout?.on('data', (chunk: Buffer) => {
      if (found !== null) return;
      said = (said + String(chunk)).slice(-20_000);
      found = pattern.exec(said);
      if (found === null) return;
      clearTimeout(late);
      resolve(found);
    });
  });
}

/** Ends a run as Ctrl-C does. */
async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  // Of a terminal it is the program inside that is to end.
  const isTerminal = child.spawnfile === 'script';
  const inside = isTerminal ? await runCommand('pgrep', ['-P', `${child.pid ?? 0}`]) : `${child.pid ?? 0}`;
  process.kill(Number(inside.split('\n')[0]), 'SIGINT');
  await ended;
}

const PARTS: Readonly<Record<string, (bench: Bench, tmp: string) => Promise<void>>> = {
  idle: measureIdle,
  start: measureStart,
};

await runBench(
  'start',
  async (bench) => {
    const wanted = process.argv.slice(2);
    const unknown = wanted.filter((name) => PARTS[name] === undefined);
    if (unknown.length > 0)
      throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
    const tmp = await mkdtemp(path.join(tmpdir(), 'hwst-'));
    bench.onEnd(() => rm(tmp, { recursive: true, force: true }));
    for (const [name, measure] of Object.entries(PARTS))
      if (wanted.length === 0 || wanted.includes(name)) await measure(bench, tmp);
  },
  { limitMs: 15 * 60_000 },
);
