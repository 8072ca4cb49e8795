import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { deferred } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import {
  QuicTransport,
  TunnelClient,
  TunnelError,
  TunnelServer,
  tunnelLimits,
  WsTransport,
  type Connection,
  type Credentials,
  type PeerIdentity,
  type RefusedCertificate,
  type TransportOptions,
  type TunnelErrorCode,
} from '../src/index.ts';
import {
  echo,
  openPair,
  rejectsWith,
  Site,
  TestAuthority,
  wsUnderTest,
  type CertificateWish,
} from '../testing/index.ts';

const DAY_MS = 24 * 3600 * 1000;
const EXPIRED = { notBefore: new Date(Date.now() - 9 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
const HUB = { subject: 'O=hawser:hubs, CN=cloudcore' };

const peersUnderTest = {
  ...wsUnderTest,
  create: (options: TransportOptions) => new WsTransport({ ...options, peers: true }),
};

describe('ws between two nodes', function () {
  this.timeout(20_000);
  let authority: TestAuthority;
  let site: Site | undefined;

  before(async () => {
    authority = await TestAuthority.create();
  });
  afterEach(async () => {
    await site?.close();
    site = undefined;
  });

  /** A node `edge-2` that listens, with a certificate of this kind. */
  async function listening(
    credentials?: Credentials,
    verify?: TransportOptions['verify'],
  ): Promise<{ open: Site; dial: (node?: string, by?: Credentials) => Promise<Connection> }> {
    const own = credentials ?? (await authority.edge('edge-2'));
    const open = await Site.open(peersUnderTest, authority, { hub: own, ...(verify && { verify }) });
    site = open;
    const dial = async (node = 'edge-2', by?: Credentials): Promise<Connection> => {
      const transport = await open.edgeTransport(by);
      return transport.dial({ ...open.address, node });
    };
    return { open, dial };
  }

  /** The dialer learns the code, and whose certificate it is about; the listener's place is free again. */
  async function refused(
    open: Site,
    dialling: Promise<Connection>,
    code: TunnelErrorCode,
    certificate: RefusedCertificate,
  ): Promise<void> {
    const error = await dialling.then(
      () => assert.fail('it was let in'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TunnelError, String(error));
    assert.equal(error.code, code, error.message);
    assert.equal(error.certificate, certificate);
    if (certificate === 'own')
      await eventually('the listener noticed', () =>
        open.handshakeErrors.some((noticed) => 'code' in noticed && noticed.code === code),
      );
    await eventually('its place is free', () => open.gate.connections === 0);
  }

  it('is verified on both sides, by node and not by address', async () => {
    const { open, dial } = await listening();
    const near = await dial();
    const far = await within('the connection at the other node', open.arrival());
    assert.equal(near.peer.nodeName, 'edge-2');
    assert.equal(near.peer.role, 'peer');
    assert.equal(far.peer.nodeName, 'edge-1');
    assert.equal(far.peer.role, 'edge');
    void echo(far);
    const { near: stream, far: other } = await openPair(far, near);
    await stream.write(Buffer.from('hello'));
    await stream.end();
    await other.end();
    near.destroy({ code: 'normal', message: 'the test is over' });
  });

  it('takes any authority during a rotation, on both ends', async () => {
    const next = await TestAuthority.create('CN=next-ca');
    const both = [authority.certificate, next.certificate];
    const { dial } = await listening({ ...(await next.edge('edge-2')), authorities: both });
    const near = await dial('edge-2', { ...(await authority.edge()), authorities: both });
    assert.equal(near.peer.nodeName, 'edge-2');
    near.destroy({ code: 'normal', message: 'the test is over' });
  });

  const servers: readonly [string, CertificateWish, TunnelErrorCode][] = [
    ['of another node', { subject: 'O=system:nodes, CN=system:node:edge-3' }, 'ERR_TUNNEL_CERT_NAME'],
    [
      'of a node of a longer name',
      { subject: 'O=system:nodes, CN=system:node:edge-22' },
      'ERR_TUNNEL_CERT_NAME',
    ],
    ['of a hub', { ...HUB, names: ['127.0.0.1'] }, 'ERR_TUNNEL_CERT_USAGE'],
    ['of somebody with a node’s name', { subject: 'CN=system:node:edge-2' }, 'ERR_TUNNEL_CERT_USAGE'],
    ['of a node without a name', { subject: 'O=system:nodes, CN=system:node:' }, 'ERR_TUNNEL_CERT_USAGE'],
    ['for clients only', { usages: ['client'] }, 'ERR_TUNNEL_CERT_USAGE'],
    ['expired', EXPIRED, 'ERR_TUNNEL_CERT_EXPIRED'],
    ['of an authority', { isAuthority: true }, 'ERR_TUNNEL_CERT_USAGE'],
  ];
  for (const [what, wish, code] of servers) {
    it(`refuses one that serves with a certificate ${what}`, async () => {
      const { open, dial } = await listening(await authority.edge('edge-2', wish));
      await refused(open, dial(), code, 'peer');
    });
  }

  it('refuses one that serves with the certificate of another authority, one of the same name included', async () => {
    for (const name of ['CN=somebody-else', 'CN=hawser-test-ca']) {
      const forger = await TestAuthority.create(name);
      const forged = { ...(await forger.edge('edge-2')), authorities: [authority.certificate] };
      const { open, dial } = await listening(forged);
      await refused(open, dial(), 'ERR_TUNNEL_CERT_UNTRUSTED', 'peer');
      await open.close();
      site = undefined;
    }
  });

  it('refuses one that serves with a revoked certificate', async () => {
    const credentials = await authority.edge('edge-2');
    const { open } = await listening(credentials);
    const isRevoked = ({ serialNumber }: PeerIdentity): boolean =>
      serialNumber === credentials.certificate.serialNumber;
    const transport = await open.edgeTransport(undefined, { isRevoked });
    await refused(
      open,
      transport.dial({ ...open.address, node: 'edge-2' }),
      'ERR_TUNNEL_CERT_REVOKED',
      'peer',
    );
  });

  it('refuses one that serves without a certificate', async () => {
    const bare = createServer({ minVersion: 'TLSv1.3' }, (socket) => socket.destroy());
    bare.listen(0, '127.0.0.1');
    await once(bare, 'listening');
    const { port } = bare.address() as AddressInfo; // it listens on one
    const { open } = await listening();
    const transport = await open.edgeTransport();
    await rejectsWith(transport.dial({ host: '127.0.0.1', port, node: 'edge-2' }), 'ERR_TUNNEL_DIAL');
    bare.close();
  });

  const clients: readonly [string, CertificateWish, TunnelErrorCode][] = [
    ['of a hub', HUB, 'ERR_TUNNEL_CERT_USAGE'],
    ['of somebody with a node’s name', { subject: 'CN=system:node:edge-1' }, 'ERR_TUNNEL_CERT_USAGE'],
    ['for servers only', { usages: ['server'] }, 'ERR_TUNNEL_CERT_USAGE'],
    ['expired', EXPIRED, 'ERR_TUNNEL_CERT_EXPIRED'],
  ];
  for (const [what, wish, code] of clients) {
    it(`lets nobody in with a certificate ${what}`, async () => {
      const { open, dial } = await listening();
      await refused(open, dial('edge-2', await authority.edge('edge-1', wish)), code, 'own');
    });
  }

  it('lets nobody in with a certificate of another authority, or without one', async () => {
    const { open, dial } = await listening();
    const forger = await TestAuthority.create();
    const forged = { ...(await forger.edge()), authorities: [authority.certificate] };
    await refused(open, dial('edge-2', forged), 'ERR_TUNNEL_CERT_UNTRUSTED', 'own');
    await rejectsWith(wsUnderTest.dialWithoutCertificate(open.address), 'ERR_TUNNEL_CERT_MISSING');
  });

  it('lets nobody in with a certificate that was revoked, from that moment on', async () => {
    const revoked = new Set<string>();
    const isRevoked = ({ fingerprint }: PeerIdentity): boolean => revoked.has(fingerprint);
    const { open, dial } = await listening(undefined, { isRevoked });
    const credentials = await authority.edge();
    const near = await dial('edge-2', credentials);
    await within('the connection at the other node', open.arrival());
    revoked.add(credentials.certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    near.destroy({ code: 'normal', message: 'once more' });
    await refused(open, dial('edge-2', credentials), 'ERR_TUNNEL_CERT_REVOKED', 'own');
  });

  it('wants to know which node it is to find', async () => {
    const { open } = await listening();
    const transport = await open.edgeTransport();
    await rejectsWith(transport.dial(open.address), 'ERR_TUNNEL_DIAL');
    await rejectsWith(transport.dial({ ...open.address, node: '' }), 'ERR_TUNNEL_DIAL');
    assert.equal(open.gate.connections, 0, 'and dials nobody without');
  });

  it('takes no node for a hub, and no hub for a node', async () => {
    const { open } = await listening();
    const own = await authority.edge();
    const asEdge = new WsTransport({ credentials: () => own, limits: tunnelLimits() });
    await rejectsWith(
      asEdge.dial({ ...open.address, node: 'edge-2' }),
      'ERR_TUNNEL_CERT_USAGE',
      'ERR_TUNNEL_CERT_NAME',
    );
  });

  it('carries a session in which nobody goes by another node’s name', async () => {
    const own = await authority.edge('edge-2');
    const limits = tunnelLimits();
    const server = new TunnelServer({
      welcome: { software: 'edgecore/test', clusterUid: 'c', incarnation: 'i' },
      onTunnel: () => () => {},
    });
    const listener = await server.listen(new WsTransport({ credentials: () => own, limits, peers: true }), {
      host: '127.0.0.1',
      port: 0,
    });
    const dialer = await authority.edge('edge-1');
    const transport = new WsTransport({ credentials: () => dialer, limits, peers: true });
    const outcome = async (name: string): Promise<string> => {
      const known = deferred<string>();
      const client = new TunnelClient({
        routes: [{ transport, hub: { host: '127.0.0.1', port: listener.port, node: 'edge-2' } }],
        hello: () => ({ node: name, software: 'edgecore/test' }),
        onTunnel: (tunnel) => {
          tunnel
            .ping()
            .then(
              () => known.resolve(`up with ${tunnel.peer.nodeName}, heard ${tunnel.heardMs > 0}`),
              known.reject,
            );
          return () => {};
        },
        onDown: (error) => known.resolve(error instanceof TunnelError ? error.code : error.message),
      });
      client.start();
      const said = await within('a session or a refusal', known.promise);
      await client.stop();
      return said;
    };
    assert.equal(await outcome('edge-1'), 'up with edge-2, heard true');
    assert.equal(await outcome('edge-3'), 'ERR_TUNNEL_CERT_NAME');
    await server.stop();
  });
});

describe('quic between two nodes', () => {
  it('is refused: it is for hubs', async () => {
    const authority = await TestAuthority.create();
    const own = await authority.edge();
    const transport = new QuicTransport({ credentials: () => own, limits: tunnelLimits(), peers: true });
    const address = { host: '127.0.0.1', port: 1, node: 'edge-2' };
    await rejectsWith(transport.dial(address), 'ERR_TUNNEL_TRANSPORT_UNAVAILABLE');
    const site = await Site.open(wsUnderTest, authority);
    await rejectsWith(
      transport.listen({
        host: '127.0.0.1',
        port: 0,
        gate: site.gate,
        onConnection: () => Promise.resolve(),
      }),
      'ERR_TUNNEL_TRANSPORT_UNAVAILABLE',
    );
    await transport.close();
    await site.close();
  });
});
