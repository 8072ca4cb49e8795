import { flatten, type CommandNode } from './command-tree.ts';

/**
 * A completion script for bash, which needs nothing but bash 4. Source: bash(1), "Programmable Completion".
 */
export function bashCompletion(root: CommandNode): string {
  const commands = flatten(root);
  return `# Completion of hawser for bash. In ~/.bashrc:  source <(hawser completion bash)
_hawser() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
${commands
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  local words= values= files=
  case $path in
${commands.map((command) => bashCase(command)).join('\n')}
  esac
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ -n $values ]]; then
    [[ $values == - ]] && values=
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _hawser hawser
`;
}

function bashCase({ path, subcommands, options, choices }: CommandNode): string {
  const names = subcommands.map((child) => child.path.split(' ').at(-1) ?? '');
  const words = [...names, ...choices, ...options.map(({ flag }) => flag)];
  const values = options
    .filter(({ takesValue }) => takesValue)
    .map(({ flag, isFile, choices: allowed }) => {
      // "-" stands for a value that nobody can guess.
      return `        ${flag}) ${isFile ? 'files=1' : `values='${allowed.length > 0 ? allowed.join(' ') : '-'}'`} ;;`;
    });
  const cases = values.length === 0 ? '' : `\n      case $prev in\n${values.join('\n')}\n      esac`;
  return `    '${path}')
      words='${words.join(' ')}'${cases} ;;`;
}
