import { QuicTransport, tunnelLimits, type Credentials, type HubAddress } from '../../src/index.ts';
import type { TransportUnderTest } from './harness.ts';
import { TestAuthority } from '../test-pki.ts';

/** The QUIC transport, as the contract suite sees it. */
export const quicUnderTest: TransportUnderTest = {
  name: 'quic',
  create: (options) => new QuicTransport(options),
  dialerKeys: ['ed25519'],
  async dialWithoutCertificate(hub) {
    const own = await (await TestAuthority.create()).edge();
    // A certificate of no bytes is what the wire shows for none.
    const certificate = Object.create(own.certificate, {
      raw: { value: Buffer.alloc(0) },
    }) as Credentials['certificate'];
    return dialWith(hub, { ...own, certificate });
  },
  dialWithStolenCertificate(hub, own, stolen) {
    return dialWith(hub, { ...own, certificate: stolen.certificate });
  },
};

async function dialWith(hub: HubAddress, credentials: Credentials): Promise<never> {
  const transport = new QuicTransport({ credentials: () => credentials, limits: tunnelLimits() });
  try {
    await transport.dial(hub);
  } finally {
    await transport.close();
  }
  throw new Error('the hub let it in');
}
