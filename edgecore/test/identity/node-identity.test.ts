import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { createCsr } from '../../src/identity/csr.ts';
import { formatBundle } from '../../src/identity/identity-bundle.ts';
import { NodeIdentity, PKI_FILES } from '../../src/identity/node-identity.ts';
import { generateNodeKey, privateKeyPem } from '../../src/identity/node-key.ts';
import { DiskPkiFolder } from '../../src/identity/pki-folder.ts';
import { issuedCredentials, joinedFolder } from './joined-folder.ts';
import { LogLines } from './log-lines.ts';
import { DAY_MS, SigningAuthority } from './signing-authority.ts';

describe('the identity of a node', () => {
  let temp: TempDir;
  let authority: SigningAuthority;
  let folder: DiskPkiFolder;
  let log: LogLines;

  before(async () => {
    authority = await SigningAuthority.create();
  });

  beforeEach(async () => {
    temp = await makeTempDir();
    log = new LogLines();
    folder = new DiskPkiFolder(temp.path, log);
  });

  afterEach(() => temp.remove());

  const load = (): Promise<NodeIdentity> => NodeIdentity.load({ folder, logger: log });

  async function renew(identity: NodeIdentity): Promise<void> {
    const key = await identity.renewalKey();
    await identity.adopt(await authority.sign(createCsr(key, identity.node)), key);
  }

  it('is read from its folder', async () => {
    const joined = await joinedFolder(folder, authority);
    const identity = await NodeIdentity.load({ folder: temp.path });
    assert.equal(identity.node, 'edge-1');
    assert.deepEqual(identity.cluster, { node: 'edge-1', clusterUid: 'uid-1' });
    assert.equal(identity.credentials().certificate.serialNumber, joined.certificate.serialNumber);
    assert.equal(identity.isUnproven, false);
    assert.equal((await stat(path.join(temp.path, 'node.pem'))).mode & 0o777, 0o600);
  });

  it('is not there: the message says to join', async () => {
    await assert.rejects(load(), { code: 'ERR_EDGECORE_IDENTITY_MISSING', about: temp.path });
  });

  it('works without what the hub said at the join, and says so when that is damaged', async () => {
    await joinedFolder(folder, authority);
    await folder.write(PKI_FILES.cluster, 'nonsense');
    assert.equal((await load()).cluster, undefined);
    assert.match(log.lines.join(), /what the hub said at the join cannot be read/);
    await folder.remove(PKI_FILES.cluster);
    assert.equal((await load()).cluster, undefined);
  });

  const damages: [string, RegExp, (bundle: string) => Promise<string> | string][] = [
    ['is empty', /no private key/, () => ''],
    ['has lost its key', /no private key/, (text) => text.replace(/[^]+?-----END PRIVATE KEY-----/, '')],
    [
      'has a key that is none',
      /private key .* cannot be read/,
      (text) => text.replace(/KEY-----\nMC/, 'KEY-----\nXX'),
    ],
    ['has lost its certificates', /no certificate/, (text) => text.slice(0, text.indexOf('-----BEGIN CERT'))],
    [
      'has a certificate that is none',
      /certificate in it cannot be read/,
      (text) => text.replace('CERTIFICATE-----\nMI', 'CERTIFICATE-----\nXX'),
    ],
    [
      'has lost its authorities',
      /not signed by any/,
      (text) => text.slice(0, text.indexOf('-----BEGIN CERT', text.indexOf('-----BEGIN CERT') + 9)),
    ],
    [
      'has another key',
      /not that of its certificate/,
      async (text) =>
        text.replace(/[^]+?-----END PRIVATE KEY-----\n/, privateKeyPem(await generateNodeKey())),
    ],
    [
      'has another authority',
      /not signed by any/,
      async (text) => {
        const at = text.indexOf('-----BEGIN CERT', text.indexOf('-----BEGIN CERT') + 9);
        return text.slice(0, at) + (await SigningAuthority.create()).certificate.toString();
      },
    ],
  ];
  for (const [what, message, damage] of damages) {
    it(`cannot be used when its file ${what}`, async () => {
      const text = formatBundle(await joinedFolder(folder, authority));
      await folder.write(PKI_FILES.node, await damage(text));
      await assert.rejects(load(), { code: 'ERR_EDGECORE_IDENTITY', message });
    });
  }

  it('cannot be used when it is of something else than a node', async () => {
    const key = await generateNodeKey();
    const { certificate, authorities } = await authority.sign(createCsr(key, 'edge-1'), {
      subject: 'CN=x',
    });
    await folder.open();
    await folder.write(PKI_FILES.node, privateKeyPem(key) + certificate + authorities);
    await assert.rejects(load(), { code: 'ERR_EDGECORE_IDENTITY', message: /not a node's/ });
  });

  it('shows a renewed certificate at the next handshake, and drops the former key once it was let in', async () => {
    await joinedFolder(folder, authority);
    const identity = await load();
    const former = identity.credentials();
    await renew(identity);
    const renewed = identity.credentials();
    assert.notEqual(renewed, former);
    assert.equal(identity.isUnproven, true);
    await identity.confirm(former);
    assert.equal(identity.isUnproven, true, 'it was not the renewed one that was let in');
    await identity.confirm(renewed);
    assert.equal(identity.isUnproven, false);
    assert.equal(await folder.read(PKI_FILES.next), undefined);
    assert.equal(await folder.read(PKI_FILES.nextKey), undefined);
    const onDisk = (await folder.read(PKI_FILES.node)) ?? '';
    assert.ok(onDisk.includes(privateKeyPem(renewed.privateKey)));
    assert.ok(!onDisk.includes(privateKeyPem(former.privateKey)));
  });

  it('shows the two in turn while the renewed one is refused', async () => {
    await joinedFolder(folder, authority);
    const identity = await load();
    const former = identity.credentials();
    identity.refused(former);
    assert.equal(identity.credentials(), former, 'there is no other');
    await renew(identity);
    const renewed = identity.credentials();
    identity.refused(renewed);
    assert.equal(identity.credentials(), former);
    identity.refused(former);
    assert.equal(identity.credentials(), renewed);
    identity.refused(renewed);
    await identity.confirm(former);
    assert.equal(identity.credentials(), renewed, 'the next session tries again');
  });

  it('keeps the kind of its key', async () => {
    await joinedFolder(folder, authority, { keyType: 'p256' });
    const identity = await load();
    await renew(identity);
    assert.equal(identity.newest.privateKey.asymmetricKeyType, 'ec');
  });

  it('goes on with the key of a renewal that was broken off', async () => {
    await joinedFolder(folder, authority);
    const key = await (await load()).renewalKey();
    assert.ok((await (await load()).renewalKey()).equals(key));
    await folder.write(PKI_FILES.nextKey, 'nonsense');
    const other = await (await load()).renewalKey();
    assert.equal(other.equals(key), false);
    assert.equal(await folder.read(PKI_FILES.nextKey), privateKeyPem(other));
  });

  describe('does not take from a hub', () => {
    const wrong: [
      string,
      RegExp,
      (csr: string, other: SigningAuthority) => Promise<{ certificate: string; authorities: string }>,
    ][] = [
      [
        'a certificate for another node',
        /for the node edge-2/,
        (csr) => authority.sign(csr, { subject: 'O=system:nodes, CN=system:node:edge-2' }),
      ],
      [
        'a certificate of another key',
        /not that of its certificate/,
        async () => await authority.sign(createCsr(await generateNodeKey(), 'edge-1')),
      ],
      [
        'a certificate and authorities of which none was known',
        /none of its authorities was known/,
        (csr, other) => other.sign(csr),
      ],
      [
        'a certificate of an authority that does not come with it',
        /not signed by any/,
        async (csr, other) => ({ ...(await other.sign(csr)), authorities: authority.certificate.toString() }),
      ],
      [
        'two certificates',
        /not one certificate/,
        async (csr) => {
          const issued = await authority.sign(csr);
          return { ...issued, certificate: issued.certificate + issued.certificate };
        },
      ],
      ['nonsense', /not one certificate/, () => Promise.resolve({ certificate: 'x', authorities: 'y' })],
    ];
    for (const [what, message, sign] of wrong) {
      it(what, async () => {
        await joinedFolder(folder, authority);
        const identity = await load();
        const before = identity.credentials();
        const key = await identity.renewalKey();
        const issued = await sign(createCsr(key, 'edge-1'), await SigningAuthority.create());
        await assert.rejects(identity.adopt(issued, key), { code: 'ERR_EDGECORE_HUB_ANSWER', message });
        assert.equal(identity.credentials(), before);
        assert.equal(await folder.read(PKI_FILES.next), undefined);
      });
    }
  });

  it('takes a certificate of a new authority that comes together with one that it knows', async () => {
    await joinedFolder(folder, authority);
    const identity = await load();
    const successor = await SigningAuthority.create();
    const key = await identity.renewalKey();
    const issued = await successor.sign(createCsr(key, 'edge-1'));
    await identity.adopt(
      { ...issued, authorities: issued.authorities + authority.certificate.toString() },
      key,
    );
    assert.equal(identity.credentials().authorities.length, 2);
    assert.equal((await load()).credentials().authorities.length, 2);
  });

  describe('with two certificates on disk', () => {
    it('uses the renewed one after a restart', async () => {
      await joinedFolder(folder, authority);
      const identity = await load();
      await renew(identity);
      const again = await load();
      assert.equal(
        again.credentials().certificate.serialNumber,
        identity.credentials().certificate.serialNumber,
      );
      assert.equal(again.isUnproven, true);
    });

    it('uses the former one when the renewed one is damaged', async () => {
      const former = await joinedFolder(folder, authority);
      await folder.write(PKI_FILES.next, 'nonsense');
      const identity = await load();
      assert.equal(identity.credentials().certificate.serialNumber, former.certificate.serialNumber);
      assert.match(log.lines.join(), /error a file with the identity cannot be used/);
    });

    it('uses the renewed one when the former one is damaged, and repairs that once it was let in', async () => {
      await joinedFolder(folder, authority);
      await renew(await load());
      await folder.write(PKI_FILES.node, 'nonsense');
      const identity = await load();
      await identity.confirm(identity.credentials());
      assert.equal((await load()).isUnproven, false);
      assert.equal(await folder.read(PKI_FILES.next), undefined);
    });

    it('passes over what another identity left behind', async () => {
      const present = await joinedFolder(folder, authority);
      const others = [
        await issuedCredentials(authority, { node: 'edge-2' }),
        await issuedCredentials(await SigningAuthority.create()),
        await issuedCredentials(authority, { notAfter: new Date(Date.now() + 5 * DAY_MS) }),
      ];
      for (const other of others) {
        await folder.write(PKI_FILES.next, formatBundle(other));
        const identity = await load();
        assert.equal(identity.credentials().certificate.serialNumber, present.certificate.serialNumber);
      }
    });
  });
});
