import assert from 'node:assert/strict';
import { eventually, within } from '@hawser/seams/testing';
import { HandshakeGate, tunnelLimits, WsTransport, type Listener } from '../../src/index.ts';
import { TestAuthority } from '../../testing/index.ts';
import { rawTls, readToEnd, upgradeRequest } from './raw-tls.ts';

describe('A WebSocket hub that refuses', () => {
  let authority: TestAuthority;
  let gate: HandshakeGate;
  let listener: Listener;
  let errors: Error[];

  before(async () => {
    authority = await TestAuthority.create();
  });

  beforeEach(async () => {
    const hub = await authority.hub();
    const limits = tunnelLimits();
    gate = new HandshakeGate(limits);
    errors = [];
    listener = await new WsTransport({ credentials: () => hub, limits }).listen({
      host: '127.0.0.1',
      port: 0,
      gate,
      onConnection: () => Promise.reject(new Error('nobody should get in')),
      onHandshakeError: (error) => errors.push(error),
    });
  });

  afterEach(() => listener.close());

  it('survives a certificate whose issuer has half a character where the reason is cut', async () => {
    // The reason names the issuer. Of two names that differ by one unit, one is cut within a surrogate pair, on
    // which encodeURIComponent throws: an unauthenticated peer could end the hub's process with it.
    for (const name of [`CN=${'😀'.repeat(400)}`, `CN=x${'😀'.repeat(400)}`]) {
      const stranger = await TestAuthority.create(name);
      const raw = await rawTls(listener.port, await stranger.edge());
      raw.tls.write(upgradeRequest());
      const answer = await within('the answer', readToEnd(raw));
      assert.match(answer, /^HTTP\/1\.1 403 /);
      assert.match(answer, /hawser-error: ERR_TUNNEL_CERT_UNTRUSTED\r\n/);
      const said = /hawser-message: (.*)\r\n/.exec(answer)?.[1] ?? '';
      assert.match(decodeURIComponent(said), /names as issuer: CN=x?😀/u);
    }
    assert.equal(errors.length, 2);
  });

  it('frees the place of a refused peer as soon as it is gone', async () => {
    for (let i = 0; i < 5; i++) {
      const raw = await rawTls(listener.port);
      raw.tls.write(upgradeRequest(), () => raw.tcp.resetAndDestroy());
      await eventually('the refusal', () => errors.length === i + 1);
    }
    // Long before handshakeTimeoutMs.
    await eventually('all places are free', () => gate.connections === 0, { deadlineMs: 2000 });
  });

  it('refuses another path, and a request that is no upgrade', async () => {
    const elsewhere = await rawTls(listener.port, await authority.edge());
    elsewhere.tls.write(upgradeRequest('/v1/other'));
    assert.match(
      await within('the answer', readToEnd(elsewhere)),
      /403 .*hawser-error: ERR_TUNNEL_REJECTED/s,
    );
    const plain = await rawTls(listener.port, await authority.edge());
    plain.tls.write('GET / HTTP/1.1\r\nHost: hub\r\n\r\n');
    assert.match(await within('the answer', readToEnd(plain)), /^HTTP\/1\.1 426 /);
    await eventually('all places are free', () => gate.connections === 0);
  });

  it('refuses a WebSocket that does not ask for this protocol or is malformed', async () => {
    for (const change of [
      (text: string) => text.replace(/Sec-WebSocket-Key: .*\r\n/, ''),
      (text: string) => text.replace('Version: 13', 'Version: 7'),
      (text: string) => text.replace('GET', 'POST'),
    ]) {
      const raw = await rawTls(listener.port, await authority.edge());
      raw.tls.write(change(upgradeRequest()));
      assert.match(await within('the answer', readToEnd(raw)), /^HTTP\/1\.1 4\d\d /);
    }
    await eventually('all places are free', () => gate.connections === 0);
  });
});
