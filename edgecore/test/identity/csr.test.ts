import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, webcrypto } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createCsr } from '../../src/identity/csr.ts';
import { generateNodeKey, type NodeKeyType } from '../../src/identity/node-key.ts';

x509.cryptoProvider.set(webcrypto);

describe('the request for a certificate of a node', () => {
  for (const keyType of ['ed25519', 'p256'] satisfies NodeKeyType[]) {
    // 253 characters are the longest name: lengths of one, two and three bytes.
    for (const node of ['n', 'edge-1', 'x'.repeat(80), `${'y'.repeat(62)}.`.repeat(4).slice(0, 253)]) {
      it(`reads as it should with another implementation: ${keyType}, a name of ${node.length}`, async () => {
        const key = await generateNodeKey(keyType);
        const request = new x509.Pkcs10CertificateRequest(createCsr(key, node));
        assert.equal(request.subject, `O=system:nodes, CN=system:node:${node}`);
        assert.equal(await request.verify(), true, 'its signature');
        assert.deepEqual([request.attributes.length, request.extensions.length], [0, 0]);
        const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
        assert.deepEqual(Buffer.from(request.publicKey.rawData), spki);
      });
    }
  }

  it('is that of the key, and of no other', async () => {
    const [one, other] = await Promise.all([generateNodeKey(), generateNodeKey()]);
    assert.notEqual(createCsr(one, 'edge-1'), createCsr(other, 'edge-1'));
    assert.equal(createCsr(one, 'edge-1'), createCsr(one, 'edge-1')); // Ed25519 signs without chance
  });

  it('is not made with a key that signs nothing', () => {
    assert.throws(() => createCsr(generateKeyPairSync('x25519').privateKey, 'edge-1'));
  });
});
