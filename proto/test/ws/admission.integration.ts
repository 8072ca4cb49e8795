import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { eventually, within } from '@hawser/seams/testing';
import { SessionSite, wsUnderTest } from '../../testing/index.ts';

describe('Edges at the gate of a WebSocket hub', () => {
  let site: SessionSite;

  afterEach(() => site.close());

  it('wait for their turn, and all get in', async () => {
    site = await SessionSite.open(wsUnderTest, { limits: { maxHandshakes: 1, maxHandshakesPerAddress: 1 } });
    const downs: string[] = [];
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        site.client({ node: `edge-${i}` }, { onDown: (error) => downs.push(error.message) }),
      ),
    );
    let mostWaiting = 0;
    let mostAtOnce = 0;
    for (const client of clients) client.start();
    await eventually('all sessions', () => {
      mostWaiting = Math.max(mostWaiting, site.server.gate.waiting);
      mostAtOnce = Math.max(mostAtOnce, site.server.gate.handshakes);
      return clients.every(({ state }) => state === 'connected');
    });
    assert.deepEqual(downs, []);
    assert.equal(mostAtOnce, 1);
    assert.ok(mostWaiting > 5, `${mostWaiting} waited`);
    assert.equal(site.server.gate.refused.size, 0);
  });

  it('are closed when they have waited long enough, and know why', async () => {
    site = await SessionSite.open(wsUnderTest, { limits: { maxHandshakes: 1, handshakeWaitMs: 200 } });
    const stranger = connect(site.port, '127.0.0.1'); // takes the only place, and says nothing
    stranger.on('error', () => {}); // it is reset when the hub stops
    await once(stranger, 'connect');
    const down: string[] = [];
    const client = await site.client(
      {},
      { onDown: (error) => down.push('code' in error ? String(error.code) : error.message) },
    );
    client.start();
    await eventually('the end of its wait', () => down.length > 0);
    assert.equal(down[0], 'ERR_TUNNEL_OVERLOADED');
    assert.ok((site.server.gate.refused.get('handshakes') ?? 0) >= 1);
    stranger.destroy();
    await eventually('its turn', () => client.state === 'connected', { deadlineMs: 10_000 });
  });

  it('leave their place to others when they go', async () => {
    site = await SessionSite.open(wsUnderTest, { limits: { maxHandshakes: 1 } });
    const strangers = Array.from({ length: 3 }, () => connect(site.port, '127.0.0.1'));
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    await eventually('two wait', () => site.server.gate.waiting === 2);
    for (const socket of strangers) socket.resetAndDestroy();
    await eventually('nobody is there', () => site.server.gate.connections === 0);
    await site.connect();
  });

  it('are turned away at once when the hub stops', async () => {
    site = await SessionSite.open(wsUnderTest, { limits: { maxHandshakes: 1 } });
    const strangers = Array.from({ length: 3 }, () => connect(site.port, '127.0.0.1'));
    for (const socket of strangers) socket.on('error', () => {}); // a reset is an end too
    const gone = strangers.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await eventually('two wait', () => site.server.gate.waiting === 2);
    await within('the hub stopping', site.server.stop(), 2000);
    await within('the end of all', Promise.all(gone), 2000);
    await eventually('nobody is there', () => site.server.gate.connections === 0);
  });
});
