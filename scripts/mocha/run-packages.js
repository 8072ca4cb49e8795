// Runs compiled tests, each part of them in a mocha process of its own, a few at a time, and adds up.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageDirs } from '../setup.js';
import { root, say, timed } from '../run.js';
import { partsOf } from './parts.js';

const CLOSING_LINE = /^(?:\w+: )?(\d+) passed, (\d+) failed, (\d+) skipped$/m;

/** Parts tested at a time: two that wait more than they compute beside one that computes, while there are such. */
const LANES = [{ waits: true }, { waits: true }, { waits: false }];
/** Files whose tests take as long are told of in the end, seconds; at most so many. */
const SLOW = 15;
const MOST_TOLD = 20;

/** A mocha whose tests are done and that does not end has something open still: it is ended after so long. */
const END_LIMIT_MS = 60_000;
const IS_DONE = /^(?:\w+: )?\d+ passed, \d+ failed, \d+ skipped\s*$/;

/** Output comes in one piece at the end where others run beside it. */
function runMocha(node, specs, args, env, alone) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, ['node_modules/mocha/bin/mocha.js', ...specs, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])
      from.on('data', (chunk) => (alone ? to.write(chunk) : output.push([to, chunk])));
    let tail = '';
    let ending;
    let hangs = false;
    const end = () => {
      hangs = true;
      say(`does not end, though its tests have: ${specs.join(' ')}`);
      child.kill('SIGINT'); // which it passes on to the process that it has for options of Node
    };
    child.stdout.on('data', (chunk) => {
      tail = (tail + chunk).slice(-4096);
      clearTimeout(ending);
      if (IS_DONE.test(tail.slice(tail.trimEnd().lastIndexOf('\n') + 1)))
        ending = setTimeout(end, END_LIMIT_MS);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(ending);
      for (const [to, chunk] of output) to.write(chunk);
      resolve({ code: hangs ? 1 : (code ?? 1), counts: CLOSING_LINE.exec(tail) });
    });
  });
}

/**
 * A file with tests against real programs is run once more where one of them failed: alone, on a machine that does
 * nothing else. What passes then was a matter of time, and is told; more files than these are no accident.
 */
const MOST_RUN_AGAIN = 5;

/** Reads what the reporter has written, and removes it. @returns {object[]} */
function take(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  rmSync(file);
  return lines.map((line) => JSON.parse(line));
}

function addUp(total, code, counts) {
  if (counts === null || (code !== 0 && counts[2] === '0')) total.failed += 1;
  if (counts === null) return;
  total.passed += Number(counts[1]);
  total.failed += Number(counts[2]);
  total.skipped += Number(counts[3]);
}

/** @returns {Promise<typeof failures>} those that failed again, or are not of that kind */
async function runAgain(failures, total, { node, mochaArgs, env, file }) {
  const files = [...new Set(failures.map((failure) => failure.file))];
  const again = files.filter((each) => each?.endsWith('.integration.js'));
  if (again.length > MOST_RUN_AGAIN) return failures;
  const left = failures.filter((failure) => !again.includes(failure.file));
  for (const each of again) {
    const before = failures.filter((failure) => failure.file === each);
    say(`again, alone: ${path.relative(root, each)}`);
    const { code } = await runMocha(node, [each], mochaArgs, { ...env, HAWSER_FAILURES: file }, true);
    const now = take(file);
    if (code !== 0) {
      left.push(...(now.length > 0 ? now : before));
      continue;
    }
    total.failed -= before.length;
    total.passed += before.length;
    for (const { title, message } of before) say(`passed only when run alone: ${title}\n${message}`);
  }
  return left;
}

/** @param {{file: string, ms: number}[]} times of suites */
function tellSlow(times) {
  const seconds = new Map();
  for (const { file, ms } of times) seconds.set(file, (seconds.get(file) ?? 0) + ms / 1000);
  const slow = [...seconds].filter(([, took]) => took >= SLOW).sort(([, one], [, other]) => other - one);
  for (const [file, took] of slow.slice(0, MOST_TOLD))
    say(`slow: ${path.relative(root, file)}: ${Math.round(took)} s`);
}

/**
 * Runs the tests of the packages named (default: all that have any), a few packages at a time. What failed is told at
 * the end once more.
 * @param {{node?: string, packages?: string[], mochaArgs?: string[], env?: Record<string, string>}} options
 * @returns {Promise<{passed: number, failed: number, skipped: number}>} a mocha that died counts as one failure
 */
export async function runPackages({ node = process.execPath, packages = [], mochaArgs = [], env = {} } = {}) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const file = path.join(tmpdir(), `hawser-failures-${process.pid}.jsonl`);
  const timesFile = path.join(tmpdir(), `hawser-times-${process.pid}.jsonl`);
  const queue = partsOf(
    packageDirs()
      .filter((dir) => packages.length === 0 || packages.includes(dir))
      .filter((dir) => existsSync(path.join(root, dir, 'dist', 'test'))),
  );
  const alone = queue.length === 1;
  const next = (waits) => {
    const index = queue.findIndex((part) => part.waits === waits);
    return queue.splice(Math.max(index, 0), 1)[0];
  };
  const work = async ({ waits }) => {
    for (let part = next(waits); part !== undefined; part = next(waits)) {
      const { name, specs } = part;
      say(`testing ${name} …`);
      const partEnv = { ...env, HAWSER_FAILURES: file, HAWSER_TIMES: timesFile };
      const run = () => runMocha(node, specs, mochaArgs, partEnv, alone);
      const { code, counts } = await timed(`tested ${name}`, run);
      addUp(total, code, counts);
    }
  };
  await Promise.all(LANES.map(work));
  tellSlow(take(timesFile));
  const failures = await runAgain(take(file), total, { node, mochaArgs, env, file });
  for (const { title, message } of failures) say(`failed: ${title}\n${message}`);
  return total;
}

/** Splits command-line arguments: names of packages first, the rest is mocha's. */
export function splitArgs(args) {
  const names = new Set(packageDirs());
  return {
    packages: args.filter((arg) => names.has(arg)),
    mochaArgs: args.filter((arg) => !names.has(arg)),
  };
}
