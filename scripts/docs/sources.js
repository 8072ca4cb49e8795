// Where the generators of the reference pages find code.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../run.js';
import { packageDirs } from '../setup.js';

/** First line of each page made here. */
export const GENERATED = '<!-- Made from code by `npm run docs`. Change the code, not this page. -->';

/** Packages whose errors and metrics users meet: all but the tests' own. */
export function documentedPackages() {
  return packageDirs().filter((dir) => dir !== 'e2e');
}

/** Paths of a package's sources, relative to the root. */
export function sourcesOf(dir) {
  const src = path.join(root, dir, 'src');
  if (!existsSync(src)) return [];
  return readdirSync(src, { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(dir, 'src', name));
}

export function readSource(file) {
  return readFileSync(path.join(root, file), 'utf8');
}

/** The compiled form of a source. @param {string} file e.g. `proto/src/limits.ts` */
export async function load(file) {
  const dir = packageDirs().find((each) => file.startsWith(`${each}/`)) ?? '';
  const compiled = path.join(root, dir, 'dist', file.slice(dir.length)).replace(/\.ts$/, '.js');
  if (!existsSync(compiled)) throw new Error(`${compiled} is not there: run \`npm run build\` first`);
  return import(pathToFileURL(compiled).href);
}

/** Text as the cell of a table. */
export function cell(text) {
  return String(text)
    .replaceAll('|', String.raw`\|`)
    .replaceAll('\n', ' ');
}

/** A table in Markdown. @param {string[]} head @param {string[][]} rows */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
