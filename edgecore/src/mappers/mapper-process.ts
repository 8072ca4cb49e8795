import { spawn, type ChildProcess } from 'node:child_process';
import type { Clock, Logger, Timer } from '@hawser/seams';
import { mayBeKilled } from '../health/memory-shortage.ts';
import type { MapperDefinition } from './mapper-definition.ts';
import { readLines } from './process-output.ts';
import type { RunAs } from './run-as.ts';

/** What a {@link MapperProcess} needs. */
export interface MapperProcessOptions {
  readonly name: string;
  readonly run: NonNullable<MapperDefinition['run']>;
  readonly as: RunAs | undefined;
  /** How it finds the bus, and what it shows there. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a process ended. */
export interface ProcessEnd {
  /** `exit 1`, `SIGKILL`, `spawn ENOENT`. */
  readonly how: string;
  readonly ranMs: number;
  /** Its last words on standard error, cut. */
  readonly lastWords: string;
}

/** Time from SIGTERM to SIGKILL. */
const STOP_MS = 5_000;
const MAX_LAST_WORDS = 300;
/** What of our own environment a mapper gets. */
const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'HOME', 'DBUS_SYSTEM_BUS_ADDRESS'] as const;

/** One run of a mapper's program, with whatever it starts: a process group of its own. */
export class MapperProcess {
  /** Resolves when the process has ended, and its group with it. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #log: Logger;
  #kill: Timer | undefined;
  #lastWords = '';

  constructor({ name, run, as, env, clock, log }: MapperProcessOptions) {
    this.#clock = clock;
    this.#log = log.child({ mapper: name });
    const startedMs = clock.monotonicMs();
    const [program = '', ...args] = run.command;
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...passedOn(), ...run.env, ...env },
      ...as,
    });
    this.#child = child;
    if (child.pid !== undefined) mayBeKilled(child.pid);
    this.#read(child);
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#kill?.cancel();
        this.#signal('SIGKILL'); // what it has started
        resolve({ how, ranMs: clock.monotonicMs() - startedMs, lastWords: this.#lastWords });
      };
      child.on('error', (error) => {
        if (child.pid === undefined) end(error.message);
      });
      child.on('exit', (code, signal) => end(signal ?? `exit ${code ?? 0}`));
    });
  }

  /** undefined: the program could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to end, and makes it after 5 s. Resolves when it has. Idempotent. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#kill === undefined) {
      this.#signal('SIGTERM');
      this.#kill = this.#clock.setTimer(STOP_MS, () => this.#signal('SIGKILL'));
    }
    await this.ended;
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, signal);
  }

  #read({ stdout, stderr }: ChildProcess): void {
    const told = {
      onDropped: (lines: number) =>
        this.#log.warn({ lines }, 'lines of a mapper were left out: it writes too many'),
      nowMs: () => this.#clock.monotonicMs(),
    };
    if (stdout !== null)
      readLines(stdout, { ...told, onLine: (line) => this.#log.info({ line }, 'mapper says') });
    if (stderr === null) return;
    readLines(stderr, {
      ...told,
      onLine: (line) => {
        this.#lastWords = line.slice(0, MAX_LAST_WORDS);
        this.#log.warn({ line }, 'mapper says');
      },
    });
  }
}

/** Sends a signal to a process and all that it has started. Who has gone has gone; who became another user stays. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

function passedOn(): Record<string, string> {
  const entries = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}
