import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { ResourceClient, RESOURCES } from '@hawser/kube';
import type { KubeFixture } from '@hawser/kube/testing';
import { readIdentity, verifyPeer } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { pinOf, splitCertificates } from '../../src/identity/authority.ts';
import { decodeRecord, recordName, type NodeRecord } from '../../src/identity/node-record.ts';
import { revokeNode } from '../../src/identity/node-records.ts';
import { eventually } from '@hawser/seams/testing';
import { makeCsr } from './csr.ts';
import { clientOf, HubSite, startKubeFixture } from './hub-site.ts';
import { LogLines } from './log-lines.ts';
import { DAY_MS, ShiftedClock } from './shifted-clock.ts';

let nodes = 0;
/** Tests share a hub: each has a node of its own. */
function newNode(): string {
  nodes += 1;
  return `edge-${nodes}`;
}

describe('joining and renewing over HTTPS', () => {
  let fixture: KubeFixture;
  let site: HubSite;
  let clock: ShiftedClock;
  let log: LogLines;

  before(async () => {
    fixture = await startKubeFixture();
  });

  after(async () => {
    await fixture.stop();
  });

  beforeEach(async () => {
    clock = new ShiftedClock();
    log = new LogLines();
    site = await new HubSite(fixture.url, { clock, logger: log }).start();
  });

  afterEach(async () => {
    await site.stop();
  });

  async function recordOf(node: string): Promise<NodeRecord> {
    const configMaps = new ResourceClient(site.client, RESOURCES.configmaps);
    return decodeRecord(await configMaps.get('hawser-system', recordName(node)));
  }

  async function revoke(node: string): Promise<void> {
    const peer = (await recordOf(node)).certificates[0];
    assert.ok(peer);
    await revokeNode(site.client, node, { clock });
    await eventually('the hub knows', () =>
      site.identity.isRevoked({ ...unknownPeer(node), fingerprint: peer.fingerprint }),
    );
  }

  function unknownPeer(node: string): Parameters<typeof site.identity.isRevoked>[0] {
    return {
      role: 'edge',
      nodeName: node,
      commonName: `system:node:${node}`,
      organization: 'system:nodes',
      serialNumber: '01',
      fingerprint: '00',
      notAfterMs: 0,
    };
  }

  it('tells everybody its authority', async () => {
    const answer = await site.call('GET', '/v1/authority');
    assert.equal(answer.status, 200);
    const [certificate] = splitCertificates(answer.text).map((text) => new X509Certificate(text));
    assert.ok(certificate);
    assert.equal(pinOf(certificate), site.identity.pin);
  });

  describe('a join', () => {
    it('answers a certificate for the key, the authorities, the cluster, the node, the pool and the time', async () => {
      const node = newNode();
      const answer = await site.join(node, await site.token({ pool: 'site-1' }), { pool: 'site-1' });
      assert.equal(answer.status, 200);
      const { certificate, privateKey } = clientOf(answer);
      assert.ok(certificate.checkPrivateKey(privateKey));
      const authorities = splitCertificates(String(answer.body['authorities'])).map(
        (pem) => new X509Certificate(pem),
      );
      const identity = verifyPeer(certificate.raw, { role: 'edge', authorities });
      assert.equal(identity.nodeName, node);
      assert.ok(Math.abs(identity.notAfterMs - clock.wallMs() - 365 * DAY_MS) < 60_000);
      const { uid } = (await new ResourceClient(site.client, RESOURCES.namespaces).get('', 'kube-system'))
        .metadata;
      assert.deepEqual(
        [answer.body['clusterUid'], answer.body['node'], answer.body['pool']],
        [uid, node, 'site-1'],
      );
      assert.ok(Math.abs(Number(answer.body['timeMs']) - clock.wallMs()) < 10_000);
    });

    it('has written the certificate down before it hands it out', async () => {
      const node = newNode();
      const { certificate } = await site.joined(node, { pool: 'site-1' });
      const record = await recordOf(node);
      const { fingerprint } = readIdentity(certificate, 'edge');
      assert.deepEqual(
        record.certificates.map((issued) => [issued.serial, issued.fingerprint]),
        [[certificate.serialNumber, fingerprint]],
      );
      assert.equal(record.pool, 'site-1');
      assert.equal(record.revokedAt, undefined);
      assert.ok(Date.parse(record.joinedAt ?? '') > 0);
    });

    it('leaves a line for the auditor, without the secret', async () => {
      const node = newNode();
      const token = await site.token();
      const { body } = await site.join(node, token);
      await site.join(newNode(), token);
      const [issued, refused] = log.audit('join');
      const { serialNumber } = new X509Certificate(String(body['certificate']));
      assert.deepEqual(
        [issued?.level, issued?.fields['node'], issued?.fields['serial']],
        ['info', node, serialNumber],
      );
      assert.deepEqual([refused?.level, refused?.fields['code']], ['warn', 'ERR_CLOUDCORE_TOKEN_USED']);
      assert.ok(!JSON.stringify(log.lines).includes(token.slice(65)));
    });

    it('may be asked for again with the same key when its answer was lost', async () => {
      const node = newNode();
      const token = await site.token();
      const first = await site.join(node, token);
      clock.shiftMs = 23 * 3600_000;
      const second = await site.join(node, token, { csr: first.csr });
      assert.equal(second.status, 200);
      assert.equal(clientOf(second).certificate.checkPrivateKey(first.csr.privateKey), true);
      assert.equal((await recordOf(node)).revokedAt, undefined);
      clock.shiftMs = 25 * 3600_000;
      assert.equal(
        (await site.join(node, token, { csr: first.csr })).body['code'],
        'ERR_CLOUDCORE_TOKEN_EXPIRED',
      );
    });

    it('does not let another in with a token that was used', async () => {
      const token = await site.token();
      const node = newNode();
      await site.join(node, token);
      for (const other of [newNode(), node]) {
        const { status, body } = await site.join(other, token);
        assert.deepEqual([status, body['code']], [401, 'ERR_CLOUDCORE_TOKEN_USED']);
        assert.ok(String(body['remedy']).length > 0);
      }
    });

    it('is refused with a token that is unknown, expired, taken back, or for another node, pool or cluster', async () => {
      const node = newNode();
      const token = await site.token();
      const bound = await site.token({ node: newNode(), pool: 'site-1' });
      const taken = await site.token();
      await site.identity.tokens.revoke(taken);
      const unknown = `${token.slice(0, 65)}${'A'.repeat(32)}`;
      const foreign = `${'0'.repeat(64)}${token.slice(64)}`;
      const codes = async (...texts: string[]): Promise<unknown[]> =>
        await Promise.all(texts.map(async (text) => (await site.join(node, text)).body['code']));
      assert.deepEqual(await codes(unknown, taken, bound, foreign, 'nonsense'), [
        'ERR_CLOUDCORE_TOKEN',
        'ERR_CLOUDCORE_TOKEN',
        'ERR_CLOUDCORE_TOKEN_BOUND',
        'ERR_CLOUDCORE_TOKEN_CLUSTER',
        'ERR_CLOUDCORE_TOKEN',
      ]);
      assert.equal(
        (await site.join(node, token, { pool: 'site-2' })).body['code'],
        'ERR_CLOUDCORE_TOKEN_BOUND',
      );
      clock.shiftMs = 25 * 3600_000;
      assert.deepEqual(await codes(token), ['ERR_CLOUDCORE_TOKEN_EXPIRED']);
    });

    it('is refused with a request for another node than the one that is named', async () => {
      const token = await site.token();
      const csr = await makeCsr('edge-of-others');
      const { status, body } = await site.join(newNode(), token, { csr });
      assert.deepEqual([status, body['code']], [400, 'ERR_CLOUDCORE_CSR']);
      assert.equal((await site.join(newNode(), token)).status, 200, 'and costs no use of the token');
    });

    it('is refused with a name that is none', async () => {
      const { status, body } = await site.join('No_Name', await site.token());
      assert.deepEqual([status, body['code']], [400, 'ERR_CLOUDCORE_NODE_NAME']);
    });

    it('does not take over the name of a node whose certificate lives, and costs no use of the token', async () => {
      const node = newNode();
      const first = await site.joined(node);
      const token = await site.token();
      const { status, body } = await site.join(node, token);
      assert.deepEqual([status, body['code']], [409, 'ERR_CLOUDCORE_NODE_EXISTS']);
      const { fingerprint } = readIdentity(first.certificate, 'edge');
      assert.deepEqual((await recordOf(node)).certificates[0]?.fingerprint, fingerprint);
      assert.equal((await site.join(newNode(), token)).status, 200);
    });

    it('takes the name over with a token that may replace: the former certificate is revoked', async () => {
      const node = newNode();
      const former = await site.joined(node);
      const told: string[] = [];
      site.identity.onRevoked((name) => told.push(name));
      const present = await site.joined(node, { replace: true });
      await eventually('the hub knows', () =>
        site.identity.isRevoked(readIdentity(former.certificate, 'edge')),
      );
      assert.equal(site.identity.isRevoked(readIdentity(present.certificate, 'edge')), false);
      assert.deepEqual(told, [node]);
      const refused = await site.call('POST', '/v1/renew', { csr: former.csr.pem }, former);
      assert.deepEqual([refused.status, refused.body['code']], [403, 'ERR_CLOUDCORE_NODE_REVOKED']);
      const renewed = await site.call('POST', '/v1/renew', { csr: present.csr.pem }, present);
      assert.equal(renewed.status, 200);
    });

    it('takes the name over from a node whose certificate has ended, which then cannot come back', async () => {
      const node = newNode();
      const former = await site.joined(node);
      clock.shiftMs = 366 * DAY_MS;
      const present = await site.join(node, await site.token());
      assert.equal(present.status, 200);
      await eventually('the hub knows', () =>
        site.identity.isRevoked(readIdentity(former.certificate, 'edge')),
      );
      const refused = await site.call('POST', '/v1/renew', { csr: former.csr.pem }, former);
      assert.equal(refused.body['code'], 'ERR_CLOUDCORE_NODE_REVOKED');
    });

    it('lets exactly one of two in that race for a name with a token each', async () => {
      for (let round = 0; round < 5; round++) {
        const node = newNode();
        const [one, other] = [await site.token(), await site.token()];
        const answers = await Promise.all([site.join(node, one), site.join(node, other)]);
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
        const winner = answers.find(({ status }) => status === 200);
        assert.ok(winner);
        const { fingerprint } = readIdentity(clientOf(winner).certificate, 'edge');
        assert.deepEqual(
          (await recordOf(node)).certificates.map((issued) => issued.fingerprint),
          [fingerprint],
        );
      }
    });

    it('lets exactly one of two in that race with one token, over two replicas', async () => {
      const other = await new HubSite(fixture.url, { clock }).start();
      try {
        for (let round = 0; round < 5; round++) {
          const token = await site.token();
          const answers = await Promise.all([site.join(newNode(), token), other.join(newNode(), token)]);
          assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401]);
        }
      } finally {
        await other.stop();
      }
    });

    it('may have a key of type P-256', async () => {
      const node = newNode();
      const csr = await makeCsr(node, { keyType: 'p256' });
      const answer = await site.join(node, await site.token(), { csr });
      assert.equal(clientOf(answer).certificate.publicKey.asymmetricKeyType, 'ec');
    });
  });

  describe('a renewal', () => {
    it('answers a certificate for the same key', async () => {
      const node = newNode();
      const present = await site.joined(node);
      const answer = await site.call('POST', '/v1/renew', { csr: present.csr.pem }, present);
      const renewed = clientOf({ ...answer, csr: present.csr });
      assert.equal(renewed.certificate.checkPrivateKey(present.privateKey), true);
      assert.notEqual(renewed.certificate.serialNumber, present.certificate.serialNumber);
      assert.equal((await recordOf(node)).certificates.length, 2);
    });

    it('answers a certificate for a new key that the request proves', async () => {
      const node = newNode();
      const present = await site.joined(node);
      const csr = await makeCsr(node);
      const answer = await site.call('POST', '/v1/renew', { csr: csr.pem }, present);
      assert.equal(clientOf({ ...answer, csr }).certificate.checkPrivateKey(csr.privateKey), true);
      const peer = readIdentity(present.certificate, 'edge');
      assert.equal(site.identity.isRevoked(peer), false, 'the former one goes on to count');
    });

    it('is refused for the name of another node', async () => {
      const [present, other] = [await site.joined(newNode()), newNode()];
      await site.joined(other);
      const { pem } = await makeCsr(other);
      const { status, body } = await site.call('POST', '/v1/renew', { csr: pem }, present);
      assert.deepEqual([status, body['code']], [400, 'ERR_CLOUDCORE_CSR']);
    });

    it('is refused without a certificate', async () => {
      const { pem } = await makeCsr(newNode());
      const { status, body } = await site.call('POST', '/v1/renew', { csr: pem });
      assert.deepEqual([status, body['code']], [401, 'ERR_CLOUDCORE_CLIENT_CERTIFICATE']);
      assert.match(String(body['message']), /ERR_TUNNEL_CERT_MISSING/);
    });

    it('is refused with a certificate that is forged and expired, as forged', async () => {
      const node = newNode();
      const genuine = await site.joined(node);
      const name = new X509Certificate(genuine.certificate.raw).issuer.replaceAll('\n', ', ');
      const forger = await TestAuthority.create(name);
      for (const notAfter of [new Date(Date.now() + DAY_MS), new Date(Date.now() - 1000)]) {
        const forged = await forger.edge(node, { notAfter });
        const { status, body } = await site.call('POST', '/v1/renew', { csr: genuine.csr.pem }, forged);
        assert.deepEqual([status, body['code']], [401, 'ERR_CLOUDCORE_CLIENT_CERTIFICATE']);
        assert.match(String(body['message']), /ERR_TUNNEL_CERT_UNTRUSTED/);
      }
    });

    it('is granted with a certificate that ended within the grace, and refused beyond', async () => {
      const node = newNode();
      const present = await site.joined(node);
      const renew = () => site.call('POST', '/v1/renew', { csr: present.csr.pem }, present);
      clock.shiftMs = (365 + 29) * DAY_MS;
      const answer = await renew();
      assert.equal(answer.status, 200);
      const { notAfterMs } = readIdentity(clientOf({ ...answer, csr: present.csr }).certificate, 'edge');
      assert.ok(notAfterMs > clock.wallMs() + 364 * DAY_MS);
      clock.shiftMs = (365 + 31) * DAY_MS;
      const { status, body } = await renew();
      assert.deepEqual([status, body['code']], [401, 'ERR_CLOUDCORE_CLIENT_CERTIFICATE']);
      assert.match(String(body['message']), /ERR_TUNNEL_CERT_EXPIRED/);
    });

    it('is refused before the certificate has begun to be valid', async () => {
      const present = await site.joined(newNode());
      clock.shiftMs = -2 * DAY_MS;
      const { body } = await site.call('POST', '/v1/renew', { csr: present.csr.pem }, present);
      assert.match(String(body['message']), /ERR_TUNNEL_CERT_NOT_YET_VALID/);
    });

    it('is refused once the node was revoked, also within the grace', async () => {
      const node = newNode();
      const present = await site.joined(node);
      await revoke(node);
      for (const shiftDays of [0, 370]) {
        clock.shiftMs = shiftDays * DAY_MS;
        const { status, body } = await site.call('POST', '/v1/renew', { csr: present.csr.pem }, present);
        assert.deepEqual([status, body['code']], [403, 'ERR_CLOUDCORE_NODE_REVOKED']);
      }
    });

    it('is refused by the record itself when the watch has not told of the revocation yet', async () => {
      const node = newNode();
      const present = await site.joined(node);
      const peer = readIdentity(present.certificate, 'edge');
      await revokeNode(site.client, node, { clock });
      await assert.rejects(site.identity.renew(peer, present.csr.pem), { code: 'ERR_KUBE_FORBIDDEN' });
    });

    it('works where the record was lost, and writes one', async () => {
      const node = newNode();
      const present = await site.joined(node);
      const configMaps = new ResourceClient(site.client, RESOURCES.configmaps);
      await configMaps.delete('hawser-system', recordName(node));
      const { status } = await site.call('POST', '/v1/renew', { csr: present.csr.pem }, present);
      assert.equal(status, 200);
      assert.equal((await recordOf(node)).certificates.length, 1);
    });

    it('keeps no list without end: ended certificates leave the record', async () => {
      const node = newNode();
      const present = await site.joined(node);
      clock.shiftMs = (365 + 29) * DAY_MS;
      await site.call('POST', '/v1/renew', { csr: present.csr.pem }, present);
      clock.shiftMs = (365 + 31) * DAY_MS;
      const renewed = await site.identity.renew(readIdentity(present.certificate, 'edge'), present.csr.pem);
      const { serialNumber } = new X509Certificate(renewed.certificate);
      const record = await recordOf(node);
      assert.equal(record.certificates.length, 2);
      assert.equal(record.certificates[1]?.serial, serialNumber);
    });

    it('within a session is refused when it is asked for too often', async () => {
      const node = newNode();
      const present = await site.joined(node);
      const peer = readIdentity(present.certificate, 'edge');
      for (let i = 0; i < 10; i++) await site.identity.renew(peer, present.csr.pem);
      await assert.rejects(site.identity.renew(peer, present.csr.pem), (error: { status?: unknown }) => {
        assert.equal((error.status as { code?: number }).code, 429);
        return true;
      });
      assert.ok((await recordOf(node)).certificates.length <= 16);
    });
  });

  it('lets a revoked node come back with a token that was made afterwards, and only with that', async () => {
    const node = newNode();
    const old = await site.token({ uses: 3, replace: true });
    const former = await site.join(node, old);
    await revoke(node);
    for (const csr of [former.csr, await makeCsr(node)]) {
      const { status, body } = await site.join(node, old, { csr });
      assert.deepEqual([status, body['code']], [403, 'ERR_CLOUDCORE_NODE_REVOKED']);
    }
    const present = await site.joined(node);
    await eventually(
      'the hub knows',
      () => !site.identity.isRevoked(readIdentity(present.certificate, 'edge')),
    );
    assert.equal(site.identity.isRevoked(readIdentity(clientOf(former).certificate, 'edge')), true);
  });

  describe('what is no proper request', () => {
    const cases: [string, string, string, unknown, number][] = [
      ['another path', 'GET', '/v1/nothing', undefined, 400],
      ['another method', 'GET', '/v1/join', undefined, 400],
      ['a body that is no JSON', 'POST', '/v1/join', 'nonsense', 400],
      ['a body that is no object', 'POST', '/v1/join', [], 400],
      ['a body without a token', 'POST', '/v1/join', { csr: 'x', node: 'x' }, 400],
      ['a body with a number as token', 'POST', '/v1/join', { token: 1, csr: 'x', node: 'x' }, 400],
      ['a body that is too large', 'POST', '/v1/join', { token: 'x'.repeat(65 * 1024) }, 400],
    ];
    for (const [what, method, path, body, status] of cases) {
      it(`is refused: ${what}`, async () => {
        const answer = await site.call(method, path, body);
        assert.deepEqual([answer.status, answer.body['code']], [status, 'ERR_CLOUDCORE_BAD_REQUEST']);
        assert.deepEqual(Object.keys(answer.body).sort(), ['code', 'message', 'remedy']);
      });
    }
  });

  it('lets an address that guesses wait', async () => {
    const token = await site.token();
    const guess = `${token.slice(0, 65)}${'A'.repeat(32)}`;
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push((await site.join('edge-g', guess)).status);
    assert.deepEqual([statuses.filter((status) => status === 401).length, statuses.at(-1)], [20, 429]);
    const { body, retryAfter } = await site.join(newNode(), token);
    assert.equal(body['code'], 'ERR_CLOUDCORE_TOO_MANY_REQUESTS');
    assert.ok(Number(body['retryAfterMs']) > 0 && Number(retryAfter) > 0);
    assert.equal((await site.call('GET', '/v1/authority')).status, 200);
  });

  it('says "later" while the API server is away, and nothing of what it knows', async () => {
    const away = await startKubeFixture();
    const other = await new HubSite(away.url, { clock }).start();
    try {
      const token = await other.token();
      await away.stop();
      const { status, body } = await other.join(newNode(), token);
      assert.deepEqual([status, body['code']], [503, 'ERR_CLOUDCORE_UNAVAILABLE']);
      assert.ok(Number(body['retryAfterMs']) > 0);
      assert.ok(!JSON.stringify(body).includes(new URL(away.url).port));
    } finally {
      await other.stop();
    }
  });

  it('names the key of who joined, so that the machine is known again', async () => {
    const node = newNode();
    const { csr, certificate } = await site.joined(node);
    const [issued] = (await recordOf(node)).certificates;
    assert.equal(issued?.serial, certificate.serialNumber);
    const again = await site.join(node, await site.token(), { csr });
    assert.equal(again.status, 200, 'the same key joins with another token, and replaces nobody');
    const keys = (await recordOf(node)).certificates.map(({ key }) => key);
    assert.deepEqual(keys, [issued.key, issued.key]);
    assert.ok(createPublicKey(csr.privateKey).equals(certificate.publicKey));
  });
});
