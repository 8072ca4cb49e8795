// Runs each package's compiled tests in a mocha process of its own, the largest one's in several, and adds up.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { packageDirs } from '../setup.js';
import { root, say } from '../run.js';

const CLOSING_LINE = /^(?:\w+: )?(\d+) passed, (\d+) failed, (\d+) skipped$/m;

/** Parts tested at a time: their tests wait more than they compute. */
const AT_A_TIME = 2;
/** Takes as long as all others together, and waits for processes most of the time: begins first, in parts. */
const LONGEST = 'e2e';
/** Folders of its tests that are parts of their own; what is in no such folder is one, too. */
const PARTS_OF_LONGEST = [
  ['spine'],
  ['pods', 'kubelet', 'kubectl'],
  ['pool', 'proxy-consumer'],
  ['devices'],
  ['whole-system'],
  ['demo', 'docs'],
  ['package', 'chart', 'process-runtime'],
];

/**
 * What one mocha runs: a package, or a part of one.
 * @returns {{name: string, specs: string[]}[]}
 */
function partsOf(dir) {
  const specsIn = (folder) => `${folder}/**/*.{test,integration}.js`;
  const tests = `${dir}/dist/test`;
  if (dir !== LONGEST) return [{ name: dir, specs: [specsIn(tests)] }];
  const parts = PARTS_OF_LONGEST.map((folders) =>
    folders.filter((name) => existsSync(path.join(root, tests, name))),
  );
  const named = new Set(parts.flat());
  const rest = readdirSync(path.join(root, tests), { withFileTypes: true }).filter(
    ({ name }) => !named.has(name),
  );
  const restSpecs = rest.flatMap((entry) => {
    if (entry.isDirectory()) return [specsIn(`${tests}/${entry.name}`)];
    return /\.(test|integration)\.js$/.test(entry.name) ? [`${tests}/${entry.name}`] : [];
  });
  return [
    ...parts
      .filter((folders) => folders.length > 0)
      .map((folders) => ({
        name: `${dir}: ${folders.join(', ')}`,
        specs: folders.map((folder) => specsIn(`${tests}/${folder}`)),
      })),
    { name: `${dir}: the rest`, specs: restSpecs },
  ];
}

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
    child.stdout.on('data', (chunk) => {
      tail = (tail + chunk).slice(-4096);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      for (const [to, chunk] of output) to.write(chunk);
      resolve({ code: code ?? 1, counts: CLOSING_LINE.exec(tail) });
    });
  });
}

/**
 * A file with tests against real programs is run once more where one of them failed: alone, on a machine that does
 * nothing else. What passes then was a matter of time, and is told; more files than these are no accident.
 */
const MOST_RUN_AGAIN = 5;

/** Reads what the reporter has written, and removes it. @returns {{file?: string, title: string, message: string}[]} */
function takeFailures(file) {
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
    const now = takeFailures(file);
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

/**
 * Runs the tests of the packages named (default: all that have any), a few packages at a time. What failed is told at
 * the end once more.
 * @param {{node?: string, packages?: string[], mochaArgs?: string[], env?: Record<string, string>}} options
 * @returns {Promise<{passed: number, failed: number, skipped: number}>} a mocha that died counts as one failure
 */
export async function runPackages({ node = process.execPath, packages = [], mochaArgs = [], env = {} } = {}) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const file = path.join(tmpdir(), `hawser-failures-${process.pid}.jsonl`);
  const queue = packageDirs()
    .filter((dir) => packages.length === 0 || packages.includes(dir))
    .filter((dir) => existsSync(path.join(root, dir, 'dist', 'test')))
    .sort((one, other) => Number(other === LONGEST) - Number(one === LONGEST))
    .flatMap(partsOf);
  const alone = queue.length === 1;
  const work = async () => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const { name, specs } = part;
      say(`testing ${name} …`);
      const startedMs = performance.now();
      const { code, counts } = await runMocha(
        node,
        specs,
        mochaArgs,
        { ...env, HAWSER_FAILURES: file },
        alone,
      );
      say(`tested ${name}: ${Math.round((performance.now() - startedMs) / 1000)} s`);
      addUp(total, code, counts);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const failures = await runAgain(takeFailures(file), total, { node, mochaArgs, env, file });
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
