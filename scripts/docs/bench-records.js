// Figures of benches, kept in docs/benchmarks/<date>.jsonl: the machine on the first line, then the lines that benches print,
// each with the commit at which it was kept.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from '../run.js';

const folder = path.join(root, 'docs', 'benchmarks');
const GIB = 1024 ** 3;

function parseLines(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

/** @returns {{date: string, machine: string, remark?: string, figures: object[]}[]} the oldest first */
export function benchRecords(place = folder) {
  if (!existsSync(place)) return [];
  const files = readdirSync(place).filter((name) => name.endsWith('.jsonl'));
  return files.sort().map((name) => {
    const [head, ...figures] = parseLines(readFileSync(path.join(place, name), 'utf8'));
    return { ...head, figures };
  });
}

function machine() {
  const cpus = os.cpus();
  const memory = `${Math.round(os.totalmem() / GIB)} GiB`;
  return `${cpus.length} × ${cpus[0]?.model.trim()}, ${memory}, ${os.type()} ${os.release().split('-')[0]}, Node.js ${process.version}`;
}

/**
 * Adds what benches have printed to the record of today; a figure that is there already is replaced.
 * @param {string} text their lines; what does not begin with `{`, or is no figure, is passed over
 * @param {string} [remark] what a reader has to know of the day: kept when it is not given again
 * @param {string} [place] the folder of records
 * @returns {{file: string, count: number}}
 */
export function recordBenches(text, remark, place = folder) {
  const date = new Date().toISOString().slice(0, 10);
  const file = path.join(place, `${date}.jsonl`);
  const [head = {}, ...before] = existsSync(file) ? parseLines(readFileSync(file, 'utf8')) : [];
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
  }).trim();
  const added = parseLines(text)
    .filter(({ bench, figure, value }) => bench && figure && Number.isFinite(value))
    .map((line) => ({ ...line, commit }));
  const byName = new Map([...before, ...added].map((line) => [`${line.bench} ${line.figure}`, line]));
  const first = { date, machine: machine(), remark: remark ?? head.remark };
  mkdirSync(place, { recursive: true });
  const lines = [first, ...[...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)];
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return { file: path.relative(root, file), count: added.length };
}
