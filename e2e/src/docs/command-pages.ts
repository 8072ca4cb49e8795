import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readCommands, type CommandBlock, type CommandPage } from './command-page.ts';

/** Every page for people, below the root of the repository. */
export function commandPages(root: string): CommandPage[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(path.join(root, 'docs'), { recursive: true }).map(
    (name) => `docs/${String(name)}`,
  );
  const files = [...top, ...docs.filter((name) => name.endsWith('.md')), 'e2e/README.md'];
  return files.map((file) => readCommands(file, readFileSync(path.join(root, file), 'utf8')));
}

/** A block to be run, and where it is from. */
export interface Step {
  readonly page: CommandPage;
  readonly block: CommandBlock;
}

/** Pages that are run one after the other, in one shell. */
export interface Walk {
  /** The page that it begins with. */
  readonly file: string;
  readonly steps: readonly Step[];
}

/** What is to be run: one walk for each page that comes after no other, those after it in between. */
export function walks(pages: readonly CommandPage[]): Walk[] {
  const own = pages.filter(({ runBy }) => runBy === undefined);
  const stepsOf = (page: CommandPage): Step[] => {
    const steps = page.blocks.filter(({ notRun }) => notRun === undefined).map((block) => ({ page, block }));
    const others = own.filter(({ after }) => after === page.file).flatMap(stepsOf);
    const isLast = ({ block }: Step): boolean => block.atTheEnd;
    return [...steps.filter((step) => !isLast(step)), ...others, ...steps.filter(isLast)];
  };
  return own
    .filter(({ after }) => after === undefined)
    .map((page) => ({ file: page.file, steps: stepsOf(page) }))
    .filter(({ steps }) => steps.length > 0);
}
