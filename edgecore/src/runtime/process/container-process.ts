import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { constants } from 'node:os';
import { delay, deferred } from '@hawser/seams';
import { killMembers, type ProcessIdentity } from './container-members.ts';
import type { Launch } from './launch.ts';
import type { LogWriter } from './log-writer.ts';
import { processStat } from './process-stat.ts';

/** What a {@link ContainerProcess} is started with. */
export interface ContainerProcessOptions {
  readonly id: string;
  readonly launch: Launch;
  /** undefined: its output is read, and kept nowhere. */
  readonly log: LogWriter | undefined;
  readonly stdin: boolean;
}

/** Gets a copy of what a container writes. */
export type OutputListener = (stream: 'stdout' | 'stderr', chunk: Buffer) => void;

/** Source: POSIX shells: 128 and the number of the signal. */
const SIGNAL_BASE = 128;
const START_MS = 30_000;
const DRAIN_MS = 2_000;
const MAX_COMPLAINT = 2_048;
/** Of the launcher: what went wrong before the program was started. It is closed when all went well. */
const STATUS_FD = 3;

/** The processes of one container: the leader of a session of their own, and whatever it starts. */
export class ContainerProcess {
  /** Set when it has been started. */
  identity: ProcessIdentity | undefined;
  readonly #options: ContainerProcessOptions;
  readonly #listeners = new Set<OutputListener>();
  readonly #ended = deferred<number>();
  #child: ChildProcess | undefined;

  constructor(options: ContainerProcessOptions) {
    this.#options = options;
  }

  /** Its exit code, once it has ended, nothing of it is left, and its log is complete. Never rejects. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /** Its standard input; null: it has none. */
  get stdin(): Writable | null {
    return this.#child?.stdin ?? null;
  }

  /** Resolves when the program runs. @throws Error why it could not be started; nothing of it is left then */
  async start(): Promise<void> {
    const { launch, stdin, log, id } = this.#options;
    const [program, ...args] = launch.argv;
    await log?.start();
    const child = spawn(program, args, {
      ...{ detached: true, env: launch.env, cwd: launch.cwd },
      stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', ...(launch.tells ? (['pipe'] as const) : [])],
    });
    this.#child = child;
    const exit = this.#exit(child);
    const drained = Promise.all([this.#pump('stdout', child.stdout), this.#pump('stderr', child.stderr)]);
    child.stdin?.on('error', () => {}); // it does not read any more, which is its right
    if (child.pid !== undefined) {
      const stat = await processStat(child.pid);
      this.identity = { pid: child.pid, began: stat?.began ?? '' };
    }
    const complaint = child.pid === undefined ? (await exit).failure : await readComplaint(child);
    void exit.then(async ({ code }) => {
      await killMembers(id, this.identity);
      await Promise.race([drained, delay(DRAIN_MS)]); // another container may have been handed its output
      child.stdout?.destroy();
      child.stderr?.destroy();
      await log?.close();
      this.#ended.resolve(code);
    });
    if (complaint === undefined || complaint === '') return;
    this.signal('SIGKILL');
    await this.ended;
    throw new Error(complaint);
  }

  /** Sends a signal to its first process. It has ended: nothing to do. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Kills all of it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Hands on its output from now on; answers how to stop that. */
  listen(listener: OutputListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #exit(child: ChildProcess): Promise<{ readonly code: number; readonly failure?: string }> {
    return new Promise((resolve) => {
      child.on('error', (error) => {
        if (child.pid === undefined) resolve({ code: SIGNAL_BASE, failure: error.message });
      });
      child.on('exit', (code, signal) => {
        resolve({ code: signal === null ? (code ?? 0) : SIGNAL_BASE + constants.signals[signal] });
      });
    });
  }

  /** Reads no faster than the log is written. */
  async #pump(stream: 'stdout' | 'stderr', from: Readable | null): Promise<void> {
    if (from === null) return;
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        for (const listener of this.#listeners) listener(stream, chunk);
        await this.#options.log?.write(stream, chunk);
      }
    } catch {
      // It was destroyed: what came after the container's end is nobody's.
    }
  }
}

/** What the launcher has to complain about; empty: the program was started. */
async function readComplaint(child: ChildProcess): Promise<string> {
  const status = child.stdio[STATUS_FD] as Readable | null | undefined;
  if (status === null || status === undefined) return '';
  return new Promise((resolve) => {
    let said = '';
    const patience = setTimeout(
      () => status.destroy(new Error('it takes too long to mount its volumes')),
      START_MS,
    );
    const settle = (text: string): void => {
      clearTimeout(patience);
      resolve(text.trim().replaceAll(/\s*\n\s*/g, '; '));
    };
    status.on('data', (chunk: Buffer) => {
      if (said.length < MAX_COMPLAINT) said += chunk.toString();
    });
    status.on('end', () => settle(said));
    status.on('error', (error) => settle(error.message));
  });
}
