// npm start [-- OPTIONS]: sets up, then runs the main job.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root, run } from './run.js';
import { setup } from './setup.js';

const MAIN = 'e2e/dist/src/demo/main.js';
const args = process.argv.slice(2);

// Nobody who only asks what can be chosen waits for packages, where something is compiled that can tell.
const canTell = ['node_modules', MAIN].every((needed) => existsSync(path.join(root, needed)));
if (!args.includes('--help') || !canTell) await setup({ systemPackages: true });
process.on('SIGINT', () => {}); // the child gets it too, and ends in good order
process.exitCode = await run(process.execPath, [MAIN, ...args], {
  passOn: ['SIGTERM', 'SIGHUP'],
});
