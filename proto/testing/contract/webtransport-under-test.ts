import { once } from 'node:events';
import { connect } from 'node:tls';
import {
  readIdentity,
  tunnelLimits,
  WebTransportTransport,
  type Credentials,
  type HubAddress,
} from '../../src/index.ts';
import { upgradeToWebTransport } from '../../src/transport/webtransport/webtransport-dial.ts';
import { TestAuthority } from '../test-pki.ts';
import type { TransportUnderTest } from './harness.ts';

/** The WebTransport transport, as the contract suite sees it. */
export const webTransportUnderTest: TransportUnderTest = {
  name: 'webtransport',
  create: (options) => new WebTransportTransport(options),
  dialerKeys: ['ed25519', 'p256'],
  async dialWithoutCertificate(hub) {
    const own = await (await TestAuthority.create()).edge();
    // A certificate of no bytes is what the wire shows for none.
    const certificate = Object.create(own.certificate, {
      raw: { value: Buffer.alloc(0) },
    }) as Credentials['certificate'];
    // This client is the attacker: it does not care who the hub is.
    const tls = connect({ ...hub, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    await once(tls, 'secureConnect');
    const peer = readIdentity(own.certificate, 'hub');
    const credentials = (): Credentials => ({ ...own, certificate });
    const hubCertificate = tls.getPeerX509Certificate()?.raw ?? Buffer.alloc(0);
    await upgradeToWebTransport({ tls, peer, certificate: hubCertificate }, hub, {
      credentials,
      limits: tunnelLimits(),
    });
    throw new Error('the hub let a client without a certificate in');
  },
  dialWithStolenCertificate(hub, own, stolen) {
    return dialWith(hub, { ...own, certificate: stolen.certificate });
  },
};

async function dialWith(hub: HubAddress, credentials: Credentials): Promise<never> {
  const transport = new WebTransportTransport({ credentials: () => credentials, limits: tunnelLimits() });
  await transport.dial(hub);
  throw new Error('the hub let it in');
}
