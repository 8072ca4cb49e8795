import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { StreamTarget } from '../../../src/runtime/process/stream-target.ts';
import { StreamTickets } from '../../../src/runtime/process/stream-tickets.ts';

const TARGET: StreamTarget = { kind: 'port-forward', ports: [80] };
const MOST = 256;

/** What the server says to a request for an upgrade. */
async function upgrade(address: string): Promise<string> {
  const { hostname, port, pathname } = new URL(address);
  const socket = connect(Number(port), hostname);
  socket.end(`GET ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n`);
  return await text(socket);
}

describe('tickets for streams', () => {
  let served: StreamTarget[];
  let tickets: StreamTickets;

  beforeEach(() => {
    served = [];
    tickets = new StreamTickets((target, _request, socket) => {
      served.push(target);
      socket.end(`open: ${tickets.open}`);
    });
  });
  afterEach(() => tickets.stop());

  it('lead to a stream once', async () => {
    const address = await tickets.issue(TARGET);
    assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/portforward\/[\w-]{32}$/);
    assert.equal(await upgrade(address), 'open: 1');
    assert.match(await upgrade(address), /^HTTP\/1\.1 404 /);
    assert.deepEqual(served, [TARGET]);
    assert.equal(tickets.open, 0);
  });

  it('cannot be guessed, nor used without an upgrade', async () => {
    const address = await tickets.issue(TARGET);
    assert.match(await upgrade(new URL('/portforward/x', address).href), /^HTTP\/1\.1 404 /);
    const { status } = await fetch(address);
    assert.equal(status, 426);
    assert.deepEqual(served, []);
    assert.equal(await upgrade(address), 'open: 1', 'it is good still');
  });

  it('are not given out without end', async () => {
    for (let count = 0; count < MOST; count++) await tickets.issue(TARGET);
    await assert.rejects(tickets.issue(TARGET), /too many streams were asked for/);
  });
});
