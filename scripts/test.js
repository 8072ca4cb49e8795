// npm test [-- PACKAGE …] [mocha options]: sets up, runs all tests with coverage, and again on another Node
// release if one is at hand (`npm run test:lts` fetches one).
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runPackages, splitArgs } from './mocha/run-packages.js';
import { mustRun, root, say } from './run.js';
import { setup } from './setup.js';
import { ltsNode } from './lts-node.js';

const inCi = process.env.CI !== undefined;
await setup({ clean: inCi, systemPackages: true });

const { packages, mochaArgs } = splitArgs(process.argv.slice(2));
if (inCi) mochaArgs.push('--forbid-only');
const whole = packages.length === 0 && !mochaArgs.some((arg) => /^(-g|--grep|-f|--fgrep)/.test(arg));

const raw = path.join(root, 'coverage', 'raw');
rmSync(raw, { recursive: true, force: true });
mkdirSync(raw, { recursive: true });
const total = await runPackages({ packages, mochaArgs, env: { NODE_V8_COVERAGE: raw } });

const lts = ltsNode();
if (whole && lts !== undefined && existsSync(lts)) {
  say(`testing on ${lts} too …`);
  const again = await runPackages({ node: lts, mochaArgs });
  for (const key of Object.keys(total)) total[key] += again[key];
}

if (whole && total.failed === 0) {
  await mustRun('coverage', process.execPath, [
    'node_modules/c8/bin/c8.js',
    'report',
    '--temp-directory',
    raw,
  ]);
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
