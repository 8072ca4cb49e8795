import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { ExecResult } from '../container-runtime.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { Launch } from './launch.ts';

/** A command for {@link runCommand}. */
export interface CommandOptions {
  /** Of the container. */
  readonly id: string;
  readonly launch: Launch;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** See {@link ExecResult}. */
const MAX_OUTPUT_BYTES = 64 * 1024;
const SIGNAL_BASE = 128;
/** Source: shells: the exit code of a command that is not there. */
const NOT_FOUND = 127;

/**
 * Runs a command in a container, and answers what it has written and how it ended. What it started and left behind goes
 * on with the container, but does not keep the answer waiting.
 * @throws RuntimeError `…_TIMEOUT`, and its processes are killed; `signal.reason`, likewise
 */
export async function runCommand({ id, launch, timeoutMs, signal }: CommandOptions): Promise<ExecResult> {
  signal?.throwIfAborted();
  const child = startCommand(launch, 'ignore');
  const [stdout, stderr] = [new CutText(), new CutText()];
  child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
  return new Promise((resolve, reject) => {
    const end = (error: Error): void => {
      killCommand(child);
      reject(error);
    };
    const timeout = setTimeout(() => {
      const message = `command timed out after ${timeoutMs} ms`;
      end(new RuntimeError('ERR_EDGECORE_RUNTIME_TIMEOUT', message, { about: id }));
    }, timeoutMs);
    const onAbort = (): void => end(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    void exitOf(child).then(async (exitCode) => {
      clearTimeout(timeout);
      signal?.removeEventListener('abort', onAbort);
      await outputRead(child);
      resolve({ exitCode, stdout: stdout.text, stderr: stderr.text });
    });
  });
}

/** Starts it, as the leader of a session of its own. */
export function startCommand({ argv, env, cwd }: Launch, stdin: 'ignore' | 'pipe'): ChildProcess {
  const [program, ...args] = argv;
  const child = spawn(program, args, { detached: true, env, cwd, stdio: [stdin, 'pipe', 'pipe'] });
  child.stdin?.on('error', () => {}); // it does not read any more
  return child;
}

/** Its exit code as a shell has it. Never rejects. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', () => {
      if (child.pid === undefined) resolve(NOT_FOUND);
    });
    child.on('exit', (code, signal) =>
      resolve(signal === null ? (code ?? 0) : SIGNAL_BASE + constants.signals[signal]),
    );
  });
}

/** Kills a command that runs, and its group. Its number is its own for as long as it has not been waited for. */
export function killCommand(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const DRAIN_MS = 200;

/** Until all was read that it wrote; what it has left behind may hold its output open, and is not waited for. */
export function outputRead(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const ends = streams.map(
    (stream) => new Promise<void>((resolve) => (stream.closed ? resolve() : stream.once('close', resolve))),
  );
  return new Promise((resolve) => {
    const patience = setTimeout(() => {
      for (const stream of streams) stream.destroy();
      resolve();
    }, DRAIN_MS);
    void Promise.all(ends).then(() => {
      clearTimeout(patience);
      resolve();
    });
  });
}

/** The beginning of an output. */
class CutText {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  add(chunk: Buffer): void {
    const kept = chunk.subarray(0, MAX_OUTPUT_BYTES - this.#length);
    if (kept.length > 0) this.#chunks.push(Buffer.from(kept));
    this.#length += kept.length;
  }
}
