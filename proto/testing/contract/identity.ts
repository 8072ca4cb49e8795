import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import type { PeerIdentity, RefusedCertificate, TunnelErrorCode } from '../../src/index.ts';
import { TestAuthority, type CertificateWish } from '../test-pki.ts';
import { rejectsWith, Site, type TransportUnderTest } from './harness.ts';

const YESTERDAY = new Date(Date.now() - 24 * 3600 * 1000);
const LAST_YEAR = new Date(Date.now() - 365 * 24 * 3600 * 1000);
const TOMORROW = new Date(Date.now() + 24 * 3600 * 1000);
const EXPIRED: CertificateWish = { notBefore: LAST_YEAR, notAfter: YESTERDAY };

/** Identity: who gets in, who does not, and that both sides learn why. */
export function identityContract(underTest: TransportUnderTest, authority: () => TestAuthority): void {
  let site: Site | undefined;

  afterEach(async () => {
    await site?.close();
    site = undefined;
  });

  it('is verified on both sides', async () => {
    site = await Site.open(underTest, authority());
    const { edge, hub } = await site.connect(await site.edgeTransport(await authority().edge('edge-7')));
    assert.equal(hub.peer.nodeName, 'edge-7');
    assert.equal(hub.peer.role, 'edge');
    assert.equal(edge.peer.commonName, 'cloudcore');
    assert.equal(edge.peer.role, 'hub');
    assert.match(hub.peer.fingerprint, /^[0-9a-f]{64}$/);
  });

  for (const keyType of underTest.dialerKeys) {
    it(`accepts ${keyType} keys`, async () => {
      site = await Site.open(underTest, authority());
      const { hub } = await site.connect(
        await site.edgeTransport(await authority().edge('edge-1', { keyType })),
      );
      assert.equal(hub.peer.nodeName, 'edge-1');
    });
  }

  const refusals: readonly [string, CertificateWish, TunnelErrorCode][] = [
    ['expired', EXPIRED, 'ERR_TUNNEL_CERT_EXPIRED'],
    ['not yet valid', { notBefore: TOMORROW }, 'ERR_TUNNEL_CERT_NOT_YET_VALID'],
    ['for servers only', { usages: ['server'] }, 'ERR_TUNNEL_CERT_USAGE'],
    ['without any usage', { usages: [] }, 'ERR_TUNNEL_CERT_USAGE'],
    ['of an authority', { isAuthority: true }, 'ERR_TUNNEL_CERT_USAGE'],
  ];
  for (const [what, wish, code] of refusals) {
    it(`refuses an edge whose certificate is ${what}, and tells it so`, async () => {
      site = await Site.open(underTest, authority());
      const transport = await site.edgeTransport(await authority().edge('edge-1', wish));
      await refusedFor('own', code, transport.dial(site.address));
      const { handshakeErrors, gate } = site;
      await eventually('the hub noticed', () =>
        handshakeErrors.some((error) => 'code' in error && error.code === code),
      );
      await eventually('its place is free', () => gate.connections === 0);
    });
  }

  it('refuses an edge without a certificate', async () => {
    site = await Site.open(underTest, authority());
    await rejectsWith(underTest.dialWithoutCertificate(site.address), 'ERR_TUNNEL_CERT_MISSING');
  });

  it('refuses an edge of another authority, one of the same name included', async () => {
    site = await Site.open(underTest, authority());
    for (const name of ['CN=somebody-else', 'CN=hawser-test-ca']) {
      const forger = await TestAuthority.create(name);
      const forged = { ...(await forger.edge()), authorities: [authority().certificate] };
      const transport = await site.edgeTransport(forged);
      await rejectsWith(transport.dial(site.address), 'ERR_TUNNEL_CERT_UNTRUSTED');
    }
  });

  it('counts a certificate that is forged and expired as forged', async () => {
    site = await Site.open(underTest, authority());
    const forger = await TestAuthority.create();
    const forged = { ...(await forger.edge('edge-1', EXPIRED)), authorities: [authority().certificate] };
    const transport = await site.edgeTransport(forged);
    await rejectsWith(transport.dial(site.address), 'ERR_TUNNEL_CERT_UNTRUSTED');
  });

  if (underTest.dialWithStolenCertificate !== undefined) {
    const dial = underTest.dialWithStolenCertificate.bind(underTest);
    it('refuses a certificate whose key the dialer has not proven', async () => {
      site = await Site.open(underTest, authority());
      const [own, stolen] = [await authority().edge('edge-1'), await authority().edge('edge-2')];
      await rejectsWith(dial(site.address, own, stolen), 'ERR_TUNNEL_CERT_KEY');
    });
  }

  it('refuses a revoked certificate from the moment that it is revoked', async () => {
    const revoked = new Set<string>();
    const isRevoked = (peer: PeerIdentity): boolean => revoked.has(peer.serialNumber);
    site = await Site.open(underTest, authority(), { verify: { isRevoked } });
    const credentials = await authority().edge();
    const transport = await site.edgeTransport(credentials);
    const { edge } = await site.connect(transport);
    revoked.add(credentials.certificate.serialNumber);
    edge.destroy({ code: 'normal', message: 'reconnecting' });
    // The same transport again: a resumed TLS session must not help.
    await rejectsWith(transport.dial(site.address), 'ERR_TUNNEL_CERT_REVOKED');
    await rejectsWith(transport.dial(site.address), 'ERR_TUNNEL_CERT_REVOKED');
  });

  it('is judged by the clock that it is given', async () => {
    const nextYear = (): number => Date.now() + 400 * 24 * 3600 * 1000;
    site = await Site.open(underTest, authority(), { verify: { wallMs: nextYear } });
    await rejectsWith((await site.edgeTransport()).dial(site.address), 'ERR_TUNNEL_CERT_EXPIRED');
  });

  const hubRefusals: readonly [string, CertificateWish, TunnelErrorCode][] = [
    ['expired', { ...EXPIRED }, 'ERR_TUNNEL_CERT_EXPIRED'],
    ['for clients only', { usages: ['client'] }, 'ERR_TUNNEL_CERT_USAGE'],
    ['for another name', { names: ['hub.example'] }, 'ERR_TUNNEL_CERT_NAME'],
    ["not a hub's", { subject: 'O=system:nodes, CN=system:node:edge-1' }, 'ERR_TUNNEL_CERT_USAGE'],
  ];
  for (const [what, wish, code] of hubRefusals) {
    it(`makes an edge refuse a hub whose certificate is ${what}`, async () => {
      site = await Site.open(underTest, authority(), { hub: await authority().hub(wish) });
      await refusedFor('peer', code, (await site.edgeTransport()).dial(site.address));
      const { gate } = site;
      await eventually('its place is free', () => gate.connections === 0);
    });
  }

  it('makes an edge refuse a hub of another authority', async () => {
    const other = await TestAuthority.create();
    const hub = { ...(await other.hub()), authorities: [authority().certificate] };
    site = await Site.open(underTest, authority(), { hub });
    await rejectsWith((await site.edgeTransport()).dial(site.address), 'ERR_TUNNEL_CERT_UNTRUSTED');
  });

  it('works by name as well as by address', async () => {
    site = await Site.open(underTest, authority());
    const transport = await site.edgeTransport();
    const edge = await transport.dial({ host: 'localhost', port: site.address.port });
    assert.equal(edge.peer.commonName, 'cloudcore');
    edge.destroy({ code: 'normal', message: 'done' });
  });
}

/** The error says whose certificate did not hold: what to do about it depends on that. */
async function refusedFor(
  certificate: RefusedCertificate,
  code: TunnelErrorCode,
  dialing: Promise<unknown>,
): Promise<void> {
  await rejectsWith(dialing, code);
  await assert.rejects(dialing, { certificate });
}
