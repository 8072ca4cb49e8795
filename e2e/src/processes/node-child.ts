import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { deferred, delay } from '@hawser/seams';
import { E2eError } from '../errors.ts';
import { isReadyMessage } from './in-child.ts';
import { dieWithParent, killOnExit } from './live-children.ts';
import { OutputTail } from './output-tail.ts';

/** Settings of {@link startNode}. */
export interface NodeChildOptions {
  /** The script, compiled. */
  readonly script: string | URL;
  readonly args?: readonly string[];
  /** Added to this process's environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Options of Node itself, such as `--expose-gc`. */
  readonly execArgv?: readonly string[];
  /** A command to run Node under; it must become Node by exec, as `ip netns exec NAME` does. */
  readonly under?: readonly string[];
  /**
   * When the child counts as started: when it called `announceReady` (`message`, the default), or as soon as it
   * exists (`spawned`), for programs that know nothing of tests.
   */
  readonly readyWhen?: 'message' | 'spawned';
  /** Default 15000. */
  readonly readyTimeoutMs?: number;
}

/** How a process ended: with an exit code or by a signal. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Messages and outputs not yet looked at are kept, at most so many. */
const MESSAGES_KEPT = 1000;

/**
 * Starts a Node.js process and waits until it is ready. It never outlives this process.
 * @throws E2eError ERR_E2E_CHILD_EXITED when it ends before, with the end of its stderr;
 *   ERR_E2E_CHILD_TIMEOUT when it is not ready in time (it is killed then)
 */
export async function startNode(options: NodeChildOptions): Promise<NodeChild> {
  const child = new NodeChild(options);
  await child.start();
  return child;
}

/** A child process that a test freezes, kills and listens to; made by {@link startNode}. */
export class NodeChild {
  readonly #options: NodeChildOptions;
  readonly #events = new EventEmitter(); // 'change': something was received
  readonly #messages: unknown[] = [];
  readonly #stdout = new OutputTail();
  readonly #stderr = new OutputTail();
  readonly #exited = deferred<ChildExit>();
  #process: ChildProcess | undefined;
  #exit: ChildExit | undefined;
  #ready: { value: unknown } | undefined;

  constructor(options: NodeChildOptions) {
    this.#options = options;
    this.#events.setMaxListeners(0);
  }

  /** @throws E2eError ERR_E2E_CHILD_EXITED before it was started */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new E2eError('ERR_E2E_CHILD_EXITED', `${this.name} was not started`);
    return pid;
  }

  /** The script's file name. */
  get name(): string {
    const { script } = this.#options;
    return script instanceof URL ? fileURLToPath(script) : script;
  }

  /** What the child gave to `announceReady`. */
  get ready(): unknown {
    return this.#ready?.value;
  }

  /** How it ended, or undefined while it runs. */
  get exit(): ChildExit | undefined {
    return this.#exit;
  }

  /** Resolves when it has ended and all its output was read. */
  get exited(): Promise<ChildExit> {
    return this.#exited.promise;
  }

  /** The last 64 Ki characters that it wrote to stderr. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /** The last 64 Ki characters that it wrote to stdout. */
  get stdout(): string {
    return this.#stdout.text;
  }

  /** See {@link startNode}. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const { readyWhen = 'message', readyTimeoutMs = 15_000 } = this.#options;
    const child = this.#spawn();
    this.#process = child;
    if (readyWhen === 'spawned') {
      await once(child, 'spawn');
      return;
    }
    try {
      await this.#until('be ready', () => this.#ready !== undefined, readyTimeoutMs);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Sends the child a message (anything that structured clone takes). */
  async send(message: NodeJS.Dict<unknown> | string | number | boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#process?.send(message, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /**
   * The first message of the child that fits (default: any), taken out of those received so far or later.
   * @throws E2eError ERR_E2E_CHILD_EXITED, or ERR_E2E_CHILD_TIMEOUT after `deadlineMs` (default 5000)
   */
  async message(fits: (message: unknown) => boolean = () => true, deadlineMs = 5000): Promise<unknown> {
    let taken: { readonly message: unknown } | undefined;
    // Taken at once: others wait for messages too, and would move it.
    const arrived = (): boolean => {
      const index = taken === undefined ? this.#messages.findIndex(fits) : -1;
      if (index >= 0) taken = { message: this.#messages.splice(index, 1)[0] };
      return taken !== undefined;
    };
    await this.#until('send a message', arrived, deadlineMs);
    return taken?.message;
  }

  /**
   * Waits until its stdout or stderr (their last 64 Ki characters) match.
   * @throws E2eError ERR_E2E_CHILD_EXITED, or ERR_E2E_CHILD_TIMEOUT after `deadlineMs` (default 5000)
   */
  async output(pattern: RegExp, deadlineMs = 5000): Promise<void> {
    const matches = (): boolean => pattern.test(this.stdout) || pattern.test(this.stderr);
    await this.#until(`print ${String(pattern)}`, matches, deadlineMs);
  }

  /**
   * Freezes it (SIGSTOP) as a hung machine: its sockets stay open and nobody answers. Resolves when it stands.
   * @throws E2eError ERR_E2E_CHILD_EXITED
   */
  async freeze(): Promise<void> {
    this.#signal('SIGSTOP');
    while (this.#exit === undefined && (await processState(this.pid)) !== 'T') await delay(1);
    this.#assertRunning('be frozen');
  }

  /**
   * Lets it go on after {@link freeze}.
   * @throws E2eError ERR_E2E_CHILD_EXITED
   */
  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** Kills it (SIGKILL), frozen or not, and waits until it is gone. May be called more than once. */
  kill(): Promise<ChildExit> {
    this.#process?.kill('SIGKILL'); // false when it has gone already
    return this.exited;
  }

  /** Asks it to end (SIGTERM), kills it after `graceMs` (default 5000), and waits until it is gone. */
  async stop(graceMs = 5000): Promise<ChildExit> {
    this.#process?.kill('SIGTERM');
    this.#process?.kill('SIGCONT'); // a frozen one would not see it
    const timer = new AbortController();
    const killing = delay(graceMs, { signal: timer.signal }).then(
      () => void this.#process?.kill('SIGKILL'),
      () => {}, // it ended in time
    );
    const exit = await this.exited;
    timer.abort();
    await killing;
    return exit;
  }

  #spawn(): ChildProcess {
    const { args = [], env, cwd, execArgv = [], under = [] } = this.#options;
    const line = dieWithParent([...under, process.execPath, ...execArgv, this.name, ...args]);
    const [command = process.execPath, ...rest] = line;
    const child = spawn(command, rest, {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      detached: true, // a terminal's Ctrl-C is for this process, which ends its children in their order
    });
    killOnExit(child);
    const changed = (): void => void this.#events.emit('change');
    if (child.stdout !== null) this.#stdout.collect(child.stdout, changed);
    if (child.stderr !== null) this.#stderr.collect(child.stderr, changed);
    child.on('message', (message) => {
      if (isReadyMessage(message)) this.#ready = { value: message.value };
      else if (this.#messages.push(message) > MESSAGES_KEPT) this.#messages.shift();
      changed();
    });
    const ended = (exit: ChildExit): void => {
      this.#exit = exit;
      this.#exited.resolve(exit);
      changed();
    };
    child.once('close', (code, signal) => ended({ code, signal }));
    // An error of sending also comes here; only one without a process means that there never was one.
    child.on('error', () => child.pid === undefined && ended({ code: null, signal: null }));
    return child;
  }

  async #until(what: string, condition: () => boolean, deadlineMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(deadlineMs);
    const changes = on(this.#events, 'change', { signal: deadline });
    try {
      while (!condition()) {
        this.#assertRunning(what);
        await changes.next();
      }
    } catch (error) {
      if (!deadline.aborted) throw error;
      throw new E2eError(
        'ERR_E2E_CHILD_TIMEOUT',
        `${this.name} did not ${what} in ${deadlineMs} ms: ${this.#lastWords()}`,
      );
    } finally {
      await changes.return?.();
    }
  }

  #signal(signal: NodeJS.Signals): void {
    this.#assertRunning(`get ${signal}`);
    this.#process?.kill(signal);
  }

  #assertRunning(what: string): void {
    if (this.#exit === undefined && this.#process !== undefined) return;
    const how = this.#exit?.signal ?? this.#exit?.code ?? 'never started';
    throw new E2eError(
      'ERR_E2E_CHILD_EXITED',
      `${this.name} ended (${how}) and could not ${what}: ${this.#lastWords()}`,
    );
  }

  #lastWords(): string {
    return this.stderr.slice(-2000).trimEnd() || 'nothing on stderr';
  }
}

/** The state letter of a process (proc(5)), or undefined when it is gone. */
async function processState(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0]; // the name before may hold anything
  } catch {
    return undefined; // ended meanwhile; 'close' will say how
  }
}
