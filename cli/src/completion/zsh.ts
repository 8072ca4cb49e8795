import { flatten, type CommandNode, type OptionNode } from './command-tree.ts';

/** A completion script for zsh. Source: zshcompsys(1), `_describe` and `_arguments`. */
export function zshCompletion(root: CommandNode): string {
  return `#compdef hawser
# Completion of hawser for zsh. In ~/.zshrc, after compinit:  source <(hawser completion zsh)
${flatten(root).map(zshFunction).join('\n')}
if [[ $funcstack[1] == _hawser ]]; then
  _hawser "$@"
else
  compdef _hawser hawser
fi
`;
}

function functionName(path: string): string {
  return `_hawser${path === '' ? '' : `_${path.replaceAll(/[ -]/g, '_')}`}`;
}

function zshFunction({ path, subcommands, options, choices }: CommandNode): string {
  const specs = options.map((option) => `    ${quote(optionSpec(option))}`);
  const name = functionName(path);
  if (subcommands.length === 0) {
    const argument = choices.length === 0 ? [] : [`    ${quote(`1:argument:(${choices.join(' ')})`)}`];
    return `${name}() {\n  _arguments \\\n${[...specs, ...argument].join(' \\\n')}\n}`;
  }
  const described = subcommands.map((child) => {
    return `    ${quote(`${lastWord(child.path)}:${child.description.replaceAll(':', ';')}`)}`;
  });
  const cases = subcommands.map((child) => `        ${lastWord(child.path)}) ${functionName(child.path)} ;;`);
  return `${name}() {
  local context state state_descr line
  typeset -A opt_args
  local -a subcommands=(
${described.join('\n')}
  )
  _arguments -C \\
${[...specs, `    '1: :->command'`, `    '*:: :->rest'`].join(' \\\n')}
  case $state in
    command) _describe command subcommands ;;
    rest)
      case $line[1] in
${cases.join('\n')}
      esac ;;
  esac
}`;
}

function optionSpec({ flag, description, takesValue, choices, isFile }: OptionNode): string {
  const text = description.replaceAll(/[[\]:]/g, ' ');
  if (!takesValue) return `${flag}[${text}]`;
  const value = isFile ? '_files' : choices.length > 0 ? `(${choices.join(' ')})` : ' ';
  return `${flag}[${text}]:value:${value}`;
}

function lastWord(path: string): string {
  return path.split(' ').at(-1) ?? '';
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
