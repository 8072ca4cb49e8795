import type { Command } from 'commander';

/** A command as completion needs it. */
export interface CommandNode {
  /** `token create`; empty for the program itself. */
  readonly path: string;
  readonly description: string;
  readonly subcommands: readonly CommandNode[];
  /** What may stand in place of the first argument, where it is one of a few words. */
  readonly choices: readonly string[];
  readonly options: readonly OptionNode[];
}

/** An option as completion needs it. */
export interface OptionNode {
  /** `--output`. */
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  /** Whether its value is a file or a folder. */
  readonly isFile: boolean;
}

const FILE_VALUE = /^<(file|folder|socket)>$/;

/** The tree that completion scripts are made from: the one that parses the command line, so that they cannot differ. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const help = command.createHelp();
  return {
    path: path.join(' '),
    description: command.description(),
    subcommands: help
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help')
      .map((child) => commandTree(child, [...path, child.name()])),
    choices: command.registeredArguments[0]?.argChoices ?? [],
    options: help.visibleOptions(command).flatMap((option) => {
      const { long, description, argChoices = [], flags } = option;
      if (typeof long !== 'string') return []; // one that has a short form only
      const value = /<[^>]+>/.exec(flags)?.[0] ?? '';
      return [
        {
          flag: long,
          description,
          takesValue: option.required || option.optional,
          choices: argChoices,
          isFile: FILE_VALUE.test(value),
        },
      ];
    }),
  };
}

/** A tree as a list, the program first. */
export function flatten(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.subcommands.flatMap(flatten)];
}
