// Runs each package's compiled tests in a mocha process of its own, and adds up.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { packageDirs } from '../setup.js';
import { root, say } from '../run.js';

const CLOSING_LINE = /^(?:\w+: )?(\d+) passed, (\d+) failed, (\d+) skipped$/m;

/** Packages tested at a time: their tests wait more than they compute. */
const AT_A_TIME = 2;
/** Takes as long as all others together: begins first. */
const LONGEST = 'e2e';

/** Output comes in one piece at the end where others run beside it. */
function runMocha(node, dir, args, env, alone) {
  return new Promise((resolve, reject) => {
    const specs = [`${dir}/dist/test/**/*.test.js`, `${dir}/dist/test/**/*.integration.js`];
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
 * Runs the tests of the packages named (default: all that have any), a few packages at a time.
 * @param {{node?: string, packages?: string[], mochaArgs?: string[], env?: Record<string, string>}} options
 * @returns {Promise<{passed: number, failed: number, skipped: number}>} a mocha that died counts as one failure
 */
export async function runPackages({ node = process.execPath, packages = [], mochaArgs = [], env = {} } = {}) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const queue = packageDirs()
    .filter((dir) => packages.length === 0 || packages.includes(dir))
    .filter((dir) => existsSync(path.join(root, dir, 'dist', 'test')))
    .sort((one, other) => Number(other === LONGEST) - Number(one === LONGEST));
  const alone = queue.length === 1;
  const work = async () => {
    for (let dir = queue.shift(); dir !== undefined; dir = queue.shift()) {
      say(`testing ${dir} …`);
      const startedMs = performance.now();
      const { code, counts } = await runMocha(node, dir, mochaArgs, env, alone);
      say(`tested ${dir}: ${Math.round((performance.now() - startedMs) / 1000)} s`);
      if (counts === null || (code !== 0 && counts[2] === '0')) total.failed += 1;
      if (counts === null) continue;
      total.passed += Number(counts[1]);
      total.failed += Number(counts[2]);
      total.skipped += Number(counts[3]);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
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
