import assert from 'node:assert/strict';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { randomBelow, seededRandom } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import {
  TUNNEL_ERRORS,
  TunnelError,
  verifyPeer,
  type TunnelErrorCode,
  type VerifyOptions,
} from '../../src/index.ts';
import { TestAuthority, type CertificateWish } from '../../testing/index.ts';
import { FUZZ_SEED } from '../fuzz/fuzz.ts';
import { signedPart, signPart, withText } from './der.ts';

const NOW = Date.UTC(2026, 5, 1);
const VALID = { notBefore: new Date(Date.UTC(2026, 0, 1)), notAfter: new Date(Date.UTC(2027, 0, 1)) };
const EXPIRED = { notBefore: new Date(Date.UTC(2024, 0, 1)), notAfter: new Date(Date.UTC(2025, 0, 1)) };

describe('verifyPeer', () => {
  let authority: TestAuthority;
  /** Another authority of the same name: only its key differs. */
  let forger: TestAuthority;

  before(async () => {
    authority = await TestAuthority.create('CN=the-ca');
    forger = await TestAuthority.create('CN=the-ca');
  });

  const options = (more: Partial<VerifyOptions> = {}): VerifyOptions => ({
    role: 'edge',
    authorities: [authority.certificate],
    wallMs: () => NOW,
    ...more,
  });

  const issue = async (wish: CertificateWish = {}, by = authority): Promise<X509Certificate> =>
    (await by.issue({ ...VALID, ...wish })).certificate;

  function refuses(
    certificate: Uint8Array | undefined,
    code: TunnelErrorCode,
    more: Partial<VerifyOptions> = {},
  ): void {
    assert.throws(
      () => verifyPeer(certificate, options(more)),
      (error) => {
        assert.ok(error instanceof TunnelError, String(error));
        assert.equal(error.code, code, error.message);
        assert.equal(error.certificate, 'peer');
        return true;
      },
    );
  }

  it('accepts an edge, and says who it is', async () => {
    const identity = verifyPeer((await issue()).raw, options());
    assert.equal(identity.nodeName, 'edge-1');
    assert.equal(identity.role, 'edge');
  });

  it('accepts a hub by name and by address', async () => {
    const hub = await issue({
      usages: ['server'],
      names: ['hub.example', '192.0.2.1', '2001:db8::1'],
      subject: 'O=hawser:hubs, CN=hub',
    });
    for (const dialedHost of ['hub.example', 'HUB.example', '192.0.2.1', '2001:db8::1', '2001:db8:0::1']) {
      assert.equal(verifyPeer(hub.raw, options({ role: 'hub', dialedHost })).commonName, 'hub', dialedHost);
    }
  });

  it('accepts what any of several authorities has signed', async () => {
    const other = await TestAuthority.create('CN=next-ca');
    const authorities = [forger.certificate, other.certificate, authority.certificate];
    verifyPeer((await issue()).raw, options({ authorities }));
    verifyPeer((await issue({}, other)).raw, options({ authorities }));
  });

  it('accepts P-256', async () => {
    verifyPeer((await issue({ keyType: 'p256' })).raw, options());
  });

  describe('ERR_TUNNEL_CERT_MISSING', () => {
    it('for nothing, or nothing in it', () => {
      refuses(undefined, 'ERR_TUNNEL_CERT_MISSING');
      refuses(new Uint8Array(0), 'ERR_TUNNEL_CERT_MISSING');
    });
  });

  describe('ERR_TUNNEL_CERT_MALFORMED', () => {
    it('for what is no certificate', async () => {
      refuses(Buffer.from('hello'), 'ERR_TUNNEL_CERT_MALFORMED');
      refuses((await issue()).raw.subarray(0, -20), 'ERR_TUNNEL_CERT_MALFORMED');
    });

    it('for a key that cannot be read', async () => {
      const { raw } = await issue({ keyType: 'p256' });
      const broken = Buffer.from(raw);
      const at = broken.indexOf(Buffer.from('03420004', 'hex')); // the point, uncompressed
      broken.fill(1, at + 4, at + 68);
      refuses(broken, 'ERR_TUNNEL_CERT_MALFORMED');
    });

    it('for dates that cannot be read, though an authority signed them', async () => {
      const { certificate, privateKey } = await intermediate();
      for (const date of ['999999999999Z', '261345000000Z']) {
        const leaf = signPart(
          withText(signedPart(await issuedBy('CN=mid', VALID)), '270101000000Z', date),
          privateKey,
        );
        refuses(leaf, 'ERR_TUNNEL_CERT_MALFORMED', { authorities: [certificate] });
      }
    });
  });

  describe('ERR_TUNNEL_CERT_KEY', () => {
    it('for kinds of keys that are not accepted', async () => {
      refuses((await issue({ keyType: 'p384' })).raw, 'ERR_TUNNEL_CERT_KEY');
      refuses((await issue({ keyType: 'rsa' })).raw, 'ERR_TUNNEL_CERT_KEY');
    });

    it('for another key than the connection proved', async () => {
      const [own, other] = [await issue(), await issue()];
      const spki = (certificate: X509Certificate): Buffer =>
        certificate.publicKey.export({ format: 'der', type: 'spki' });
      verifyPeer(own.raw, options({ provenKey: spki(own) }));
      refuses(own.raw, 'ERR_TUNNEL_CERT_KEY', { provenKey: spki(other) });
      refuses(own.raw, 'ERR_TUNNEL_CERT_KEY', { provenKey: spki(own).subarray(0, -1) });
      refuses(own.raw, 'ERR_TUNNEL_CERT_KEY', { provenKey: new Uint8Array(0) });
    });
  });

  describe('ERR_TUNNEL_CERT_UNTRUSTED', () => {
    it('for another authority, or none', async () => {
      const stranger = await TestAuthority.create('CN=stranger');
      refuses((await issue({}, stranger)).raw, 'ERR_TUNNEL_CERT_UNTRUSTED');
      refuses((await issue()).raw, 'ERR_TUNNEL_CERT_UNTRUSTED', { authorities: [] });
    });

    it('for a forgery in the authority’s name, and for one that has expired as well', async () => {
      refuses((await issue({}, forger)).raw, 'ERR_TUNNEL_CERT_UNTRUSTED');
      // Some stacks report the date only: a decision by the single error of the stack would let it in as "expired".
      refuses((await issue(EXPIRED, forger)).raw, 'ERR_TUNNEL_CERT_UNTRUSTED');
    });

    it('for a genuine one of which a bit was changed', async () => {
      const { raw } = await issue();
      const renamed = withText(raw, 'system:node:edge-1', 'system:node:edge-2');
      refuses(renamed, 'ERR_TUNNEL_CERT_UNTRUSTED');
      const signature = Buffer.from(raw);
      signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
      refuses(signature, 'ERR_TUNNEL_CERT_UNTRUSTED');
    });

    it('for one that a node signed with its own key', async () => {
      const node = await authority.issue({ ...VALID, subject: 'CN=mid' });
      const leaf = signPart(signedPart(await issuedBy('CN=mid', VALID)), node.privateKey);
      refuses(leaf, 'ERR_TUNNEL_CERT_UNTRUSTED');
      refuses(leaf, 'ERR_TUNNEL_CERT_UNTRUSTED', { authorities: [node.certificate] }); // no authority, though listed
    });

    it('for one below an authority that ours has signed: chains have length one', async () => {
      const { privateKey } = await intermediate();
      refuses(signPart(signedPart(await issuedBy('CN=mid', VALID)), privateKey), 'ERR_TUNNEL_CERT_UNTRUSTED');
    });
  });

  describe('ERR_TUNNEL_CERT_USAGE', () => {
    it('for a client that shows a server’s, the reverse, and one without any', async () => {
      const [client, server, none] = [
        await issue(),
        await issue({ usages: ['server'], names: ['a.example'] }),
        await issue({ usages: [] }),
      ];
      refuses(server.raw, 'ERR_TUNNEL_CERT_USAGE');
      refuses(client.raw, 'ERR_TUNNEL_CERT_USAGE', { role: 'hub' });
      refuses(none.raw, 'ERR_TUNNEL_CERT_USAGE');
      refuses(none.raw, 'ERR_TUNNEL_CERT_USAGE', { role: 'hub' });
      verifyPeer((await issue({ usages: ['server', 'client'] })).raw, options());
    });

    it('for a server that does not say that it is a hub: a node, one without or with two organizations', async () => {
      for (const subject of [
        'O=system:nodes, CN=system:node:edge-1',
        'CN=hub',
        'O=hawser:hubs, O=system:nodes, CN=hub',
        'O=Hawser:Hubs, CN=hub',
        'CN=hawser:hubs',
      ]) {
        const certificate = await issue({ usages: ['server', 'client'], names: ['hub.example'], subject });
        refuses(certificate.raw, 'ERR_TUNNEL_CERT_USAGE', { role: 'hub', dialedHost: 'hub.example' });
      }
    });

    it('for an authority shown as a peer', async () => {
      refuses((await issue({ isAuthority: true })).raw, 'ERR_TUNNEL_CERT_USAGE');
      refuses(authority.certificate.raw, 'ERR_TUNNEL_CERT_USAGE');
    });
  });

  describe('ERR_TUNNEL_CERT_NAME', () => {
    it('for another name or address than was dialled', async () => {
      const hub = await issue({
        usages: ['server'],
        names: ['hub.example', '192.0.2.1'],
        subject: 'CN=other.example',
      });
      for (const dialedHost of [
        'other.example',
        'example',
        'xhub.example',
        'hub.example.evil',
        '192.0.2.2',
        '::1',
        '',
      ])
        refuses(hub.raw, 'ERR_TUNNEL_CERT_NAME', { role: 'hub', dialedHost });
    });

    it('for an address that only stands there as a name, and the reverse', async () => {
      const { certificate, privateKey } = await intermediate();
      const part = signedPart(
        await issuedBy('CN=mid', { ...VALID, usages: ['server'], names: ['192x0y2z1.example'] }),
      );
      const leaf = signPart(withText(part, '192x0y2z1.example', '192.0.2.1.example'), privateKey);
      refuses(leaf, 'ERR_TUNNEL_CERT_NAME', {
        role: 'hub',
        dialedHost: '192.0.2.1',
        authorities: [certificate],
      });
    });

    it('where there are no alternative names at all', async () => {
      const hub = await issue({ usages: ['server'], subject: 'CN=hub.example' });
      refuses(hub.raw, 'ERR_TUNNEL_CERT_NAME', { role: 'hub', dialedHost: 'hub.example' });
    });
  });

  describe('of a node to another one', () => {
    const NODE = { usages: ['client', 'server'] } as const;

    it('is accepted by the node’s name, whatever alternative names there are', async () => {
      for (const names of [[], ['a.example']])
        assert.equal(
          verifyPeer((await issue({ ...NODE, names })).raw, options({ role: 'peer', node: 'edge-1' }))
            .nodeName,
          'edge-1',
        );
      verifyPeer((await issue(NODE)).raw, options({ role: 'peer' }));
      verifyPeer((await issue(NODE)).raw, options({ node: true }));
    });

    it('is refused for another node, and for what is none', async () => {
      const node = (await issue(NODE)).raw;
      for (const wanted of ['edge-2', 'edge-11', 'edge', 'EDGE-1', 'system:node:edge-1', ''])
        refuses(node, 'ERR_TUNNEL_CERT_NAME', { role: 'peer', node: wanted });
      for (const subject of [
        'O=hawser:hubs, CN=cloudcore',
        'CN=system:node:edge-1',
        'O=system:nodes, CN=edge-1',
      ]) {
        const other = (await issue({ ...NODE, subject })).raw;
        refuses(other, 'ERR_TUNNEL_CERT_USAGE', { role: 'peer' });
        refuses(other, 'ERR_TUNNEL_CERT_USAGE', { role: 'peer', node: 'edge-1' });
        refuses(other, 'ERR_TUNNEL_CERT_USAGE', { role: 'edge', node: true });
      }
      refuses((await issue({ usages: ['client'] })).raw, 'ERR_TUNNEL_CERT_USAGE', { role: 'peer' });
    });

    it('is said before it is revoked or expired, which would say that it was the right one', async () => {
      const other = (await issue({ ...NODE, ...EXPIRED })).raw;
      refuses(other, 'ERR_TUNNEL_CERT_NAME', { role: 'peer', node: 'edge-2', isRevoked: () => true });
    });
  });

  describe('ERR_TUNNEL_CERT_REVOKED', () => {
    it('for whom the caller says so, by what the certificate states', async () => {
      const [first, second] = [await issue(), await issue()];
      const isRevoked: VerifyOptions['isRevoked'] = ({ serialNumber }) => serialNumber === first.serialNumber;
      refuses(first.raw, 'ERR_TUNNEL_CERT_REVOKED', { isRevoked });
      verifyPeer(second.raw, options({ isRevoked }));
    });

    it('even when it has expired, and is asked only about genuine ones', async () => {
      let asked = 0;
      const isRevoked = (): boolean => {
        asked += 1;
        return true;
      };
      refuses((await issue({}, forger)).raw, 'ERR_TUNNEL_CERT_UNTRUSTED', { isRevoked });
      assert.equal(asked, 0);
      refuses((await issue(EXPIRED)).raw, 'ERR_TUNNEL_CERT_REVOKED', { isRevoked });
      assert.equal(asked, 1);
    });
  });

  describe('dates', () => {
    it('hold from the first millisecond to before the last, by the time that is injected', async () => {
      const { raw } = await issue();
      const at = (wallMs: number): Partial<VerifyOptions> => ({ wallMs: () => wallMs });
      refuses(raw, 'ERR_TUNNEL_CERT_NOT_YET_VALID', at(VALID.notBefore.getTime() - 1));
      verifyPeer(raw, options(at(VALID.notBefore.getTime())));
      verifyPeer(raw, options(at(VALID.notAfter.getTime() - 1)));
      refuses(raw, 'ERR_TUNNEL_CERT_EXPIRED', at(VALID.notAfter.getTime()));
      refuses(raw, 'ERR_TUNNEL_CERT_NOT_YET_VALID', at(0)); // no RTC, no guard
    });

    it('come last: what else is wrong is said first', async () => {
      refuses((await issue({ ...EXPIRED, usages: ['server'] })).raw, 'ERR_TUNNEL_CERT_USAGE');
      refuses((await issue({ ...EXPIRED, keyType: 'p384' })).raw, 'ERR_TUNNEL_CERT_KEY');
      refuses((await issue(EXPIRED)).raw, 'ERR_TUNNEL_CERT_EXPIRED');
    });

    it('may be in another century', async () => {
      const { raw } = await issue({ notAfter: new Date('9999-12-31T23:59:59Z') });
      assert.equal(verifyPeer(raw, options()).notAfterMs, Date.UTC(9999, 11, 31, 23, 59, 59));
    });
  });

  const INPUTS = scaled(2000, 200_000);
  it(`has a code for whatever an authority can be made to sign, over ${INPUTS} inputs`, async function () {
    this.timeout(scaled(20_000, 1_200_000));
    const { certificate, privateKey } = await intermediate();
    const part = signedPart(await issuedBy('CN=mid', { ...VALID, names: ['a.example', '192.0.2.1'] }));
    const random = seededRandom(FUZZ_SEED);
    const codes = new Set<string>();
    for (let i = 0; i < INPUTS; i++) {
      const mutated = Buffer.from(part);
      for (let bytes = 1 + randomBelow(random, 3); bytes > 0; bytes--)
        mutated[randomBelow(random, mutated.length)] = randomBelow(random, 256);
      codes.add(codeOf(signPart(mutated, privateKey), certificate, mutated));
    }
    assert.ok(codes.has('ERR_TUNNEL_CERT_MALFORMED') && codes.has('none'), [...codes].join());
  });

  function codeOf(leaf: Buffer, trusted: X509Certificate, input: Buffer): string {
    try {
      verifyPeer(leaf, options({ authorities: [trusted], dialedHost: 'a.example' }));
      return 'none';
    } catch (error) {
      assert.ok(
        error instanceof TunnelError && error.code.startsWith('ERR_TUNNEL_CERT_'),
        `seed ${FUZZ_SEED}, ${input.toString('hex')}: ${String(error)}`,
      );
      assert.ok(error.code in TUNNEL_ERRORS);
      return error.code;
    }
  }

  /** An authority called CN=mid whose key we have; `authority` has signed it. */
  function intermediate(): Promise<{ certificate: X509Certificate; privateKey: KeyObject }> {
    return authority.issue({ ...VALID, subject: 'CN=mid', isAuthority: true, usages: [] });
  }

  /** A certificate that names this issuer. */
  async function issuedBy(issuer: string, wish: CertificateWish): Promise<Uint8Array> {
    return (await issue(wish, await TestAuthority.create(issuer))).raw;
  }
});
