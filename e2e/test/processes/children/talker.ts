// Announces itself, echoes messages, counts its ticks, ends as it is told.
import { announceReady, sendToParent } from '../../../src/processes/in-child.ts';

let ticks = 0;
setInterval(() => ticks++, 5);
process.on('message', (message) => {
  if (message === 'ticks') sendToParent({ ticks });
  else if (message === 'fail') throw new Error('failed as told');
  else sendToParent({ echo: message });
});
if (process.argv[2] === 'stubborn') process.on('SIGTERM', () => console.error('no, thank you'));
console.log(`arguments: ${process.argv.slice(2).join(' ')}`);
announceReady({ pid: process.pid, env: process.env['TALKER'], bytes: Buffer.from('raw') });
