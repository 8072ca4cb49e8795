import assert from 'node:assert/strict';
import { within } from '@hawser/seams/testing';
import { WsTransport } from '../../src/index.ts';
import { AttackedHub } from '../fuzz/attacked-hub.ts';
import { RawPeer, openFrame } from './raw-peer.ts';
import { rawTls, readToEnd, upgradeRequest } from './raw-tls.ts';
import { connect } from 'node:net';
import { once } from 'node:events';

const HANDSHAKE_MS = 400;

describe('A hub over WebSocket, kept waiting', () => {
  let hub: AttackedHub;

  before(async () => {
    hub = await AttackedHub.open({
      create: (options) => new WsTransport(options),
      limits: { handshakeTimeoutMs: HANDSHAKE_MS },
    });
  });

  after(() => hub.close());

  /** Fails unless what ends does so because of the time-out: not at once, not never. */
  async function endsByTimeout(end: Promise<unknown>): Promise<void> {
    const startedMs = performance.now();
    await within('the end', end);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs > HANDSHAKE_MS / 2, `ended after ${tookMs} ms`);
    await hub.settlesAt(0);
  }

  it('drops a peer that never begins TLS', async () => {
    const tcp = connect(hub.port, '127.0.0.1');
    tcp.on('error', () => {}); // a reset is an end too
    await once(tcp, 'connect');
    await endsByTimeout(once(tcp, 'close'));
  });

  it('drops a peer that sends half a request', async () => {
    const raw = await rawTls(hub.port, await hub.edge('slow'));
    raw.tls.write(upgradeRequest().slice(0, 50));
    await endsByTimeout(readToEnd(raw));
  });

  it('drops a peer that is refused and does not close', async () => {
    const raw = await rawTls(hub.port);
    raw.tls.write(upgradeRequest());
    await within('the end', readToEnd(raw));
    await hub.settlesAt(0);
  });

  it('drops a peer that opens no session', async () => {
    const peer = await RawPeer.connect(hub.port, await hub.edge('slow'));
    await endsByTimeout(peer.ended);
    assert.equal(await hub.failedWith('ERR_TUNNEL_HANDSHAKE_TIMEOUT'), 1);
  });

  it('drops a peer that says half a hello', async () => {
    const peer = await RawPeer.connect(hub.port, await hub.edge('slow'));
    peer.send(openFrame(1, 'session'));
    await endsByTimeout(peer.ended);
    assert.equal(await hub.failedWith('ERR_TUNNEL_HANDSHAKE_TIMEOUT'), 2);
  });

  it('drops a peer that sends half a WebSocket message', async () => {
    const peer = await RawPeer.connect(hub.port, await hub.edge('slow'));
    peer.sendRaw(Buffer.from('82fe7fff00000000aabbcc', 'hex'));
    await endsByTimeout(peer.ended);
    assert.equal(await hub.failedWith('ERR_TUNNEL_HANDSHAKE_TIMEOUT'), 3);
  });
});
