import { InvalidArgumentError, Option, type Command } from 'commander';
import { OUTPUT_FORMATS, type CommandContext, type CommonOptions } from './command-context.ts';
import type { ExitCode } from './exit-codes.ts';

/** Runs a command's work, with a context, and keeps its exit code. */
export type Runner = (
  options: CommonOptions,
  work: (context: CommandContext) => Promise<ExitCode | undefined>,
) => Promise<void>;

/** Where a hub's configuration goes unless it is said. */
export const DEFAULT_CONFIG_DIR = '/etc/hawser';

/**
 * A command at the end of a path, with the options that all have.
 * @param formats how its result may be written, the default first; none for one whose result is bytes
 */
export function leaf(
  parent: Command,
  usage: string,
  description: string,
  formats: readonly string[] = OUTPUT_FORMATS,
): Command {
  const command = parent.command(usage).description(description);
  if (formats.length > 0) {
    const output = new Option('-o, --output <format>', 'how to write the result').choices(formats);
    command.addOption(output.default(formats[0]));
  }
  return command.option('-v, --verbose', 'say what is done meanwhile').allowExcessArguments(false);
}

/** Examples below a command's help. */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

/** Options of commands that speak with an API server. */
export function kubeOptions(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig of the cluster (default: KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context in the kubeconfig (default: its current one)');
}

/** Options of commands that speak with the edgecore of this machine. */
export function edgeOptions(command: Command): Command {
  return command
    .option('--socket <socket>', 'admin socket of edgecore (default: what its configuration says)')
    .option('--config-dir <folder>', 'folder of edgecore.yaml', DEFAULT_CONFIG_DIR)
    .option('--data-dir <folder>', 'folder of store and identity (default: what the configuration says)');
}

/** Reads a whole number of at least 0. @throws InvalidArgumentError */
export function number(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number of at least 0 is expected.');
}

/** Reads a whole number of at least 1. @throws InvalidArgumentError */
export function count(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError('A whole number of at least 1 is expected.');
}

/** Collects an option that may be repeated; each may name several, with commas between. */
export function several(text: string, before: readonly string[] | undefined): readonly string[] {
  const names = text.split(',').filter((name) => name !== '');
  if (names.length > 0) return [...(before ?? []), ...names];
  throw new InvalidArgumentError('A name or address is expected.');
}
