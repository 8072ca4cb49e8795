import { createInterface } from 'node:readline/promises';
import { CliError } from '../errors.ts';
import type { CommandContext } from '../command-context.ts';

/**
 * Lets a person agree to something: passes when `yes` was said on the command line, asks at a terminal, and refuses
 * where there is nobody to ask.
 * @throws CliError `ERR_CLI_CONFIRM`; `context.signal.reason`
 */
export async function confirm(context: CommandContext, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!context.interactive) {
    throw new CliError('ERR_CLI_CONFIRM', `${question} Nobody has agreed to it.`);
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: context.signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new CliError('ERR_CLI_CONFIRM', 'Nothing was changed.', { remedy: 'Answer y to agree.' });
}
