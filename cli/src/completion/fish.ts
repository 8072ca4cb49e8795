import { flatten, type CommandNode } from './command-tree.ts';

/** A completion script for fish. Source: fish(1), `complete`. */
export function fishCompletion(root: CommandNode): string {
  const commands = flatten(root);
  return `# Completion of hawser for fish:  hawser completion fish | source
function __hawser_path
    set -l path
    for word in (commandline -opc)[2..]
        switch (string join ' ' $path $word)
            case ${commands
              .filter(({ path }) => path !== '')
              .map(({ path }) => `'${path}'`)
              .join(' ')}
                set path $path $word
        end
    end
    echo "$path"
end
function __hawser_at
    test (__hawser_path) = "$argv[1]"
end
complete -c hawser -f
${commands.flatMap(fishLines).join('\n')}
`;
}

function fishLines({ path, subcommands, options, choices }: CommandNode): string[] {
  const at = `complete -c hawser -n "__hawser_at '${path}'"`;
  return [
    ...subcommands.map((child) => {
      return `${at} -a ${child.path.split(' ').at(-1) ?? ''} -d ${quote(child.description)}`;
    }),
    ...(choices.length > 0 ? [`${at} -a ${quote(choices.join(' '))}`] : []),
    ...options.map(({ flag, description, takesValue, choices: allowed, isFile }) => {
      const value = !takesValue
        ? ''
        : isFile
          ? ' -r -F'
          : ` -x${allowed.length > 0 ? ` -a ${quote(allowed.join(' '))}` : ''}`;
      return `${at} -l ${flag.slice(2)}${value} -d ${quote(description)}`;
    }),
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
