// docs/errors.md, from the tables that packages export as `…_ERRORS`: {code: {meaning, remedy}}.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../run.js';
import { documentedPackages, GENERATED, load } from './sources.js';

/** Files in which a package may keep its table. */
const TABLE_FILES = ['src/errors.ts', 'src/error-table.ts'];

/** @returns {Promise<[code: string, {meaning: string, remedy: string}][]>} the package's errors by code */
async function errorsOf(dir) {
  const files = TABLE_FILES.map((file) => `${dir}/${file}`).filter((file) =>
    existsSync(path.join(root, file)),
  );
  const modules = await Promise.all(files.map(load));
  return modules
    .flatMap((module) => Object.entries(module))
    .filter(([name]) => name.endsWith('_ERRORS'))
    .flatMap(([, errors]) => Object.entries(errors))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function nameOf(dir) {
  return JSON.parse(readFileSync(path.join(root, dir, 'package.json'), 'utf8')).name;
}

function section([code, { meaning, remedy }]) {
  return `### \`${code}\`\n\n${meaning}\n\n_What to do:_ ${remedy}`;
}

/** @returns {Promise<string>} the page */
export async function errorsPage() {
  const parts = [
    GENERATED,
    '# Error codes',
    `An error that the world or a caller provokes has a stable \`code\`. Its message is for people and may change. Use
the code in alerts and in questions. (A \`TypeError\` or \`RangeError\` without a code is a mistake in the program.)`,
    `The codes \`ERR_KUBE_…\` of API errors are made from the \`reason\` of the Status (\`NotFound\` gives
\`ERR_KUBE_NOT_FOUND\`). A reason that another API server has invented gives a code of the same form, which is not
listed here.`,
  ];
  for (const dir of documentedPackages()) {
    const errors = await errorsOf(dir);
    if (errors.length > 0) parts.push(`## ${nameOf(dir)}`, ...errors.map(section));
  }
  return `${parts.join('\n\n')}\n`;
}
