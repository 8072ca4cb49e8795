// Greets whoever connects to port 7.
import { createServer } from 'node:net';
import { announceReady } from '../../../src/processes/in-child.ts';

createServer((socket) => {
  socket.on('error', () => {}); // whoever it was has gone
  socket.end('hello');
}).listen(7, '0.0.0.0', () => announceReady({}));
