// docs/reference/cli.md, from the tree of commands in cli/src/program.ts.
import { GENERATED, load, table } from './sources.js';

const code = (text) => `\`${text}\``;

/** The commands that do something: those without commands of their own, `help` left out. */
function leavesOf(command, path) {
  const children = command.commands.filter((child) => child.name() !== 'help');
  if (children.length === 0) return [{ command, path }];
  return children.flatMap((child) => leavesOf(child, `${path} ${child.name()}`));
}

function defaultOf({ defaultValue }) {
  return defaultValue === undefined ? '' : code(defaultValue);
}

function meaningOf({ description, argChoices, mandatory, envVar }) {
  const notes = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(mandatory ? ['needed'] : []),
    ...(envVar === undefined ? [] : [`or the environment variable ${code(envVar)}`]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function section({ command, path }) {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const args = command.registeredArguments.map((argument) => [
    code(argument.name()),
    '',
    meaningOf({ description: argument.description, argChoices: argument.argChoices }),
  ]);
  const options = command.options.map((option) => [code(option.flags), defaultOf(option), meaningOf(option)]);
  const usage = [path, ...words].join(' ');
  return `## ${code(usage)}\n\n${command.description()}\n\n${table(['option', 'default', 'meaning'], [...args, ...options])}`;
}

/** @returns {Promise<string>} the page */
export async function cliPage() {
  const { buildProgram } = await load('cli/src/program.ts');
  const program = buildProgram(() => Promise.resolve(), { stdout: process.stdout, stderr: process.stderr });
  return `${[
    GENERATED,
    '# The command `hawser`',
    'Every command with its options; `hawser COMMAND --help` shows the same, with examples. What they do, and their exit\ncodes, is in [the command](../cli.md).',
    ...leavesOf(program, 'hawser').map(section),
  ].join('\n\n')}\n`;
}
