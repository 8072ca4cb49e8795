import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';

/** What a run of a command came to. */
export interface Run {
  /** -1: it was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of {@link runToEnd}. */
export interface RunOptions {
  /** Goes to its stdin, which then ends. Default: an empty one. */
  readonly input?: string | Readable;
  /** It is killed then, milliseconds. Default 30,000. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 30_000;
const HAWSER = path.resolve(createRequire(import.meta.url).resolve('@hawser/cli'), '../main.js');

/** A command of an operator (`kubectl`, `hawser`) as it is said in a shell: with arguments and an environment of its own. */
export class UserCommand {
  readonly #name: string;
  readonly #line: readonly string[];
  readonly #env: NodeJS.ProcessEnv;

  /** @param name for messages @param line program, and arguments that are always the same */
  constructor(name: string, line: readonly string[], env: NodeJS.ProcessEnv) {
    this.#name = name;
    this.#line = line;
    this.#env = { PATH: process.env['PATH'], ...env };
  }

  /** Runs it, whatever comes of it. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    const [program = '', ...first] = this.#line;
    const child = spawn(program, [...first, ...args], { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] });
    return runToEnd(child, options);
  }

  /** Runs it. @returns stdout @throws Error with what it said if it fails */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0) throw new Error(`${this.#name} ${args.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs it, and reads its stdout as JSON. @throws Error as {@link ok} */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    return JSON.parse(await this.ok(args, options)) as T;
  }
}

/** The `hawser` of this tree. @param env beside PATH, such as KUBECONFIG and HOME */
export function hawserCommand(env: NodeJS.ProcessEnv = {}): UserCommand {
  return new UserCommand('hawser', [process.execPath, HAWSER], env);
}

/** Waits until a process that was just started has ended and all was read; kills it after its deadline. */
export async function runToEnd(
  child: ChildProcess,
  { input = '', deadlineMs = DEADLINE_MS }: RunOptions = {},
): Promise<Run> {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new TypeError('all of them are pipes');
  stdin.on('error', () => {}); // it ended before it read all: its exit code tells
  const late = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  if (typeof input === 'string') stdin.end(input);
  else input.pipe(stdin);
  const [out, errors] = await Promise.all([buffer(stdout), buffer(stderr), hasEnded(child)]);
  clearTimeout(late);
  const killed = child.signalCode === null ? '' : `killed by ${child.signalCode}`;
  return { code: child.exitCode ?? -1, stdout: out.toString(), stderr: `${errors.toString()}${killed}` };
}

/** Resolves when a process has ended. */
export async function hasEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
