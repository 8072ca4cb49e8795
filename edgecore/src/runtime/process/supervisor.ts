import { createServer, type Server, type Socket } from 'node:net';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { prepareSocketFile, protectSocketFile } from '../../admin/socket-file.ts';
import { EdgeCoreError } from '../../errors.ts';
import { RuntimeError } from '../runtime-error.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { ProcessEngine } from './process-engine.ts';
import { StreamTickets } from './stream-tickets.ts';
import type { StreamTarget } from './stream-target.ts';
import {
  CALLS,
  SUPERVISOR_FILES,
  type FromSupervisor,
  type SentError,
  type SupervisorCalls,
  type ToSupervisor,
} from './supervisor-protocol.ts';

/** What a {@link Supervisor} needs. */
export interface SupervisorOptions {
  /** Its folder: there already, its user's alone. */
  readonly dir: string;
  readonly release: string;
  /** Never use mount namespaces. */
  readonly links: boolean;
  /** It ends when nobody has spoken with it for so long, and it has no pods, milliseconds. */
  readonly idleMs: number;
  /** It has nothing left to do. */
  readonly onIdle: () => void;
}

const MAX_LOG_LINES = 1_000;

/** The process behind the runtime `process`: its engine, on a unix socket. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #engine: ProcessEngine;
  readonly #tickets: StreamTickets;
  readonly #server: Server = createServer((socket) => this.#serve(socket));
  readonly #clients = new Set<Socket>();
  #idle: NodeJS.Timeout | undefined;
  #logged = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#tickets = new StreamTickets((...args) => {
      // Loaded with the first stream: most edges never have one.
      void import('./serve-stream.ts').then(({ serveStream }) => serveStream(...args));
    });
    this.#engine = new ProcessEngine({
      ...{ dir: options.dir, release: options.release, links: options.links },
      openStream: (target: StreamTarget) => this.#tickets.issue(target),
      onChange: (uid) => this.#tell(uid),
      onProblem: (message) => this.#log(message),
    });
  }

  /** Listens. @throws EdgeCoreError another one does, or the folder cannot be used */
  async start(): Promise<void> {
    const socket = path.join(this.#options.dir, SUPERVISOR_FILES.socket);
    await prepareSocketFile(socket);
    await this.#engine.start();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(socket, resolve);
    });
    await protectSocketFile(socket);
    this.#rest();
  }

  stop(): void {
    clearTimeout(this.#idle);
    this.#tickets.stop();
    for (const client of this.#clients) client.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#clients.add(socket);
    clearTimeout(this.#idle);
    const running = new Map<number, AbortController>();
    socket.on('error', () => {}); // closed comes after it
    socket.on('close', () => {
      this.#clients.delete(socket);
      for (const abort of running.values()) abort.abort(new Error('the edge core has gone'));
      this.#rest();
    });
    readJsonLines(socket, (value) => {
      const message = value as ToSupervisor; // of an edge core of this machine, of this user
      if ('cancel' in message) running.get(message.cancel)?.abort(new Error('nobody waits for it'));
      else void this.#answer(socket, running, message);
    });
  }

  async #answer(
    socket: Socket,
    running: Map<number, AbortController>,
    { id, call, args }: Extract<ToSupervisor, { id: number }>,
  ): Promise<void> {
    const abort = new AbortController();
    running.set(id, abort);
    let answer: FromSupervisor;
    try {
      if (!CALLS.includes(call))
        throw new RuntimeError('ERR_EDGECORE_RUNTIME', `the supervisor knows no ${call}`);
      const result: unknown = await calls(this.#engine)[call]?.(...args, abort.signal);
      answer = { id, ...(result !== undefined && { result }) };
    } catch (error) {
      answer = { id, error: sent(error) };
    }
    running.delete(id);
    writeJsonLine(socket, answer);
  }

  #tell(uid: string): void {
    for (const client of this.#clients) writeJsonLine(client, { changed: uid } satisfies FromSupervisor);
    if (this.#clients.size === 0) this.#rest();
  }

  /** Ends after a while with nothing to do. */
  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#clients.size > 0 || !this.#engine.isIdle) return;
    this.#idle = setTimeout(() => {
      if (this.#clients.size === 0 && this.#engine.isIdle) this.#options.onIdle();
    }, this.#options.idleMs);
  }

  #log(message: string): void {
    this.#logged += 1;
    if (this.#logged > MAX_LOG_LINES) return;
    const last = this.#logged === MAX_LOG_LINES ? ' (nothing more is written down)' : '';
    try {
      const file = path.join(this.#options.dir, SUPERVISOR_FILES.log);
      appendFileSync(file, `${new Date().toISOString()} ${message}${last}\n`);
    } catch {
      // A disk that takes no line of a log takes no complaint about it.
    }
  }
}

/** By name; what they are given is of an edge core that keeps to the types. */
function calls(
  engine: SupervisorCalls,
): Readonly<Record<string, (...all: readonly unknown[]) => Promise<unknown>>> {
  return engine as unknown as ReturnType<typeof calls>;
}

function sent(error: unknown): SentError {
  const { message } = error as Error;
  const notFound = error instanceof RuntimeError && error.notFound;
  const { code, about } =
    error instanceof EdgeCoreError ? error : { code: 'ERR_EDGECORE_RUNTIME', about: undefined };
  return { code, message, notFound, about };
}
