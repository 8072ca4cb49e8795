// The tests on a current LTS release of Node.js, beside the oldest one that we support. `npm run test:lts [-- MAJOR]`
// fetches the release (default 24) into .cache/lts, from the npm package that carries the binary; from then on
// `npm test` uses it too. It works on a copy of the checkout with packages of its own, since native addons are
// compiled for one release of Node.js.
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root, run, say } from './run.js';

const CACHE = path.join(root, '.cache', 'lts');
const TREE = path.join(CACHE, 'tree');
const PACKAGE = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const RELEASE = path.join(CACHE, 'node_modules', PACKAGE);
const NODE = path.join(RELEASE, 'bin', 'node');

/** Whether there is another release to test on, and this is not already it. */
export function ltsInstalled() {
  return existsSync(NODE) && process.execPath !== NODE;
}

/** Runs the tests of the checkout's tracked files on the other release. @returns {Promise<number>} the exit code */
export async function testOnLts() {
  mkdirSync(TREE, { recursive: true });
  await mustRun('copying the checkout', 'git', ['checkout-index', '--all', '--force', `--prefix=${TREE}/`]);
  say(`testing on ${NODE} too …`);
  const env = {
    ...process.env,
    PATH: `${path.dirname(NODE)}:${process.env.PATH ?? ''}`,
    npm_config_nodedir: RELEASE, // native addons are compiled with the headers of that release
  };
  return run(NODE, ['scripts/test.js'], { cwd: TREE, env });
}

if (process.argv[1] === import.meta.filename) {
  const major = process.argv[2] ?? '24';
  say(`fetching Node.js ${major} into .cache/lts …`);
  mkdirSync(CACHE, { recursive: true });
  await mustRun('fetching Node.js', 'npm', [
    'install',
    '--prefix',
    CACHE,
    '--no-save',
    '--loglevel=error',
    `${PACKAGE}@${major}`,
  ]);
  process.exitCode = await testOnLts();
}
