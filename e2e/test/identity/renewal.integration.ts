import assert from 'node:assert/strict';
import { revokeNode } from '@hawser/cloudcore';
import {
  CertificateRotation,
  createCsr,
  DiskPkiFolder,
  HubRefusal,
  renewOverHttps,
  TrustedClock,
  type NodeIdentity,
  type RenewalWay,
} from '@hawser/edgecore';
import { readIdentity, type PeerIdentity } from '@hawser/proto';
import { seededRandom } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { DAY_MS, IdentitySite } from './identity-site.ts';

describe('a node renews its certificate', () => {
  let site: IdentitySite;
  let identity: NodeIdentity;

  beforeEach(async () => {
    // Tests shift the clock by more than the usual life of a hub's certificate at once.
    site = await new IdentitySite({ hubCertificateDays: 3000 }).start();
    ({ identity } = await site.join('edge-1'));
  });

  afterEach(async () => {
    await site.stop();
  });

  const wallMs = (): number => site.clock.wallMs();
  const peer = (): PeerIdentity => readIdentity(identity.newest.certificate, 'edge');
  const inSession: RenewalWay = (csr) => site.identity.renew(peer(), csr);
  const overHttps: RenewalWay = (csr, signal) =>
    renewOverHttps(csr, { identity, hub: site.hub, wallMs, signal });
  const noSession: RenewalWay = () => Promise.reject(new Error('there is no session'));

  async function renewBy(...ways: RenewalWay[]): Promise<CertificateRotation> {
    const rotation = new CertificateRotation({
      identity,
      ways,
      wallMs,
      random: seededRandom(1),
    });
    await rotation.renewNow();
    await rotation.stop();
    return rotation;
  }

  for (const [how, way] of [
    ['within its session', inSession],
    ['over HTTPS', overHttps],
  ] as const) {
    it(`${how}, shows it at the next handshake, and drops the former key then`, async () => {
      const former = identity.credentials();
      const rotation = await renewBy(way);
      assert.equal(rotation.status().lastError, undefined);
      const used = await site.dial(identity);
      assert.notEqual(used.certificate.serialNumber, former.certificate.serialNumber);
      assert.equal(used.privateKey.equals(former.privateKey), false);
      assert.equal(site.admitted.at(-1)?.serialNumber, used.certificate.serialNumber);
      const restarted = await site.load('edge-1');
      assert.equal(restarted.isUnproven, false);
      assert.ok(restarted.credentials().privateKey.equals(used.privateKey));
    });
  }

  it('while the session with the former one goes on', async () => {
    const former = identity.credentials();
    await site.dial(identity);
    await renewBy(inSession);
    assert.equal(site.identity.isRevoked(readIdentity(former.certificate, 'edge')), false);
  });

  it('over HTTPS when there is no session', async () => {
    const rotation = await renewBy(noSession, overHttps);
    assert.equal(rotation.status().renewals, 1);
  });

  it('after its end, within the grace: the tunnel is closed to it, the renewal open', async () => {
    site.clock.shiftMs = (365 + 20) * DAY_MS;
    await assert.rejects(site.dial(identity, wallMs), { code: 'ERR_TUNNEL_CERT_EXPIRED' });
    const rotation = await renewBy(noSession, overHttps);
    assert.equal(rotation.status().lastError, undefined);
    await site.dial(identity, wallMs);
    assert.equal(site.admitted.length, 1);
  });

  it('not beyond the grace', async () => {
    site.clock.shiftMs = (365 + 31) * DAY_MS;
    await assert.rejects(overHttpsOnce(), (error: unknown) => {
      return error instanceof HubRefusal && error.hubCode === 'ERR_CLOUDCORE_CLIENT_CERTIFICATE';
    });
    const rotation = await renewBy(noSession, overHttps);
    assert.match(rotation.status().lastError ?? '', /ERR_TUNNEL_CERT_EXPIRED/);
  });

  it('not once it was revoked, within its life or the grace', async () => {
    await revokeNode(site.client, 'edge-1');
    await eventually('the hub knows', () => site.identity.isRevoked(peer()));
    for (const shiftMs of [0, 370 * DAY_MS]) {
      site.clock.shiftMs = shiftMs;
      await assert.rejects(overHttpsOnce(), (error: unknown) => {
        return error instanceof HubRefusal && error.hubCode === 'ERR_CLOUDCORE_NODE_REVOKED';
      });
    }
  });

  it('and comes to no harm when the answer is lost', async () => {
    const { serialNumber } = identity.credentials().certificate;
    let lost = 0;
    site.intercept = (request, response) => {
      if (request.url !== '/v1/renew' || lost === 1) return false;
      lost += 1;
      response.end = () => {
        request.socket.destroy();
        return response;
      };
      return false;
    };
    const failed = await renewBy(overHttps);
    assert.equal(failed.status().failures, 1);
    assert.equal(identity.credentials().certificate.serialNumber, serialNumber);
    await site.dial(identity);
    identity = await site.load('edge-1');
    const renewed = await renewBy(overHttps);
    assert.equal(renewed.status().renewals, 1);
    await site.dial(identity);
  });

  async function overHttpsOnce(): Promise<unknown> {
    const key = await identity.renewalKey();
    return await overHttps(createCsr(key, 'edge-1'), new AbortController().signal);
  }

  describe('and judges the hub by time that it can trust:', () => {
    /** A machine that is switched on, with whatever its clock says. */
    async function boot(shiftMs: number): Promise<TrustedClock> {
      const clock = new FakeClock({ wallMs: Date.now() + shiftMs });
      const trusted = new TrustedClock({ folder: new DiskPkiFolder(site.folder('edge-1')), clock });
      await trusted.start();
      return trusted;
    }

    const dial = (trusted: TrustedClock): Promise<unknown> => site.dial(identity, () => trusted.wallMs());

    it('without a clock, long after it was last switched on', async () => {
      const before = await boot(-Date.now());
      before.raise(Date.now());
      await before.stop();
      // The hub has another certificate by now, made long after what the machine knows of the time.
      const trusted = await boot(-Date.now());
      await dial(trusted);
      assert.equal(site.admitted.length, 1);
      await trusted.stop();
    });

    it('without a clock, and without its file', async () => {
      const trusted = await boot(-Date.now());
      trusted.atLeast(Date.parse(identity.credentials().certificate.validFrom));
      await dial(trusted);
      await trusted.stop();
    });

    it('with a clock that is a year back', async () => {
      const before = await boot(0);
      before.raise(Date.now());
      await before.stop();
      const trusted = await boot(-365 * DAY_MS);
      await dial(trusted);
      await trusted.stop();
    });

    it('with a clock that is far ahead it takes the hub’s certificate for over, until the clock is right', async () => {
      const ahead = await boot(3001 * DAY_MS);
      await assert.rejects(dial(ahead), { code: 'ERR_TUNNEL_CERT_EXPIRED' });
      await ahead.stop();
      const corrected = await boot(0);
      await dial(corrected);
      await corrected.stop();
    });

    it('and is not fooled into a hub certificate that has ended by a clock that is set back', async () => {
      const before = await boot(0);
      before.raise(Date.now() + 3001 * DAY_MS);
      await before.stop();
      const trusted = await boot(0);
      await assert.rejects(dial(trusted), { code: 'ERR_TUNNEL_CERT_EXPIRED' });
      await trusted.stop();
    });
  });
});
