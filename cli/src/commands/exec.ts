import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import { CliError } from '../errors.ts';
import { spdyExec } from '../exec/spdy-exec.ts';
import { connectInput } from '../exec/terminal-input.ts';
import type { ExitCode } from '../exit-codes.ts';
import { chooseContainer } from '../pods/choose-container.ts';
import { writeTo } from '../streams.ts';

/** Options of `hawser exec`. */
export interface ExecOptions extends EdgeOptions {
  readonly namespace: string;
  readonly container?: string;
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

/** Runs a command in a container of this node; needs no cloud. Answers the command's exit code. */
export async function exec(
  context: CommandContext,
  pod: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExitCode | undefined> {
  const { signal, streams, progress } = context;
  const { namespace, stdin = false } = options;
  const { socket } = await findEdge(options);
  const view = await new AdminClient({ socket }).pod(namespace, pod, signal);
  const container = chooseContainer(view, options.container, progress);
  const tty = hasTerminal(context, options);
  const at = [namespace, pod, container].map(encodeURIComponent).join('/');
  const channel = await spdyExec(
    {
      ...{ socket, stdin, tty },
      path: `/exec/${at}?${execQuery(command, stdin, tty).toString()}`,
      output: {
        stdout: (bytes) => writeTo(streams.stdout, bytes),
        stderr: (bytes) => writeTo(streams.stderr, bytes),
      },
    },
    signal,
  );
  const onAbort = (): void => channel.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  const disconnect = connectInput(channel, streams, { stdin, tty });
  try {
    const { exitCode, problem } = await channel.ended;
    if (problem !== undefined) throw new CliError('ERR_CLI_EXEC', problem, { about: `${namespace}/${pod}` });
    if (exitCode !== 0 && !tty) progress(`The command ended with exit code ${exitCode}.`);
    return exitCode;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    disconnect();
  }
}

function execQuery(command: readonly string[], stdin: boolean, tty: boolean): URLSearchParams {
  const query = new URLSearchParams(command.map((word): [string, string] => ['command', word]));
  query.set('output', '1');
  if (stdin) query.set('input', '1');
  query.set(tty ? 'tty' : 'error', '1');
  return query;
}

/** A terminal is given only where there is one, as kubectl does. */
function hasTerminal(
  { streams, progress }: CommandContext,
  { tty = false, stdin = false }: ExecOptions,
): boolean {
  if (!tty || !stdin || streams.stdin?.isTTY === true) return tty;
  progress('Input is no terminal: the command gets none either.');
  return false;
}
