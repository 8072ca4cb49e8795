// npm test [-- PACKAGE …] [mocha options]: sets up, runs all tests with coverage, and again on another Node
// release if one is at hand (`npm run test:lts` fetches one).
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runPackages, splitArgs } from './mocha/run-packages.js';
import { mustRun, root, timed } from './run.js';
import { setup } from './setup.js';
import { ltsInstalled, testOnLts } from './lts.js';

const inCi = process.env.CI !== undefined;
await timed('setup', () => setup({ clean: inCi, systemPackages: true }));

const { packages, mochaArgs } = splitArgs(process.argv.slice(2));
if (inCi) mochaArgs.push('--forbid-only');
const whole = packages.length === 0 && !mochaArgs.some((arg) => /^(-g|--grep|-f|--fgrep)/.test(arg));

const raw = path.join(root, 'coverage', 'raw');
rmSync(raw, { recursive: true, force: true });
mkdirSync(raw, { recursive: true });
const preload = path.join(root, 'scripts', 'mocha', 'coverage.cjs');
const env = { HAWSER_COVERAGE: raw, NODE_OPTIONS: `--require ${JSON.stringify(preload)}` };
const total = await timed('tests', () => runPackages({ packages, mochaArgs, env }));

if (whole && total.failed === 0) {
  const report = ['node_modules/c8/bin/c8.js', 'report', '--temp-directory', raw];
  await timed('coverage', () => mustRun('coverage', process.execPath, report));
}
if (whole && total.failed === 0 && ltsInstalled() && (await testOnLts()) !== 0) total.failed += 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
