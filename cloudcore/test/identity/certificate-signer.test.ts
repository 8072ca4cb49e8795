import assert from 'node:assert/strict';
import { generateKeyPairSync, type X509Certificate } from 'node:crypto';
import { verifyPeer, type PeerIdentity, type VerifyOptions } from '@hawser/proto';
import { createAuthority, readAuthority, type Authority } from '../../src/identity/authority.ts';
import { CertificateSigner } from '../../src/identity/certificate-signer.ts';
import { DAY_MS } from './shifted-clock.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const CLIENT = '1.3.6.1.5.5.7.3.2';
const SERVER = '1.3.6.1.5.5.7.3.1';

describe('certificates', () => {
  let authority: Authority;
  let signer: CertificateSigner;
  const spki = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' });

  before(async () => {
    authority = await readAuthority(await createAuthority(NOW_MS - 100 * DAY_MS), NOW_MS);
    signer = new CertificateSigner(authority);
  });

  function verified(certificate: X509Certificate, more: Partial<VerifyOptions> = {}): PeerIdentity {
    return verifyPeer(certificate.raw, {
      role: 'edge',
      authorities: [authority.certificate],
      wallMs: () => NOW_MS,
      ...more,
    });
  }

  describe('of nodes', () => {
    it('name the node, for client and server, and nothing else', async () => {
      const leaf = await signer.issueNode(spki, 'edge-1', NOW_MS, 365 * DAY_MS);
      assert.equal(leaf.subject, 'O=system:nodes\nCN=system:node:edge-1');
      assert.deepEqual([...(leaf.keyUsage as readonly string[])].sort(), [SERVER, CLIENT].sort());
      assert.equal(leaf.subjectAltName, undefined);
      assert.equal(leaf.ca, false);
      assert.equal(Date.parse(leaf.validFrom), NOW_MS - 3600_000);
      assert.equal(Date.parse(leaf.validTo), NOW_MS + 365 * DAY_MS);
      assert.match(leaf.serialNumber, /^01[0-9A-F]{32}$/);
      assert.equal(verified(leaf).nodeName, 'edge-1');
    });

    it('cannot be shown as a hub, not even by a node with the name of one', async () => {
      const leaf = await signer.issueNode(spki, 'hub.example.com', NOW_MS, DAY_MS);
      assert.throws(() => verified(leaf, { role: 'hub', dialedHost: 'hub.example.com' }), {
        code: 'ERR_TUNNEL_CERT_NAME',
      });
    });

    it('have serial numbers of their own', async () => {
      const leaves = await Promise.all([1, 2, 3].map(() => signer.issueNode(spki, 'edge-1', NOW_MS, DAY_MS)));
      assert.equal(new Set(leaves.map(({ serialNumber }) => serialNumber)).size, 3);
    });

    it('end with the authority at the latest', async () => {
      const leaf = await signer.issueNode(spki, 'edge-1', NOW_MS, 20_000 * DAY_MS);
      assert.equal(leaf.validTo, authority.certificate.validTo);
    });
  });

  describe('of hubs', () => {
    it('hold for the names and addresses that edges dial, and for no others', async () => {
      const leaf = await signer.issueHub(
        spki,
        ['hub.example.com', '192.0.2.1', '2001:db8::1'],
        NOW_MS,
        DAY_MS,
      );
      for (const dialedHost of ['hub.example.com', '192.0.2.1', '2001:db8::1']) {
        assert.equal(verified(leaf, { role: 'hub', dialedHost }).commonName, 'cloudcore');
      }
      for (const dialedHost of ['other.example.com', '192.0.2.2', '2001:db8::2', 'localhost']) {
        assert.throws(() => verified(leaf, { role: 'hub', dialedHost }), { code: 'ERR_TUNNEL_CERT_NAME' });
      }
    });

    it('are good for nothing but that', async () => {
      const leaf = await signer.issueHub(spki, ['hub'], NOW_MS, DAY_MS);
      assert.throws(() => verified(leaf), { code: 'ERR_TUNNEL_CERT_USAGE' });
    });

    it('hold for an edge that knows no later time than when the authority began', async () => {
      const leaf = await signer.issueHub(spki, ['hub'], NOW_MS, DAY_MS);
      const beginMs = Date.parse(authority.certificate.validFrom);
      assert.ok(verified(leaf, { role: 'hub', dialedHost: 'hub', wallMs: () => beginMs }));
      assert.throws(() => verified(leaf, { role: 'hub', wallMs: () => NOW_MS + DAY_MS }), {
        code: 'ERR_TUNNEL_CERT_EXPIRED',
      });
    });

    for (const name of [
      '',
      'https://hub',
      'hub:10000',
      'a_b.example',
      '-x',
      'a..b',
      '300.1.1.1.',
      'x'.repeat(254),
    ]) {
      it(`are not made for ${JSON.stringify(name.slice(0, 20))}`, async () => {
        await assert.rejects(signer.issueHub(spki, [name], NOW_MS, DAY_MS), {
          code: 'ERR_CLOUDCORE_HUB_NAME',
        });
      });
    }

    it('are not made for nobody', async () => {
      await assert.rejects(signer.issueHub(spki, [], NOW_MS, DAY_MS), { code: 'ERR_CLOUDCORE_HUB_NAME' });
    });
  });
});
