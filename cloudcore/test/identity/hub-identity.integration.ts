import assert from 'node:assert/strict';
import { ClientError, HttpApiClient, ResourceClient, RESOURCES, type ApiClient } from '@hawser/kube';
import type { KubeFixture } from '@hawser/kube/testing';
import { readIdentity, TunnelError, verifyPeer, type PeerIdentity } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { eventually, FakeClock, within } from '@hawser/seams/testing';
import { HubIdentity } from '../../src/identity/hub-identity.ts';
import { recordName } from '../../src/identity/node-record.ts';
import { revokeNode } from '../../src/identity/node-records.ts';
import { RevocationWatch } from '../../src/identity/revocation-watch.ts';
import { HubSite, startKubeFixture } from './hub-site.ts';
import { LogLines } from './log-lines.ts';
import { ShiftedClock } from './shifted-clock.ts';

async function peerOf(node: string): Promise<PeerIdentity> {
  const { certificate } = await (await TestAuthority.create()).edge(node);
  return readIdentity(certificate, 'edge');
}

describe('the identity of a hub', () => {
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

  it('has a certificate for its names, and for this machine only when asked', async () => {
    for (const loopback of [false, true]) {
      const identity = new HubIdentity({ client, names: ['hub.example.com', '192.0.2.1'], loopback });
      await identity.start();
      const { certificate, authorities, privateKey } = identity.credentials();
      assert.ok(certificate.checkPrivateKey(privateKey));
      assert.equal(privateKey.asymmetricKeyType, 'ed25519');
      const verify = (dialedHost: string): PeerIdentity =>
        verifyPeer(certificate.raw, { role: 'hub', authorities, dialedHost });
      assert.ok(verify('hub.example.com'));
      assert.ok(verify('192.0.2.1'));
      for (const dialedHost of ['localhost', '127.0.0.1', '::1']) {
        if (loopback) assert.ok(verify(dialedHost));
        else assert.throws(() => verify(dialedHost), { code: 'ERR_TUNNEL_CERT_NAME' });
      }
      await identity.stop();
    }
  });

  it('is the same authority and stamp key on every replica, with hub keys of their own', async () => {
    const replicas = [1, 2].map(() => new HubIdentity({ client, names: ['hub'] }));
    await Promise.all(replicas.map((replica) => replica.start()));
    const [one, other] = replicas;
    assert.ok(one && other);
    assert.equal(one.pin, other.pin);
    assert.deepEqual(one.stampKey(), other.stampKey());
    assert.equal(one.credentials().privateKey.equals(other.credentials().privateKey), false);
    await Promise.all(replicas.map((replica) => replica.stop()));
  });

  it('does not start without a name to be dialled by', async () => {
    const identity = new HubIdentity({ client, names: [] });
    await assert.rejects(identity.start(), { code: 'ERR_CLOUDCORE_HUB_NAME' });
    await identity.stop();
  });

  it('can be started again when the API server was away at first', async () => {
    let isAway = true;
    const unreachable = new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'no route');
    const flaky: ApiClient = {
      server: client.server,
      request: (call) => (isAway ? Promise.reject(unreachable) : client.request(call)),
      stream: (call) => (isAway ? Promise.reject(unreachable) : client.stream(call)),
      close: () => client.close(),
    };
    const identity = new HubIdentity({ client: flaky, names: ['hub'] });
    await assert.rejects(identity.start(), unreachable);
    assert.throws(() => identity.credentials(), TypeError);
    isAway = false;
    await identity.start();
    assert.ok(identity.credentials());
    await identity.stop();
  });

  it('stops more than once, and before it was started', async () => {
    const identity = new HubIdentity({ client, names: ['hub'] });
    await identity.stop();
    await identity.stop();
    await assert.rejects(identity.start());
  });

  it('deletes expired join tokens at the start and every hour', async () => {
    const clock = new FakeClock({ wallMs: Date.now() });
    const identity = new HubIdentity({ client, names: ['hub'], clock });
    await identity.start();
    await identity.tokens.create({ ttlMs: 30 * 60_000 });
    await clock.advance(31 * 60_000);
    assert.equal((await identity.tokens.list()).length, 1);
    await clock.advance(30 * 60_000);
    await eventually('it is gone', async () => (await identity.tokens.list()).length === 0);
    await identity.stop();
  });

  describe('knows who was revoked:', () => {
    it('nobody is let in before all records have been read', async () => {
      const peer = await peerOf('edge-1');
      const watch = new RevocationWatch({ client, clock: new ShiftedClock(), logger: new LogLines() });
      assert.throws(
        () => watch.isRevoked(peer),
        (error: unknown) => error instanceof TunnelError && error.code === 'ERR_TUNNEL_REJECTED',
      );
      await watch.start();
      assert.equal(watch.isRevoked(peer), false);
      await watch.stop();
    });

    it('on every replica, and whoever listens is told', async () => {
      const clock = new ShiftedClock();
      const sites = await Promise.all([1, 2].map(() => new HubSite(fixture.url, { clock }).start()));
      const { certificate } = (await sites[0]?.joined('edge-1')) ?? {};
      assert.ok(certificate);
      const peer = readIdentity(certificate, 'edge');
      const told: number[] = [];
      const ends = sites.map((site, i) =>
        site.identity.onRevoked((node) => node === 'edge-1' && told.push(i)),
      );
      await revokeNode(client, 'edge-1');
      for (const { identity } of sites) await eventually('it is revoked', () => identity.isRevoked(peer));
      await eventually('both were told', () => told.length === 2);
      assert.deepEqual(told.sort(), [0, 1]);
      for (const end of ends) end();
      await sites[0]?.joined('edge-1');
      await revokeNode(client, 'edge-1');
      await within(
        'all is quiet',
        eventually('revoked again', () => sites[1]?.identity.isRevoked(peer) === true),
      );
      assert.equal(told.length, 2, 'who stopped listening hears nothing');
      await Promise.all(sites.map((site) => site.stop()));
    });

    it('after a restart too', async () => {
      const clock = new ShiftedClock();
      const site = await new HubSite(fixture.url, { clock }).start();
      const { certificate } = await site.joined('edge-1');
      await site.stop();
      await revokeNode(client, 'edge-1');
      const identity = new HubIdentity({ client, names: ['hub'] });
      await identity.start();
      assert.equal(identity.isRevoked(readIdentity(certificate, 'edge')), true);
      await identity.stop();
    });

    it('a name that is not known is not revoked by mistake, but can be on purpose', async () => {
      const identity = new HubIdentity({ client, names: ['hub'] });
      await identity.start();
      await assert.rejects(revokeNode(client, 'edge-9'), { code: 'ERR_CLOUDCORE_NODE_UNKNOWN' });
      await assert.rejects(revokeNode(client, 'No Name'), { code: 'ERR_CLOUDCORE_NODE_NAME' });
      await revokeNode(client, 'edge-9', { evenIfUnknown: true });
      const peer = await peerOf('edge-9');
      await eventually('it is revoked', () => identity.isRevoked(peer));
      await identity.stop();
    });

    it('a record that was damaged keeps its node out, until it is revoked and joins again', async () => {
      const clock = new ShiftedClock();
      const log = new LogLines();
      const site = await new HubSite(fixture.url, { clock, logger: log }).start();
      const former = readIdentity((await site.joined('edge-1')).certificate, 'edge');
      const configMaps = new ResourceClient(client, RESOURCES.configmaps);
      const record = await configMaps.get('hawser-system', recordName('edge-1'));
      await configMaps.update({
        ...record,
        data: { ...(record['data'] as object), certificates: 'nonsense' },
      });
      await eventually('it is kept out', () => site.identity.isRevoked(former));
      assert.ok(log.lines.some(({ level, message }) => level === 'error' && message.includes('kept out')));
      const { body } = await site.join('edge-1', await site.token({ replace: true }));
      assert.equal(body['code'], 'ERR_CLOUDCORE_NODE_RECORD');
      await revokeNode(client, 'edge-1');
      const present = readIdentity((await site.joined('edge-1')).certificate, 'edge');
      await eventually('it is in again', () => !site.identity.isRevoked(present));
      await site.stop();
    });

    it('what was revoked stays so while the API server is away', async () => {
      const clock = new ShiftedClock();
      const away = await startKubeFixture();
      const site = await new HubSite(away.url, { clock }).start();
      const [one, other] = [await site.joined('edge-1'), await site.joined('edge-2')];
      await revokeNode(site.client, 'edge-1');
      const peer = readIdentity(one.certificate, 'edge');
      await eventually('it is revoked', () => site.identity.isRevoked(peer));
      await away.stop();
      assert.equal(site.identity.isRevoked(peer), true);
      assert.equal(site.identity.isRevoked(readIdentity(other.certificate, 'edge')), false);
      await site.stop();
    });
  });
});
