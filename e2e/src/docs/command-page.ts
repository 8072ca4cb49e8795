/** A block of shell commands on a page. */
export interface CommandBlock {
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** Why it is not run; undefined: it is. */
  readonly notRun: string | undefined;
  /** How its last command ends. */
  readonly exitCode: number;
  /** It is run after the pages that go on from this one. */
  readonly atTheEnd: boolean;
  /** What the page shows below it as its output, a line each. */
  readonly output: readonly string[];
}

/** What of a page of the documents is commands. Files are paths below the root of the repository. */
export interface CommandPage {
  readonly file: string;
  /** The page whose commands come first, in the same shell. */
  readonly after: string | undefined;
  /** The test that runs this page. */
  readonly runBy: string | undefined;
  /** Commands that readers do not see: for what they have and a test has not. */
  readonly preamble: string;
  readonly blocks: readonly CommandBlock[];
  /** Code within lines of text, and commands in blocks that are no commands. */
  readonly inline: readonly string[];
}

const FENCE = /^```(\w*)$/;
const PREAMBLE = /^<!-- preamble$([\s\S]*?)^-->$/m;

/**
 * Reads the commands of a page: its blocks of `sh`. What is to be known of a block is said right above it, as
 * `<!-- not run: REASON -->`, `<!-- exits with 3 -->` or `<!-- at the end -->`; a block of `text` right below it shows its
 * output, in which `…` is anything. Of the whole page: `<!-- after FILE -->`, `<!-- run by FILE -->`, and `<!-- preamble` with
 * commands on lines of their own.
 */
export function readCommands(file: string, markdown: string): CommandPage {
  const blocks: CommandBlock[] = [];
  const text: string[] = [];
  const lines = markdown.split('\n');
  let below: string[] | undefined; // the output of the last block would come here
  let mark = '';
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const language = FENCE.exec(line)?.[1];
    if (language === undefined) {
      text.push(line);
      if (line.trim() === '') continue;
      below = undefined;
      mark = /^<!-- (.*) -->$/.exec(line)?.[1] ?? '';
      continue;
    }
    const end = lines.indexOf('```', at + 1);
    const inside = lines.slice(at + 1, end);
    if (language === 'sh') {
      below = [];
      blocks.push({ ...readMark(mark), line: at + 1, code: inside.join('\n'), output: below });
    } else {
      if (language === 'text') below?.push(...inside.filter((shown) => shown.trim() !== ''));
      text.push(...inside.filter((shown) => shown.startsWith('hawser ')).map((shown) => `\`${shown}\``));
      below = undefined;
    }
    mark = '';
    at = end;
  }
  return {
    file,
    after: /^<!-- after (\S+) -->$/m.exec(markdown)?.[1],
    runBy: /^<!-- run by (\S+) -->$/m.exec(markdown)?.[1],
    preamble: PREAMBLE.exec(markdown)?.[1] ?? '',
    blocks,
    inline: [...text.join('\n').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\n', ' ')),
  };
}

function readMark(mark: string): Pick<CommandBlock, 'notRun' | 'exitCode' | 'atTheEnd'> {
  return {
    notRun: /^not run: (.+)$/.exec(mark)?.[1],
    exitCode: Number(/^exits with (\d+)$/.exec(mark)?.[1] ?? 0),
    atTheEnd: mark === 'at the end',
  };
}

/** What is shown that an output does not have, in that order; `…` in it is anything, and spaces count as one. */
export function missingOutput(shown: readonly string[], output: string): string[] {
  const lines = output.split('\n').map(spaced);
  let from = 0;
  return shown.filter((line) => {
    const parts = spaced(line)
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^${parts.join('.*')}$`);
    const found = lines.findIndex((each, index) => index >= from && pattern.test(each));
    if (found >= 0) from = found + 1;
    return found < 0;
  });
}

function spaced(line: string): string {
  return line.trim().replaceAll(/\s+/g, ' ');
}
