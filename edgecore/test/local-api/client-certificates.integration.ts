import 'reflect-metadata'; // @peculiar/x509 wants it loaded first
import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { LocalSite, NODE } from './local-site.ts';
import { authenticationOf } from './token-maker.ts';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const SERVICES = '/api/v1/namespaces/default/services';

interface Issuer {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

interface Wish {
  readonly days?: readonly [from: number, to: number];
  readonly usage?: string;
  readonly isAuthority?: boolean;
}

async function issue(subject: string, issuer?: Issuer, wish: Wish = {}): Promise<Issuer> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const [from, to] = wish.days ?? [-1, 1];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(wish.isAuthority ?? false, undefined, true),
      ...(wish.isAuthority === true
        ? []
        : [new x509.ExtendedKeyUsageExtension([wish.usage ?? '1.3.6.1.5.5.7.3.2'])]),
    ],
  });
  return { certificate, keys };
}

async function shown(
  { certificate, keys }: Issuer,
  ...chain: readonly Issuer[]
): Promise<{ cert: string; key: string }> {
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    cert: [certificate, ...chain.map((each) => each.certificate)]
      .map((each) => each.toString('pem'))
      .join('\n'),
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
  };
}

describe('client certificates at the local API', function () {
  this.timeout(20_000);
  let site: LocalSite;
  let authority: Issuer;

  before(async () => {
    site = new LocalSite();
    await site.start();
    authority = await issue('CN=cluster', undefined, { isAuthority: true });
    site.pool.authentication(authenticationOf([site.maker], authority.certificate.toString('pem')));
    const rbac = 'rbac.authorization.k8s.io';
    await site.cluster.allow('app', [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }]);
    await site.cluster.put(
      'clusterrolebindings',
      {
        ...{ kind: 'ClusterRoleBinding', apiVersion: `${rbac}/v1`, metadata: { name: 'shops' } },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'test-app' },
        subjects: [{ kind: 'Group', name: 'shops', apiGroup: rbac }],
      },
      rbac,
    );
    await site.cluster.put('services', {
      ...{ kind: 'Service', apiVersion: 'v1', metadata: { name: 'web', namespace: 'default' }, spec: {} },
    });
  });

  after(() => site.stop());

  async function status(
    tls: { cert: string; key: string },
    path = SERVICES,
    token?: string,
  ): Promise<number> {
    return (await site.send('GET', path, { tls, ...(token !== undefined && { token }) })).status;
  }

  it('say who one is by name and organizations, with the rights of these', async () => {
    const anna = await shown(await issue('CN=anna,O=shops', authority));
    assert.equal(await status(anna), 200);
    const { body } = await site.send('GET', '/api/v1/secrets', { tls: anna });
    assert.equal(
      body['message'],
      'secrets is forbidden: User "anna" cannot list resource "secrets" in API group "" at the cluster scope',
    );
    assert.equal(await status(await shown(await issue('CN=root,O=system:masters', authority))), 200);
    assert.equal(await status(await shown(await issue('CN=berta,O=others', authority))), 403);
    site.cloud.available = true;
    const far = await site.send('GET', '/api/v1/namespaces/default/configmaps', {
      tls: await shown(await issue('CN=root,O=system:masters', authority)),
    });
    assert.equal(far.status, 403);
    assert.match(String(far.body['message']), /passes requests of the service accounts of its pods on/);
  });

  it('may come with those between them and the authority', async () => {
    const between = await issue('CN=between', authority, { isAuthority: true });
    const anna = await issue('CN=anna,O=shops', between);
    assert.equal(await status(await shown(anna, between)), 200);
    assert.equal(await status(await shown(anna)), 401);
    const noAuthority = await issue('CN=between', authority);
    assert.equal(await status(await shown(await issue('CN=anna,O=shops', noAuthority), noAuthority)), 401);
  });

  it('are refused where they are of nobody, of another time or for servers; a token then says who one is', async () => {
    const stranger = await issue('CN=cluster', undefined, { isAuthority: true });
    const bad = [
      await issue('CN=anna,O=shops', stranger),
      await issue('CN=anna,O=shops', authority, { days: [-3, -1] }),
      await issue('CN=anna,O=shops', authority, { days: [1, 3] }),
      await issue('CN=anna,O=shops', authority, { usage: '1.3.6.1.5.5.7.3.1' }),
      await issue(`CN=system:node:${NODE},O=system:nodes`, stranger),
    ];
    const token = await site.token();
    for (const certificate of bad) {
      assert.equal(await status(await shown(certificate)), 401);
      assert.equal(await status(await shown(certificate), SERVICES, token), 200);
      assert.equal(await status(await shown(certificate), SERVICES, 'x.y.z'), 401);
    }
  });

  it('go by the time that is known', async () => {
    const later = await shown(await issue('CN=anna,O=shops', authority, { days: [1, 3] }));
    const { wallMs } = site;
    site.wallMs = () => Date.now() + 2 * DAY_MS;
    try {
      // The authority has ended by then.
      assert.equal(await status(later), 401);
      const lasting = await issue('CN=lasting', undefined, { isAuthority: true, days: [-1, 9] });
      site.pool.authentication(authenticationOf([site.maker], lasting.certificate.toString('pem')));
      assert.equal(await status(await shown(await issue('CN=anna,O=shops', lasting, { days: [1, 3] }))), 200);
    } finally {
      site.wallMs = wallMs;
      site.pool.authentication(authenticationOf([site.maker], authority.certificate.toString('pem')));
    }
  });

  it('of the node itself read what its own pods use', async () => {
    const hub = await issue('CN=hub', undefined, { isAuthority: true });
    site.nodeAuthorities = [new X509Certificate(hub.certificate.toString('pem'))];
    const metadata = { name: 'used', namespace: 'default' };
    await site.addObject('configmaps', { kind: 'ConfigMap', apiVersion: 'v1', metadata });
    await site.addObject('configmaps', {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { ...metadata, name: 'other' },
    });
    const { makePod } = await import('../../testing/pod-maker.ts');
    site.addPod(makePod('web', { spec: { volumes: [{ name: 'v', configMap: { name: 'used' } }] } }));
    const self = await shown(await issue(`CN=system:node:${NODE},O=system:nodes`, hub));
    assert.equal(await status(self, '/api/v1/namespaces/default/configmaps/used'), 200);
    assert.equal(await status(self, '/api/v1/namespaces/default/configmaps/other'), 403);
    assert.equal(await status(self, `/api/v1/pods?fieldSelector=spec.nodeName%3D${NODE}`), 200);
    const another = await shown(await issue('CN=system:node:edge-2,O=system:nodes', hub));
    assert.equal(await status(another), 401);
  });
});
