// npm run soak [-- PACKAGE …] [mocha options]: the tests with their full lengths and counts (hours).
import { runPackages, splitArgs } from './mocha/run-packages.js';
import { setup } from './setup.js';

await setup({ systemPackages: true });
const { packages, mochaArgs } = splitArgs(process.argv.slice(2));
const total = await runPackages({
  packages,
  mochaArgs: ['--timeout', '0', ...mochaArgs],
  env: { HAWSER_SOAK: '1' },
});
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
