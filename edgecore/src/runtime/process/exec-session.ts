import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { exitOf, killCommand, outputRead, startCommand } from './exec-command.ts';
import { quote } from './container-root.ts';
import type { Launch } from './launch.ts';
import type { StreamTarget } from './stream-target.ts';

/** Takes what a session has to say. A write resolves when there is room for more. */
export interface SessionOutput {
  write(stream: 'stdout' | 'stderr', chunk: Buffer): Promise<void>;
}

/** What goes into a session. */
export interface SessionInput {
  /** null: it takes no input. */
  readonly stdin: Writable | null;
  resize(columns: number, rows: number): void;
  /** Ends it at once. */
  kill(): void;
  /** How it ended. Never rejects. */
  readonly ended: Promise<SessionEnd>;
}

/** The end of a session: an exit code, or why there is none. */
export type SessionEnd = { readonly exitCode: number } | { readonly failure: string };

const MAX_SIZE = 10_000;

/** Starts a command, or looks in on a container that runs. What cannot be done is its end. */
export function openSession(
  target: Exclude<StreamTarget, { kind: 'port-forward' }>,
  output: SessionOutput,
): SessionInput {
  return target.kind === 'exec' ? execSession(target, output) : attachSession(target, output);
}

function execSession(target: Extract<StreamTarget, { kind: 'exec' }>, output: SessionOutput): SessionInput {
  const { script, stty } = target.programs;
  if (target.tty && script === undefined)
    return failed(
      'there is no program script (package bsdutils) on this host, which terminals need: leave -t out',
    );
  const launch = target.tty ? onTerminal(target.launch, script ?? '') : target.launch;
  const child = startCommand(launch, target.stdin ? 'pipe' : 'ignore');
  void pump(child, target, output);
  const ended = exitOf(child).then(async (exitCode) => {
    await outputRead(child);
    return { exitCode };
  });
  return {
    ...{ stdin: child.stdin, ended },
    resize: (columns, rows) => {
      if (target.tty && stty !== undefined) void resizeTerminal(child, stty, columns, rows);
    },
    kill: () => killCommand(child),
  };
}

function attachSession(
  { process, tty, ...wanted }: Extract<StreamTarget, { kind: 'attach' }>,
  output: SessionOutput,
): SessionInput {
  if (tty) return failed('containers have no terminal here: leave -t out');
  if (wanted.stdin && process.stdin === null)
    return failed('the container has no stdin (`stdin: true` in its spec)');
  let settle: (end: SessionEnd) => void = () => {};
  const gone = new Promise<SessionEnd>((resolve) => (settle = resolve));
  const unlisten = process.listen((stream, chunk) => {
    // The container does not wait for who watches: who is too slow is told so.
    if (wanted[stream])
      output.write(stream, chunk).catch((error: unknown) => settle({ failure: (error as Error).message }));
  });
  const ended = Promise.race([gone, process.ended.then(() => ({ exitCode: 0 }))]).finally(unlisten);
  return {
    stdin: wanted.stdin ? process.stdin : null,
    ended,
    resize: () => {},
    kill: () => settle({ exitCode: 0 }),
  };
}

function failed(failure: string): SessionInput {
  return { stdin: null, ended: Promise.resolve({ failure }), resize: () => {}, kill: () => {} };
}

/** `script` gives it a terminal, and its exit code. */
function onTerminal({ argv, ...rest }: Launch, script: string): Launch {
  const command = argv.map(quote).join(' ');
  const env = { TERM: 'xterm', ...rest.env, SHELL: '/bin/sh' };
  return {
    ...rest,
    env,
    argv: [script, '--quiet', '--return', '--flush', '--command', command, '/dev/null'],
  };
}

/** Reads no faster than it is taken. */
async function pump(
  child: ChildProcess,
  wanted: { readonly stdout: boolean; readonly stderr: boolean },
  output: SessionOutput,
): Promise<void> {
  const read = async (stream: 'stdout' | 'stderr'): Promise<void> => {
    for await (const chunk of child[stream] as AsyncIterable<Buffer>)
      if (wanted[stream]) await output.write(stream, chunk);
  };
  // The other end has gone, or the command has left its output to something else: its end tells.
  await Promise.all([read('stdout'), read('stderr')]).catch(() => killCommand(child));
}

/** Sets the size of the terminal that `script` has made: that of its child's standard input. */
async function resizeTerminal(
  child: ChildProcess,
  stty: string,
  columns: number,
  rows: number,
): Promise<void> {
  if (!isSize(columns) || !isSize(rows)) return;
  try {
    const [task = ''] = await readdir(`/proc/${child.pid ?? 0}/task`);
    const [inner = ''] = (await readFile(`/proc/${child.pid ?? 0}/task/${task}/children`, 'utf8')).split(' ');
    const terminal = await readlink(`/proc/${inner}/fd/0`);
    if (!terminal.startsWith('/dev/pts/')) return;
    spawn(stty, ['-F', terminal, 'cols', String(columns), 'rows', String(rows)], { stdio: 'ignore' }).on(
      'error',
      () => {},
    );
  } catch {
    // It has ended, or this kernel does not tell of children: the terminal keeps its size.
  }
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < MAX_SIZE;
}
