import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { eventually, within } from '@hawser/seams/testing';
import { tunnelLimits, TunnelServer, WsTransport, type Credentials } from '../../src/index.ts';
import { TestAuthority } from '../../testing/index.ts';
import { readToEnd, upgradeRequest } from './raw-tls.ts';

describe('A WebSocket hub that is offered an earlier TLS session', () => {
  let authority: TestAuthority;
  let server: TunnelServer;
  let port: number;
  const revoked = new Set<string>();

  before(async () => {
    authority = await TestAuthority.create();
    const hub = await authority.hub();
    const limits = tunnelLimits();
    const verify = { isRevoked: ({ fingerprint }: { fingerprint: string }) => revoked.has(fingerprint) };
    server = new TunnelServer({
      welcome: { software: 'hub/test', clusterUid: 'cluster-1', incarnation: '1' },
      limits,
      onTunnel: () => () => {},
    });
    const transport = new WsTransport({ credentials: () => hub, limits, verify });
    port = (await server.listen(transport, { host: '127.0.0.1', port: 0 })).port;
  });

  after(() => server.stop());

  async function dial(edge: Credentials, session?: Buffer): Promise<{ tls: TLSSocket; sessions: Buffer[] }> {
    const sessions: Buffer[] = [];
    const tls = connect({
      host: '127.0.0.1',
      port,
      key: edge.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: edge.certificate.toString(),
      rejectUnauthorized: false,
      ...(session === undefined ? {} : { session }),
    });
    tls.on('session', (data) => sessions.push(data));
    await once(tls, 'secureConnect');
    return { tls, sessions };
  }

  const answerOf = (tls: TLSSocket): Promise<string> => {
    tls.write(upgradeRequest());
    return new Promise((resolve) => tls.once('data', (data: Buffer) => resolve(data.toString('latin1'))));
  };

  it('does a full handshake, in which a certificate that was revoked since is refused', async () => {
    const edge = await authority.edge();
    const first = await dial(edge);
    assert.match(await within('the upgrade', answerOf(first.tls)), /^HTTP\/1\.1 101 /);
    await eventually('what OpenSSL gives', () => first.sessions.length > 0);
    first.tls.destroy();

    const again = await dial(edge, first.sessions[0]);
    assert.equal(again.tls.isSessionReused(), false);
    assert.match(await within('the upgrade', answerOf(again.tls)), /^HTTP\/1\.1 101 /);
    again.tls.destroy();

    revoked.add(edge.certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    const late = await dial(edge, first.sessions[0]);
    late.tls.write(upgradeRequest());
    const answer = await within('the refusal', readToEnd({ tls: late.tls, tcp: late.tls }));
    assert.match(answer, /^HTTP\/1\.1 403 [^]*hawser-error: ERR_TUNNEL_CERT_REVOKED/);
    await eventually('no place is held', () => server.gate.connections === 0);
  });

  it('does not take the session of one node for another certificate', async () => {
    const first = await dial(await authority.edge('edge-1'));
    await within('the upgrade', answerOf(first.tls));
    await eventually('what OpenSSL gives', () => first.sessions.length > 0);
    first.tls.destroy();
    const second = await dial(await authority.edge('edge-2'), first.sessions[0]);
    assert.equal(second.tls.isSessionReused(), false);
    second.tls.destroy();
    await eventually('no place is held', () => server.gate.connections === 0);
  });
});
