// Another release of Node.js to test on: the one HAWSER_LTS_NODE names, or the one that `npm run test:lts` put
// into .cache (from the npm package `node`, which carries the binary).
import path from 'node:path';
import { mustRun, root, say } from './run.js';

const prefix = path.join(root, '.cache', 'lts');

/** Path of the other Node.js, whether it is there or not; undefined where none is wanted. */
export function ltsNode() {
  return process.env.HAWSER_LTS_NODE ?? path.join(prefix, 'node_modules', 'node', 'bin', 'node');
}

if (process.argv[1] === import.meta.filename) {
  say('fetching the current LTS release of Node.js into .cache/lts …');
  const install = [
    'install',
    '--prefix',
    prefix,
    '--no-save',
    '--allow-scripts=node',
    '--loglevel=error',
    'node@lts',
  ];
  await mustRun('npm install node@lts', 'npm', install);
  await mustRun('the tests', process.execPath, [path.join(root, 'scripts', 'test.js')]);
}
