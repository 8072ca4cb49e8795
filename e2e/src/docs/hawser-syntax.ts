import { buildProgram } from '@hawser/cli';
import { shellCommands } from './shell-words.ts';

/** How the command line refuses. */
interface Refusal extends Error {
  readonly code: string;
  readonly exitCode: number;
}

const IGNORED = { write: () => true };

/** What a sentence may leave out of a command. */
const LEFT_OUT = new Set([
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.optionMissingArgument',
  'commander.invalidArgument',
  'commander.help',
]);

/**
 * Has the command line itself read each `hawser …` in a piece of shell, without doing anything.
 * @returns what it says against it
 */
export async function wrongHawserCommands(code: string): Promise<string[]> {
  return await complaints(code, () => true);
}

/** The same of code within a sentence, where arguments may be left out: commands and options have to be there. */
export async function wrongMentions(code: string): Promise<string[]> {
  return code.startsWith('hawser ') ? await complaints(code, ({ code }) => !LEFT_OUT.has(code)) : [];
}

async function complaints(code: string, counts: (error: Refusal) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const [program, ...args] of shellCommands(code)) {
    if (program !== 'hawser' || args.some((arg) => arg.startsWith('…'))) continue;
    const streams = { stdout: IGNORED, stderr: IGNORED, interactive: false, env: {} };
    try {
      await buildProgram(() => Promise.resolve(), streams).parseAsync(args, { from: 'user' });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.exitCode !== 0 && counts(error)) found.push(`hawser ${args.join(' ')}: ${error.message}`);
    }
  }
  return found;
}

function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');
}
