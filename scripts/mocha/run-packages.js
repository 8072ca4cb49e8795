// Runs each package's compiled tests in a mocha process of its own, and adds up.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { packageDirs } from '../setup.js';
import { root, say } from '../run.js';

const CLOSING_LINE = /^(?:\w+: )?(\d+) passed, (\d+) failed, (\d+) skipped$/m;

function runMocha(node, dir, args, env) {
  return new Promise((resolve, reject) => {
    const specs = [`${dir}/dist/test/**/*.test.js`, `${dir}/dist/test/**/*.integration.js`];
    const child = spawn(node, ['node_modules/mocha/bin/mocha.js', ...specs, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let tail = '';
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      tail = (tail + chunk).slice(-4096);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, counts: CLOSING_LINE.exec(tail) }));
  });
}

/**
 * Runs the tests of the packages named (default: all that have any).
 * @param {{node?: string, packages?: string[], mochaArgs?: string[], env?: Record<string, string>}} options
 * @returns {Promise<{passed: number, failed: number, skipped: number}>} a mocha that died counts as one failure
 */
export async function runPackages({ node = process.execPath, packages = [], mochaArgs = [], env = {} } = {}) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const dir of packageDirs()) {
    if (packages.length > 0 && !packages.includes(dir)) continue;
    if (!existsSync(path.join(root, dir, 'dist', 'test'))) continue;
    say(`testing ${dir} …`);
    const { code, counts } = await runMocha(node, dir, mochaArgs, env);
    if (counts === null || (code !== 0 && counts[2] === '0')) total.failed += 1;
    if (counts === null) continue;
    total.passed += Number(counts[1]);
    total.failed += Number(counts[2]);
    total.skipped += Number(counts[3]);
  }
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
