import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';

/**
 * Lets a person agree to something: passes when `yes` was said on the command line, asks at a terminal, and refuses
 * where there is nobody to ask. An end of input (Ctrl-D) is a no.
 * @throws CliError `ERR_CLI_CONFIRM`; `context.signal.reason`
 */
export async function confirm(context: CommandContext, question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!context.interactive) {
    throw new CliError('ERR_CLI_CONFIRM', `${question} Nobody has agreed to it.`);
  }
  const answer = await ask(`${question} [y/N] `, context.signal);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new CliError('ERR_CLI_CONFIRM', 'Nothing was changed.', { remedy: 'Answer y to agree.' });
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // While it reads, the terminal hands Ctrl-C to it as a character.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = once(lines, 'close').then(() => '');
  try {
    return await Promise.race([lines.question(question, { signal }), ended]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
