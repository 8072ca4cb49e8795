// npm start [-- OPTIONS]: sets up, then runs the main job.
import { run } from './run.js';
import { setup } from './setup.js';

await setup({ systemPackages: true });
process.on('SIGINT', () => {}); // the child gets it too, and ends in good order
process.exitCode = await run(process.execPath, ['e2e/dist/src/demo/main.js', ...process.argv.slice(2)], {
  passOn: ['SIGTERM', 'SIGHUP'],
});
