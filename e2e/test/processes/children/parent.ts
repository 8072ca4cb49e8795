// Starts a child, freezes it, tells its pid, and waits to be killed.
import { announceReady } from '../../../src/processes/in-child.ts';
import { startNode } from '../../../src/processes/node-child.ts';

const child = await startNode({ script: new URL('talker.js', import.meta.url) });
await child.freeze();
announceReady(child.pid);
process.on('message', () => process.exit(0));
