import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { delay, type Logger } from '@hawser/seams';
import { mayBeKilled } from '../../health/memory-shortage.ts';
import { VERSION } from '../../version.ts';
import { RuntimeError } from '../runtime-error.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import {
  PROTOCOL,
  SUPERVISOR_FILES,
  type FromSupervisor,
  type SentError,
  type SupervisorCalls,
  type SupervisorFacts,
  type ToSupervisor,
} from './supervisor-protocol.ts';

/** What a {@link SupervisorLink} needs. */
export interface SupervisorLinkOptions {
  /** Folder of the supervisor; made if it is not there. */
  readonly dir: string;
  readonly links: boolean;
  /** See `SupervisorOptions.idleMs`. */
  readonly idleMs: number;
  /** A pod has changed; undefined: any of them may have. */
  readonly onChange: (uid: string | undefined) => void;
  readonly log: Logger;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** In the bundle it has a file of its own; compiled, it is beside this one. */
const MAINS = ['process-supervisor.js', 'supervisor-main.js'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
/** Containers are other programs' memory: this one is to be small. */
const NODE_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size', '--no-opt'];
const MAX_LOG_BYTES = 1024 * 1024;
const START_MS = 10_000;
const LOOK_EVERY_MS = 20;
const RECONNECT_MS = 500;
/** How long a call may take beyond what it says itself. */
const CALL_MS = 60_000;
/** The path of a unix socket has at most 107 bytes. */
const MAX_SOCKET_PATH = 107;

/** The connection to the supervisor, which is started where there is none. */
export class SupervisorLink {
  readonly #options: SupervisorLinkOptions;
  readonly #socketFile: string;
  readonly #waiting = new Map<number, Waiting>();
  #connection: Promise<Socket> | undefined;
  #socket: Socket | undefined;
  #facts: SupervisorFacts | undefined;
  #nextId = 1;
  #stopped = true;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: SupervisorLinkOptions) {
    this.#options = options;
    this.#socketFile = path.join(options.dir, SUPERVISOR_FILES.socket);
  }

  /** What the supervisor can do. @throws RuntimeError `…_UNREACHABLE` nobody was there yet */
  get facts(): SupervisorFacts {
    if (this.#facts === undefined) throw unreachable('it has not answered yet');
    return this.#facts;
  }

  /** Of the supervisor's process; undefined: it has not answered yet. */
  get pid(): number | undefined {
    return this.#facts?.pid;
  }

  /** Connects. Idempotent. @throws RuntimeError `…_UNREACHABLE`; it goes on trying */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#connected();
  }

  /** Lets go of it. Idempotent. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  /** @throws RuntimeError; `signal.reason` */
  async call<Name extends keyof SupervisorCalls>(
    call: Name,
    args: Parameters<SupervisorCalls[Name]>,
    signal?: AbortSignal,
    extraMs = 0,
  ): Promise<Awaited<ReturnType<SupervisorCalls[Name]>>> {
    signal?.throwIfAborted();
    const socket = await this.#connected();
    signal?.throwIfAborted();
    type Result = Awaited<ReturnType<SupervisorCalls[Name]>>;
    return this.#ask(socket, call, args, signal, CALL_MS + extraMs) as Promise<Result>; // the supervisor keeps its word
  }

  #ask(
    socket: Socket,
    call: keyof SupervisorCalls,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
    deadlineMs: number,
  ): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(id);
      };
      const giveUp = (error: Error): void => {
        settle();
        writeJsonLine(socket, { cancel: id } satisfies ToSupervisor);
        reject(error);
      };
      const onAbort = (): void => giveUp(signal?.reason as Error);
      const late = `the supervisor did not answer ${call} within ${deadlineMs} ms`;
      const timer = setTimeout(
        () => giveUp(new RuntimeError('ERR_EDGECORE_RUNTIME_TIMEOUT', late)),
        deadlineMs,
      );
      timer.unref();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, {
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      writeJsonLine(socket, { id, call, args } satisfies ToSupervisor);
    });
  }

  #connected(): Promise<Socket> {
    if (this.#stopped) return Promise.reject(unreachable('the runtime was stopped'));
    this.#connection ??= this.#connect().catch((error: unknown) => {
      this.#connection = undefined;
      this.#again();
      throw error;
    });
    return this.#connection;
  }

  async #connect(): Promise<Socket> {
    const { dir, onChange, log } = this.#options;
    if (Buffer.byteLength(this.#socketFile) > MAX_SOCKET_PATH)
      throw unreachable(`${this.#socketFile} is too long for a unix socket: choose a shorter data.dir`);
    const socket = (await tryConnect(this.#socketFile)) ?? (await this.#launch(dir));
    this.#socket = socket;
    readJsonLines(socket, (value) => this.#take(value as FromSupervisor)); // of a process that this one has started
    socket.on('error', () => {}); // closed comes after it
    socket.on('close', () => this.#lost(socket));
    const facts = (await this.#ask(socket, 'hello', [], undefined, START_MS)) as SupervisorFacts;
    if (facts.protocol !== PROTOCOL) {
      socket.destroy();
      const why = `a supervisor of ${facts.release} (process ${facts.pid}) runs, and speaks another protocol: it ends with its pods, or when it is ended`;
      throw unreachable(why);
    }
    this.#facts = facts;
    log.info({ pid: facts.pid, mounts: facts.abilities.mounts }, 'connected to the supervisor of processes');
    onChange(undefined);
    return socket;
  }

  /** Starts a supervisor that outlives this process, and connects to it. */
  async #launch(dir: string): Promise<Socket> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const main = MAINS.find((file) => existsSync(file));
    if (main === undefined) throw unreachable(`${MAINS.join(' or ')} is missing`);
    const logFile = path.join(dir, SUPERVISOR_FILES.log);
    const isLong = existsSync(logFile) && statSync(logFile).size > MAX_LOG_BYTES;
    const log = openSync(logFile, isLong ? 'w' : 'a', 0o600);
    const { links, idleMs } = this.#options;
    const args = [dir, VERSION, links ? 'links' : 'namespace', String(idleMs)];
    const child = spawn(process.execPath, [...NODE_FLAGS, main, ...args], {
      ...{ detached: true, stdio: ['ignore', 'ignore', log], cwd: '/' },
      env: { PATH: process.env['PATH'] ?? '' },
    });
    closeSync(log);
    if (child.pid !== undefined) mayBeKilled(child.pid); // and so may containers
    let failure = '';
    child.on('error', ({ message }) => (failure = message));
    child.on('exit', (code) => (failure = `it ended at once (exit ${code ?? 'by signal'}): see ${logFile}`));
    child.unref();
    for (const lateMs = performance.now() + START_MS; performance.now() < lateMs && failure === '';) {
      const socket = await tryConnect(this.#socketFile);
      if (socket !== undefined) return socket;
      await delay(LOOK_EVERY_MS);
    }
    throw unreachable(failure === '' ? `it does not answer: see ${logFile}` : failure);
  }

  #take(message: FromSupervisor): void {
    if ('changed' in message) {
      this.#options.onChange(message.changed);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (message.error === undefined) waiting?.resolve(message.result);
    else waiting?.reject(received(message.error));
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#connection = undefined;
    for (const { reject } of [...this.#waiting.values()]) reject(unreachable('the connection was lost'));
    if (this.#stopped) return;
    this.#options.log.warn({}, 'the supervisor of processes has gone; another one is started');
    this.#options.onChange(undefined);
    this.#again();
  }

  #again(): void {
    if (this.#stopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#connected().catch(() => {}), RECONNECT_MS); // it goes on trying
    this.#retry.unref();
  }
}

function tryConnect(file: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: file });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(unreachable(error.message));
    });
  });
}

function received({ code, message, notFound, about }: SentError): RuntimeError {
  const known = code === 'ERR_EDGECORE_RUNTIME_TIMEOUT' ? code : 'ERR_EDGECORE_RUNTIME';
  return new RuntimeError(known, message, { notFound, ...(about !== undefined && { about }) });
}

function unreachable(why: string): RuntimeError {
  return new RuntimeError('ERR_EDGECORE_RUNTIME_UNREACHABLE', `the supervisor of processes: ${why}`);
}
