import assert from 'node:assert/strict';
import { readNodeCsr } from '../../src/identity/node-csr.ts';
import { checkNodeName } from '../../src/identity/node-name.ts';
import { x509 } from '../../src/identity/x509.ts';
import { makeCsr, type CsrWish } from './csr.ts';

const SUBJECT = [{ O: ['system:nodes'] }, { CN: ['system:node:edge-1'] }];

describe('a certificate signing request of a node', () => {
  for (const keyType of ['ed25519', 'p256'] as const) {
    it(`is taken with a key of type ${keyType}`, async () => {
      const { pem, privateKey } = await makeCsr('edge-1', { keyType });
      const csr = await readNodeCsr(pem, 'edge-1');
      assert.equal(csr.publicKey.asymmetricKeyType, privateKey.asymmetricKeyType);
      assert.match(csr.keyHash, /^[0-9a-f]{64}$/);
    });
  }

  const refused: [string, CsrWish, RegExp][] = [
    ['for another node', { subject: [{ O: ['system:nodes'] }, { CN: ['system:node:edge-2'] }] }, /subject/],
    ['for masters', { subject: [{ O: ['system:masters'] }, { CN: ['system:node:edge-1'] }] }, /subject/],
    [
      'with one more organization',
      { subject: [{ O: ['system:nodes'] }, { O: ['system:masters'] }, ...SUBJECT.slice(1)] },
      /subject/,
    ],
    [
      'with two organizations in one',
      { subject: [{ O: ['system:nodes', 'system:masters'] }, ...SUBJECT.slice(1)] },
      /subject/,
    ],
    ['with one more name', { subject: [...SUBJECT, { CN: ['system:node:edge-2'] }] }, /subject/],
    ['with parts in another order', { subject: [...SUBJECT].reverse() }, /subject/],
    ['without a subject', { subject: [] }, /subject/],
    ['with an RSA key', { keyType: 'rsa' }, /key is of type rsa/],
    ['with a P-384 key', { keyType: 'p384' }, /key is of type secp384r1/],
    [
      'with an alternative name',
      { extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'hub.example.com' }])] },
      /extensions/,
    ],
    [
      'that wants to be an authority',
      { extensions: [new x509.BasicConstraintsExtension(true, 1, true)] },
      /extensions/,
    ],
  ];
  for (const [what, wish, message] of refused) {
    it(`is refused ${what}`, async () => {
      const { pem } = await makeCsr('edge-1', wish);
      await assert.rejects(readNodeCsr(pem, 'edge-1'), { code: 'ERR_CLOUDCORE_CSR', message });
    });
  }

  it('is refused with a signature of another key', async () => {
    const der = Buffer.from(new x509.Pkcs10CertificateRequest((await makeCsr()).pem).rawData);
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const pem = x509.PemConverter.encode(der, 'CERTIFICATE REQUEST');
    await assert.rejects(readNodeCsr(pem, 'edge-1'), { code: 'ERR_CLOUDCORE_CSR', message: /signature/ });
  });

  it('is refused when the key was exchanged', async () => {
    const [mine, other] = [await makeCsr(), await makeCsr()];
    const der = Buffer.from(new x509.Pkcs10CertificateRequest(mine.pem).rawData);
    const theirs = Buffer.from(new x509.Pkcs10CertificateRequest(other.pem).rawData);
    const at = der.indexOf(Buffer.from('2b6570032100', 'hex')) + 6; // the 32 bytes of an Ed25519 key
    theirs.copy(der, at, at, at + 32);
    const pem = x509.PemConverter.encode(der, 'CERTIFICATE REQUEST');
    await assert.rejects(readNodeCsr(pem, 'edge-1'), { code: 'ERR_CLOUDCORE_CSR', message: /signature/ });
  });

  const nonsense: [string, (pem: string) => string][] = [
    ['nothing', () => ''],
    ['text', () => 'hello'],
    ['two of them', (pem) => `${pem}\n${pem}`],
    ['a certificate', (pem) => pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')],
    ['one that is cut off', (pem) => pem.replace(/\n[^\n]+\n-----END/, '\n-----END')],
    ['one that is not base64', (pem) => pem.replace(/\n[^-]+\n/, '\n????\n')],
    ['one that is far too long', (pem) => pem + ' '.repeat(10_000)],
  ];
  for (const [what, make] of nonsense) {
    it(`is not ${what}`, async () => {
      await assert.rejects(readNodeCsr(make((await makeCsr()).pem), 'edge-1'), { code: 'ERR_CLOUDCORE_CSR' });
    });
  }

  it('survives hundreds of changes of single bytes: refused, or not changed in what counts', async () => {
    const { pem } = await makeCsr();
    const der = Buffer.from(new x509.Pkcs10CertificateRequest(pem).rawData);
    const genuine = await readNodeCsr(pem, 'edge-1');
    for (let at = 0; at < der.length; at++) {
      for (const flip of [0x01, 0xff]) {
        const changed = Buffer.from(der);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const text = x509.PemConverter.encode(changed, 'CERTIFICATE REQUEST');
        const outcome = await readNodeCsr(text, 'edge-1').catch((error: unknown) => error);
        if (outcome instanceof Error) assert.equal((outcome as { code?: string }).code, 'ERR_CLOUDCORE_CSR');
        else assert.deepEqual(outcome, genuine);
      }
    }
  });
});

describe('the name of a node', () => {
  for (const name of ['edge-1', 'a', '1', 'edge.site-1.example', 'x'.repeat(253)]) {
    it(`may be ${name.slice(0, 20)}`, () => assert.doesNotThrow(() => checkNodeName(name)));
  }
  for (const name of ['', 'Edge', 'a_b', '-a', 'a-', 'a..b', 'a/b', 'a b', 'ä', 'x'.repeat(254), 'a\nb']) {
    it(`may not be ${JSON.stringify(name.slice(0, 20))}`, () => {
      assert.throws(() => checkNodeName(name), { code: 'ERR_CLOUDCORE_NODE_NAME' });
    });
  }
});
