import { CommanderError } from 'commander';
import { commandContext } from './command-context.ts';
import { CliError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { explain, failureText, isMisuse } from './failure.ts';
import { buildProgram } from './program.ts';
import type { Runner } from './program-parts.ts';

/** How commander says that it has shown what was asked for. */
const SHOWN = new Set(['commander.helpDisplayed', 'commander.version']);
/** The second one ends the process where it stands. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs a command line, and answers the exit code. Never rejects. @param args without `node` and the script */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  const ending = new AbortController();
  const onSignal = (): void => {
    if (ending.signal.aborted) process.exit(EXIT.interrupted);
    ending.abort(new CliError('ERR_CLI_INTERRUPTED', 'interrupted'));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.stdout.on('error', endQuietly);
  let code: ExitCode = EXIT.done;
  const run: Runner = async (options, work) => {
    try {
      code = (await work(commandContext(options, ending.signal))) ?? EXIT.done;
    } catch (error) {
      code = await fail(error, options.output === 'json');
    }
  };
  try {
    await buildProgram(run).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) return await fail(error, false);
    return SHOWN.has(error.code) ? EXIT.done : EXIT.misuse;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

async function fail(error: unknown, asJson: boolean): Promise<ExitCode> {
  const isInterrupted = error instanceof CliError && error.code === 'ERR_CLI_INTERRUPTED';
  const failure = await explain(error);
  if (asJson) process.stderr.write(`${JSON.stringify({ error: failure }, undefined, 2)}\n`);
  else if (isInterrupted) process.stderr.write('\n');
  else process.stderr.write(`${failureText(failure)}\n`);
  if (isInterrupted) return EXIT.interrupted;
  return isMisuse(error) ? EXIT.misuse : EXIT.failed;
}

/** Whoever read the output has gone: `hawser objects | head`. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.done);
}
