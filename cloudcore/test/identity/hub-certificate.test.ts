import assert from 'node:assert/strict';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { createAuthority, readAuthority } from '../../src/identity/authority.ts';
import { CertificateSigner } from '../../src/identity/certificate-signer.ts';
import { HubCertificate } from '../../src/identity/hub-certificate.ts';
import { LogLines } from './log-lines.ts';
import { DAY_MS } from './shifted-clock.ts';

describe('the certificate of a hub', () => {
  async function certificateOf(clock: FakeClock, log: LogLines, lifetimeMs: number): Promise<HubCertificate> {
    const authority = await readAuthority(await createAuthority(clock.wallMs()), clock.wallMs());
    return new HubCertificate({
      authority,
      signer: new CertificateSigner(authority),
      names: ['hub'],
      loopback: true,
      lifetimeMs,
      clock,
      logger: log,
      onIssued: () => {},
    });
  }

  it('is renewed after two thirds of its life, for the same key', async () => {
    const [clock, log] = [new FakeClock(), new LogLines()];
    const hub = await certificateOf(clock, log, 90 * DAY_MS);
    await hub.start();
    const first = hub.credentials;
    await clock.advance(59 * DAY_MS);
    assert.equal(hub.credentials, first);
    await clock.advance(1.1 * DAY_MS);
    await eventually('it is another one', () => hub.credentials !== first);
    const second = hub.credentials;
    assert.equal(second.privateKey, first.privateKey);
    assert.ok(second.certificate.publicKey.equals(first.certificate.publicKey));
    const lifeMs = Date.parse(second.certificate.validTo) - clock.wallMs();
    assert.ok(lifeMs > 89 * DAY_MS && lifeMs <= 90 * DAY_MS);
    assert.equal(log.audit('hub').length, 2);
    hub.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('is renewed at once when the clock jumps over its end', async () => {
    const [clock, log] = [new FakeClock(), new LogLines()];
    const hub = await certificateOf(clock, log, 90 * DAY_MS);
    await hub.start();
    clock.jumpWall(200 * DAY_MS);
    await clock.advance(3600_000);
    await eventually(
      'it is good again',
      () => Date.parse(hub.credentials.certificate.validTo) > clock.wallMs(),
    );
    hub.stop();
  });

  it('is not there before the start, and nothing runs after the stop', async () => {
    const clock = new FakeClock();
    const hub = await certificateOf(clock, new LogLines(), DAY_MS);
    assert.throws(() => hub.credentials, TypeError);
    hub.stop();
    hub.stop();
    await hub.start();
    assert.equal(clock.pendingTimers, 0);
  });
});
