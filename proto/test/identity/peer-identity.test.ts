import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { credentialsFromPem, readIdentity, type PeerIdentity } from '../../src/index.ts';
import { TestAuthority } from '../../testing/index.ts';

describe('readIdentity', () => {
  let authority: TestAuthority;

  before(async () => {
    authority = await TestAuthority.create();
  });

  async function identityOf(subject: string): Promise<PeerIdentity> {
    return readIdentity((await authority.issue({ subject })).certificate, 'edge');
  }

  it('reads a node’s certificate', async () => {
    const notAfter = new Date('2030-06-01T12:00:00Z');
    const { certificate } = await authority.issue({
      subject: 'O=system:nodes, CN=system:node:edge-1',
      notAfter,
    });
    assert.deepEqual(readIdentity(certificate, 'edge'), {
      role: 'edge',
      commonName: 'system:node:edge-1',
      organization: 'system:nodes',
      nodeName: 'edge-1',
      serialNumber: certificate.serialNumber,
      fingerprint: new X509Certificate(certificate.raw).fingerprint256.replaceAll(':', '').toLowerCase(),
      notAfterMs: notAfter.getTime(),
    });
    assert.match(certificate.serialNumber, /^[0-9A-F]+$/);
  });

  it('reads it in any order', async () => {
    assert.equal((await identityOf('CN=system:node:edge-1, O=system:nodes')).nodeName, 'edge-1');
  });

  for (const [subject, why] of [
    ['O=hawser:hubs, CN=cloudcore', 'another organization'],
    ['O=system:nodes, CN=edge-1', 'no prefix'],
    ['O=system:nodes, CN=system:node:', 'no name'],
    ['O=system:nodes, CN=xsystem:node:edge-1', 'something before the prefix'],
    ['O=System:Nodes, CN=system:node:edge-1', 'another case'],
    ['CN=system:node:edge-1', 'no organization'],
    ['O=system:nodes', 'no common name'],
    ['O=system:nodes, OU=system:node:edge-1', 'the name in another field'],
    ['O=system:nodes, CN=system:node:edge-1, CN=system:node:edge-2', 'two names'],
    ['O=system:nodes, CN=system:node:edge-1, CN=system:node:edge-1', 'the same name twice'],
    ['O=system:nodes, O=system:masters, CN=system:node:edge-1', 'two organizations'],
    ['O=system:masters, O=system:nodes, CN=system:node:edge-1', 'two organizations, the other way round'],
    ['O=system:nodes+CN=system:node:edge-1', 'both in one part'],
  ] as const) {
    it(`finds no node where there is ${why}`, async () => {
      assert.equal((await identityOf(subject)).nodeName, undefined);
    });
  }

  it('is not led on by line breaks and equals signs within a value', async () => {
    const inName = await authority.issue({
      subject: [{ O: ['evil'] }, { CN: ['x\nO=system:nodes\nCN=system:node:edge-1'] }] as unknown as string, // as parsed
    });
    const identity = readIdentity(inName.certificate, 'edge');
    assert.equal(identity.nodeName, undefined);
    assert.equal(identity.organization, 'evil');
    assert.ok(!identity.commonName.includes('\n'));
    assert.equal((await identityOf('O=system:nodes, CN=system:node:a=b')).nodeName, 'a=b');
  });
});

describe('credentialsFromPem', () => {
  it('reads what was written, with several authorities', async () => {
    const [one, two] = [await TestAuthority.create('CN=one'), await TestAuthority.create('CN=two')];
    const edge = await one.edge();
    const read = credentialsFromPem({
      privateKey: edge.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      certificate: edge.certificate.toString(),
      authorities: `old\n${one.certificate.toString()}\n\nnew\n${two.certificate.toString()}`,
    });
    assert.ok(read.certificate.raw.equals(edge.certificate.raw));
    assert.ok(read.privateKey.equals(edge.privateKey));
    assert.deepEqual(
      read.authorities.map(({ fingerprint256 }) => fingerprint256),
      [one.certificate.fingerprint256, two.certificate.fingerprint256],
    );
  });

  it('refuses what is no PEM', async () => {
    const edge = await (await TestAuthority.create()).edge();
    const privateKey = edge.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    assert.throws(() => credentialsFromPem({ privateKey, certificate: 'nothing', authorities: '' }));
    assert.throws(() =>
      credentialsFromPem({ privateKey: '', certificate: edge.certificate.toString(), authorities: '' }),
    );
  });
});
