// Servers that say which one they are: one at port 8080 of each address that is given.
import { createServer } from 'node:net';
import { announceReady } from '../../../src/processes/in-child.ts';

const addresses = process.argv.slice(2);
await Promise.all(
  addresses.map((address) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}); // whoever it was has gone
      socket.end(address);
    });
    return new Promise<void>((resolve) => server.listen(8080, address, resolve));
  }),
);
announceReady({});
