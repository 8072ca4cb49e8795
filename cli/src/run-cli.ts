import { setMaxListeners } from 'node:events';
import { CommanderError } from 'commander';
import { commandContext } from './command-context.ts';
import { CliError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { explain, failureText, isMisuse } from './failure.ts';
import { buildProgram } from './program.ts';
import type { Runner } from './program-parts.ts';
import { processStreams, type Streams } from './streams.ts';

/** Calls that a command has under way at a time, and some room. */
const MOST_LISTENERS = 100;
/** How commander says that it has shown what was asked for. */
const SHOWN = new Set(['commander.helpDisplayed', 'commander.version']);
/** The second one ends the process where it stands. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs a command line, and answers the exit code. Never rejects.
 * @param args without `node` and the script
 * @param streams default: those of this process
 */
export async function runCli(
  args: readonly string[],
  streams: Streams = processStreams(),
): Promise<ExitCode> {
  const ending = new AbortController();
  setMaxListeners(MOST_LISTENERS, ending.signal);
  const onSignal = (): void => {
    if (ending.signal.aborted) process.exit(EXIT.interrupted);
    ending.abort(new CliError('ERR_CLI_INTERRUPTED', 'interrupted'));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  let code: ExitCode = EXIT.done;
  const run: Runner = async (options, work) => {
    try {
      code = (await work(commandContext(options, streams, ending.signal))) ?? EXIT.done;
    } catch (error) {
      code = await fail(streams, error, options.output === 'json');
    }
  };
  try {
    await buildProgram(run, streams).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return await fail(streams, error, false);
    return SHOWN.has(error.code) ? EXIT.done : EXIT.misuse;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

async function fail({ stderr }: Streams, error: unknown, asJson: boolean): Promise<ExitCode> {
  const isInterrupted = error instanceof CliError && error.code === 'ERR_CLI_INTERRUPTED';
  const failure = await explain(error);
  if (asJson) stderr.write(`${JSON.stringify({ error: failure }, undefined, 2)}\n`);
  else if (isInterrupted) stderr.write('\n');
  else stderr.write(`${failureText(failure)}\n`);
  if (isInterrupted) return EXIT.interrupted;
  return isMisuse(error) ? EXIT.misuse : EXIT.failed;
}
