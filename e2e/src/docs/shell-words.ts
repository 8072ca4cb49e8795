const SUBSTITUTION = /[$<]\(([^()]*)\)/g;
/** A redirection; a word, with its quoted parts; a comment; what ends a command. */
const TOKEN =
  /(?:(?<!\S)\d)?[<>]+&?|(?:[^\s'"#;|&<>()\\]|(?<=\S)#|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+|#[^\n]*|\n|[;|&()]/g;
const DEFINITION = /^\s*\w+\(\)/gm;

/**
 * The commands in a piece of shell, each as its words: what is between `|`, `&&`, `;` and ends of lines, and in `$( )`.
 * Assignments in front and redirections are left out. It knows what documents use, not the whole of the language.
 */
export function shellCommands(code: string): string[][] {
  const joined = code.replaceAll('\\\n', ' ').replaceAll(DEFINITION, '');
  const inner = [...joined.matchAll(SUBSTITUTION)].flatMap(([, text = '']) => shellCommands(text));
  const commands: string[][] = [[]];
  let isTarget = false;
  for (const [token] of joined.replaceAll(SUBSTITUTION, 'SUBSTITUTED').matchAll(TOKEN)) {
    if (token.startsWith('#')) continue;
    if (/^[\n;|&()]$/.test(token)) commands.push([]);
    else if (/^\d?[<>]+&?$/.test(token)) isTarget = true;
    else if (isTarget) isTarget = false;
    else commands.at(-1)?.push(unquoted(token));
  }
  return [...inner, ...commands.map(withoutAssignments).filter((words) => words.length > 0)];
}

function unquoted(word: string): string {
  return word.replaceAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, (_, single, double, escaped) =>
    String(single ?? double ?? escaped),
  );
}

function withoutAssignments(words: readonly string[]): string[] {
  const first = words.findIndex(
    (word) => !/^[A-Za-z_]\w*=/.test(word) && word !== 'sudo' && word !== 'until',
  );
  return first < 0 ? [] : words.slice(first);
}
