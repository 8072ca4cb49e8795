import assert from 'node:assert/strict';
import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { HttpApiClient, ResourceClient, RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { verifyPeer } from '@hawser/proto';
import { systemClock } from '@hawser/seams';
import { ensureAuthority } from '../../src/identity/authority-secret.ts';
import {
  authoritiesPem,
  createAuthority,
  deriveStampKey,
  readAuthority,
} from '../../src/identity/authority.ts';
import { CertificateSigner } from '../../src/identity/certificate-signer.ts';
import { x509 } from '../../src/identity/x509.ts';
import { makeCsr } from './csr.ts';
import { DAY_MS, ShiftedClock } from './shifted-clock.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const YEAR_MS = 365 * DAY_MS;

async function spkiOf(node = 'edge-1'): Promise<Uint8Array> {
  const { keys } = await makeCsr(node);
  return new Uint8Array(await webcrypto.subtle.exportKey('spki', keys.publicKey));
}

describe('the authority', () => {
  it('is an Ed25519 root for ten years that may sign leaves only', async () => {
    const { certificate } = await readAuthority(await createAuthority(NOW_MS), NOW_MS);
    assert.equal(certificate.publicKey.asymmetricKeyType, 'ed25519');
    assert.equal(certificate.ca, true);
    const constraints = new x509.X509Certificate(certificate.raw).getExtension(
      x509.BasicConstraintsExtension,
    );
    assert.equal(constraints?.pathLength, 0);
    assert.equal(constraints.critical, true);
    assert.equal(Date.parse(certificate.validTo), NOW_MS + 3650 * DAY_MS);
    assert.equal(Date.parse(certificate.validFrom), NOW_MS - DAY_MS);
    assert.match(certificate.serialNumber, /^01[0-9A-F]{32}$/);
  });

  it('is another one each time, in name, key and serial number', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(async () => readAuthority(await createAuthority(NOW_MS), NOW_MS)),
    );
    assert.notEqual(one?.certificate.serialNumber, other?.certificate.serialNumber);
    assert.notEqual(one?.certificate.subject, other?.certificate.subject);
    assert.notEqual(one?.pin, other?.pin);
  });

  it('gives 32 bytes for stamps that stay the same, and are others for another authority', async () => {
    const pem = await createAuthority(NOW_MS);
    const [first, again] = [await readAuthority(pem, NOW_MS), await readAuthority(pem, NOW_MS)].map(
      deriveStampKey,
    );
    const other = deriveStampKey(await readAuthority(await createAuthority(NOW_MS), NOW_MS));
    assert.equal(first?.length, 32);
    assert.deepEqual(first, again);
    assert.notDeepEqual(first, other);
  });

  it('may have a P-256 key, and signs with it', async () => {
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=other',
      keys,
      notBefore: new Date(NOW_MS - DAY_MS),
      notAfter: new Date(NOW_MS + YEAR_MS),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const pem = {
      certificate: root.toString('pem'),
      privateKey: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    };
    const authority = await readAuthority(pem, NOW_MS);
    const leaf = await new CertificateSigner(authority).issueNode(await spkiOf(), 'edge-1', NOW_MS, DAY_MS);
    const identity = verifyPeer(leaf.raw, {
      role: 'edge',
      authorities: [authority.certificate],
      wallMs: () => NOW_MS,
    });
    assert.equal(identity.nodeName, 'edge-1');
  });

  it('brings others that are to be trusted meanwhile, itself first and once', async () => {
    const [pem, former] = [await createAuthority(NOW_MS), await createAuthority(NOW_MS)];
    const authority = await readAuthority({ ...pem, trusted: former.certificate + pem.certificate }, NOW_MS);
    const expected = [pem.certificate, former.certificate].map(
      (text) => new X509Certificate(text).fingerprint256,
    );
    assert.deepEqual(
      authority.trusted.map(({ fingerprint256 }) => fingerprint256),
      expected,
    );
    assert.equal(authoritiesPem(authority).match(/BEGIN CERTIFICATE/g)?.length, 2);
  });

  describe('is refused, and it is said why,', () => {
    const cases: [string, string, RegExp, () => Promise<{ certificate: string; privateKey: string }>][] = [
      [
        'when the certificate is no certificate',
        'ERR_CLOUDCORE_AUTHORITY',
        /the certificate cannot be read/,
        async () => ({ ...(await createAuthority(NOW_MS)), certificate: 'nonsense' }),
      ],
      [
        'when the key is no key',
        'ERR_CLOUDCORE_AUTHORITY',
        /the private key cannot be read/,
        async () => ({ ...(await createAuthority(NOW_MS)), privateKey: 'nonsense' }),
      ],
      [
        'when the key is of another kind',
        'ERR_CLOUDCORE_AUTHORITY',
        /its key is of type rsa/,
        async () => ({
          ...(await createAuthority(NOW_MS)),
          privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 })
            .privateKey.export({ format: 'pem', type: 'pkcs8' })
            .toString(),
        }),
      ],
      [
        'when the key is that of another certificate',
        'ERR_CLOUDCORE_AUTHORITY',
        /not that of the certificate/,
        async () => ({
          ...(await createAuthority(NOW_MS)),
          privateKey: (await createAuthority(NOW_MS)).privateKey,
        }),
      ],
      [
        'when it is only a leaf',
        'ERR_CLOUDCORE_AUTHORITY',
        /CA:true/,
        async () => {
          const signer = new CertificateSigner(await readAuthority(await createAuthority(NOW_MS), NOW_MS));
          const { privateKey, publicKey } = generateKeyPairSync('ed25519');
          const spki = publicKey.export({ format: 'der', type: 'spki' });
          const leaf = await signer.issueNode(spki, 'edge-1', NOW_MS, YEAR_MS);
          return {
            certificate: leaf.toString(),
            privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
          };
        },
      ],
      [
        'when its time is over',
        'ERR_CLOUDCORE_AUTHORITY_DATES',
        /valid from/,
        () => createAuthority(NOW_MS - 3651 * DAY_MS),
      ],
      [
        'when its time has not begun',
        'ERR_CLOUDCORE_AUTHORITY_DATES',
        /valid from/,
        () => createAuthority(NOW_MS + 2 * DAY_MS),
      ],
    ];
    for (const [when, code, message, make] of cases) {
      it(when, async () => {
        const pem = await make();
        await assert.rejects(readAuthority(pem, NOW_MS), { code, message });
      });
    }
  });
});

describe('the Secret of the authority', () => {
  let fixture: KubeFixture;
  let client: HttpApiClient;

  beforeEach(async () => {
    fixture = await startKubeFixture();
    client = new HttpApiClient({ server: fixture.url });
  });

  afterEach(async () => {
    client.close();
    await fixture.stop();
  });

  const secrets = (): ResourceClient => new ResourceClient(client, RESOURCES.secrets);
  const read = (): Promise<KubeObject> => secrets().get('hawser-system', 'hawser-authority');

  it('is made with its namespace, and then left as it is', async () => {
    const made = await ensureAuthority(client);
    const { resourceVersion } = (await read()).metadata;
    const again = await ensureAuthority(client);
    assert.equal(again.pin, made.pin);
    assert.equal((await read()).metadata.resourceVersion, resourceVersion);
  });

  it('is made without the right to make namespaces where there is one', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hawser-system' } };
    await new ResourceClient(client, RESOURCES.namespaces).create(namespace);
    const restricted: ApiClient = {
      server: client.server,
      request: (call) => {
        assert.ok(!call.path.endsWith('/namespaces'));
        return client.request(call);
      },
      stream: (call) => client.stream(call),
      close: () => client.close(),
    };
    assert.equal((await ensureAuthority(restricted)).pin, (await ensureAuthority(client)).pin);
  });

  it('is the same for all that begin at once', async () => {
    const authorities = await Promise.all(Array.from({ length: 5 }, () => ensureAuthority(client)));
    assert.equal(new Set(authorities.map(({ pin }) => pin)).size, 1);
  });

  it('is not replaced when it is damaged', async () => {
    await ensureAuthority(client);
    const present = await read();
    const damaged = { ...present, data: { ...(present['data'] as object), 'tls.key': '' } };
    const { resourceVersion } = (await secrets().update(damaged)).metadata;
    await assert.rejects(ensureAuthority(client), { code: 'ERR_CLOUDCORE_AUTHORITY' });
    assert.equal((await read()).metadata.resourceVersion, resourceVersion);
  });

  it('lacks a part: the message names it', async () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hawser-system' } };
    await new ResourceClient(client, RESOURCES.namespaces).create(namespace);
    await secrets().create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'hawser-system', name: 'hawser-authority' },
      data: { 'tls.key': 'eA==' },
    });
    await assert.rejects(ensureAuthority(client), {
      code: 'ERR_CLOUDCORE_AUTHORITY',
      message: /no tls\.crt/,
    });
  });

  it('is judged by the clock that is given', async () => {
    await ensureAuthority(client);
    const clock = new ShiftedClock();
    clock.shiftMs = 11 * YEAR_MS;
    await assert.rejects(ensureAuthority(client, { clock }), { code: 'ERR_CLOUDCORE_AUTHORITY_DATES' });
    assert.ok(clock.wallMs() > systemClock.wallMs());
  });
});
