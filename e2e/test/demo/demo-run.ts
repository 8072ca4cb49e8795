import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

const MAIN = new URL('../../src/demo/main.js', import.meta.url).pathname;
/** Images for containers, made once; they are this machine's, and stay. */
const CACHE = 'hawser-test-images-';

/** A run that takes longer is ended, and tells so by its signal. */
const RUN_LIMIT_MS = 150_000;

/** What a run of the demonstration came to. */
export interface DemoRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the first interruption to the end, milliseconds; undefined: there was none. */
  readonly stoppedMs?: number;
}

/** When it is interrupted, and how. */
export interface Interruption {
  /** Once so many lines were printed. */
  readonly afterLines: number;
  /** One after the other, at once. */
  readonly signals: readonly NodeJS.Signals[];
  /** As Ctrl-C at a terminal does it: to all that it has started, too, as far as that is of its process group. */
  readonly toGroup?: boolean;
}

/** Runs the demonstration to its end. @param tmp folder for all that it writes */
export async function runDemo(
  args: readonly string[],
  tmp: string,
  interruption?: Interruption,
): Promise<DemoRun> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: tmp, HOME: tmp },
    detached: true, // a process group of its own
  });
  const patience = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS);
  const interrupted = interruption === undefined ? undefined : interruptAfter(child, interruption);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  clearTimeout(patience);
  const startedMs = interrupted?.();
  return {
    ...{ code: child.exitCode, signal: child.signalCode, stdout, stderr },
    ...(startedMs !== undefined && { stoppedMs: performance.now() - startedMs }),
  };
}

/** @returns when it was interrupted */
function interruptAfter(
  child: ChildProcess,
  { afterLines, signals, toGroup = false }: Interruption,
): () => number | undefined {
  let lines = 0;
  let atMs: number | undefined;
  child.stdout?.on('data', (chunk: Buffer) => {
    lines += chunk.toString().split('\n').length - 1;
    if (lines < afterLines || atMs !== undefined) return;
    atMs = performance.now();
    for (const signal of signals) {
      if (toGroup && child.pid !== undefined) process.kill(-child.pid, signal);
      else child.kill(signal);
    }
  });
  return () => atMs;
}

/** What is left of runs in a folder: processes, mounts, files; empty: nothing. */
export async function remainsOf(tmp: string): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(tmp));
  const files = (await readdir(tmp)).filter((name) => !name.startsWith(CACHE));
  return [...(await processesOf(tmp)), ...mounts, ...files];
}

/** Processes that were started, at whatever remove, with this folder as HOME, which mappers are given, too. */
async function processesOf(tmp: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [environment, command] = await Promise.all(
        ['environ', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')), // it has ended
      );
      const isOurs = environment?.split('\0').includes(`HOME=${tmp}`) === true;
      return isOurs ? [`process ${pid}: ${(command ?? '').replaceAll('\0', ' ')}`] : [];
    }),
  );
  return found.flat();
}
