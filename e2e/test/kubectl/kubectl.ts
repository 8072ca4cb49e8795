import { spawn, type ChildProcess } from 'node:child_process';
import { finished } from 'node:stream/promises';
import { eventually } from '@hawser/seams/testing';
import { hasEnded, runToEnd, type Run, type RunOptions } from '../../src/processes/user-command.ts';

export type { Run, RunOptions };

/** A kubectl that goes on, and what it has said so far. */
export interface Following {
  readonly child: ChildProcess;
  /** Of stdout. */
  readonly text: () => string;
  readonly errors: () => string;
  /** Waits until stdout and stderr together match. */
  readonly until: (pattern: RegExp, deadlineMs?: number) => Promise<RegExpExecArray>;
  /** Ends it. */
  readonly stop: () => Promise<void>;
}

/** One kubectl program against one API server. */
export class Kubectl {
  /** `v1.20.2`. */
  readonly version: string;
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #following = new Set<ChildProcess>();

  /** @param home a folder for its caches */
  constructor(program: { path: string; version: string }, kubeconfig: string, home: string) {
    this.version = program.version;
    this.#program = program.path;
    this.#env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig, TERM: 'xterm' };
  }

  /** Runs it, whatever comes of it. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    return runToEnd(
      spawn(this.#program, [...args], { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] }),
      options,
    );
  }

  /** Runs it. @returns stdout @throws Error with its complaint if it fails */
  async ok(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} (${this.version}): exit ${code}: ${stderr}`);
    return stdout;
  }

  /** Runs it on a terminal of so many rows and columns. Its output has the terminal's line ends. */
  onTerminal(size: { rows: number; columns: number }, args: readonly string[]): Promise<Run> {
    const quoted = [this.#program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const line = `stty rows ${size.rows} cols ${size.columns}; exec ${quoted}`;
    const child = spawn('script', ['-qefc', line, '/dev/null'], {
      env: this.#env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return runToEnd(child);
  }

  /** Starts it, and lets it go on. */
  follow(args: readonly string[]): Following {
    const child = this.start(args);
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.on('data', (chunk: Buffer) => (said[name] += chunk.toString()));
    const until = async (pattern: RegExp, deadlineMs = 15_000): Promise<RegExpExecArray> => {
      const seek = (): RegExpExecArray | null => pattern.exec(`${said.stdout}${said.stderr}`);
      const isThere = (): boolean => seek() !== null;
      await eventually(`kubectl ${args.join(' ')} says ${String(pattern)}`, isThere, { deadlineMs });
      const found = seek();
      if (found === null) throw new TypeError('it was there, and stays');
      return found;
    };
    return {
      child,
      text: () => said.stdout,
      errors: () => said.stderr,
      until,
      stop: () => stopped(child),
    };
  }

  /** Starts it, and nothing reads what it says. */
  start(args: readonly string[]): ChildProcess {
    const child = spawn(this.#program, [...args], { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#following.add(child);
    child.once('close', () => this.#following.delete(child));
    return child;
  }

  /** Ends those that go on. */
  async stop(): Promise<void> {
    await Promise.all([...this.#following].map(stopped));
  }
}

/** The same with each of them, at the same time. */
export async function sideBySide(
  kubectls: readonly Kubectl[],
  work: (kubectl: Kubectl) => Promise<void>,
): Promise<void> {
  await Promise.all(kubectls.map(work));
}

async function stopped(child: ChildProcess): Promise<void> {
  const outputs = [child.stdout, child.stderr].filter((output) => output !== null);
  for (const output of outputs) output.resume(); // it may wait to write
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await hasEnded(child);
  }
  await Promise.allSettled(outputs.map((output) => finished(output)));
}
