import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { deferred, seededRandom } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { CertificateRotation, renewAt, type RenewalWay } from '../../src/identity/certificate-rotation.ts';
import type { Issued } from '../../src/identity/identity-bundle.ts';
import { NodeIdentity, PKI_FILES } from '../../src/identity/node-identity.ts';
import { privateKeyPem } from '../../src/identity/node-key.ts';
import { DiskPkiFolder, type PkiFolder } from '../../src/identity/pki-folder.ts';
import { issuedCredentials, joinedFolder } from './joined-folder.ts';
import { DAY_MS, SigningAuthority } from './signing-authority.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;

function publicKeyOf(certificate: string): string {
  return new X509Certificate(certificate).publicKey.export({ format: 'pem', type: 'spki' }).toString();
}

/** The power goes at the n-th change of the folder, before or after it is done. */
class FailingFolder implements PkiFolder {
  readonly #folder: PkiFolder;
  #left: number;
  readonly #done: boolean;
  constructor(folder: PkiFolder, left: number, done: boolean) {
    this.#folder = folder;
    this.#left = left;
    this.#done = done;
  }
  get dir(): string {
    return this.#folder.dir;
  }
  open(): Promise<void> {
    return this.#folder.open();
  }
  read(name: string): Promise<string | undefined> {
    return this.#folder.read(name);
  }
  write(name: string, content: string): Promise<void> {
    return this.#change(() => this.#folder.write(name, content));
  }
  rename(from: string, to: string): Promise<void> {
    return this.#change(() => this.#folder.rename(from, to));
  }
  remove(name: string): Promise<void> {
    return this.#change(() => this.#folder.remove(name));
  }
  async #change(work: () => Promise<void>): Promise<void> {
    this.#left -= 1;
    if (this.#left > 0) {
      await work();
      return;
    }
    if (this.#left === 0 && this.#done) await work();
    throw new Error('the power is gone');
  }
}

describe('the point of renewal', () => {
  it('lies between 70 and 90 % of the life, elsewhere for each certificate, and always there', async () => {
    const authority = await SigningAuthority.create();
    const dates = { notBefore: new Date(NOW_MS), notAfter: new Date(NOW_MS + 1000 * DAY_MS) };
    const parts: number[] = [];
    for (let i = 0; i < 40; i++) {
      const { certificate } = await issuedCredentials(authority, dates);
      const at = renewAt(certificate);
      assert.equal(renewAt(certificate), at);
      parts.push((at - NOW_MS) / (1000 * DAY_MS));
    }
    assert.ok(Math.min(...parts) >= 0.7 && Math.max(...parts) <= 0.9);
    assert.ok(Math.max(...parts) - Math.min(...parts) > 0.1, 'a fleet spreads out');
  });
});

describe('the rotation of a certificate', () => {
  let temp: TempDir;
  let authority: SigningAuthority;
  let folder: DiskPkiFolder;
  let clock: FakeClock;
  let identity: NodeIdentity;
  let rotation: CertificateRotation | undefined;

  beforeEach(async () => {
    temp = await makeTempDir();
    authority = await SigningAuthority.create();
    folder = new DiskPkiFolder(temp.path);
    clock = new FakeClock({ wallMs: NOW_MS });
    await joinedFolder(folder, authority, {
      notBefore: new Date(NOW_MS),
      notAfter: new Date(NOW_MS + 100 * DAY_MS),
    });
    identity = await NodeIdentity.load({ folder });
  });

  afterEach(async () => {
    await rotation?.stop();
    rotation = undefined;
    await temp.remove();
  });

  const sign: RenewalWay = (csr) =>
    authority.sign(csr, {
      notBefore: new Date(clock.wallMs()),
      notAfter: new Date(clock.wallMs() + 100 * DAY_MS),
    });

  /** How often it was told that there is a renewed certificate. */
  let told: number;

  beforeEach(() => {
    told = 0;
  });

  function rotate(...ways: RenewalWay[]): CertificateRotation {
    rotation = new CertificateRotation({
      identity,
      ways,
      wallMs: () => clock.wallMs(),
      clock,
      onRenewed: () => (told += 1),
      random: seededRandom(1),
    });
    rotation.start();
    return rotation;
  }

  it('happens at the point that is due, and not before', async () => {
    let asked = 0;
    const running = rotate((csr, signal) => {
      asked += 1;
      return sign(csr, signal);
    });
    const { renewAtMs, notAfterMs } = running.status();
    assert.equal(notAfterMs, NOW_MS + 100 * DAY_MS);
    await clock.advance(renewAtMs - NOW_MS - HOUR_MS);
    assert.equal(asked, 0);
    await clock.advance(2 * HOUR_MS);
    await eventually('it is renewed', () => running.status().renewals === 1);
    assert.equal(asked, 1);
    assert.ok(running.status().notAfterMs > notAfterMs + 69 * DAY_MS);
    assert.equal(identity.isUnproven, true);
  });

  it('happens at once when it is due at the start', async () => {
    await clock.advance(95 * DAY_MS);
    const running = rotate(sign);
    await eventually('it is renewed', () => running.status().renewals === 1);
  });

  it('tries the ways in their order', async () => {
    const tried: string[] = [];
    const closed =
      (name: string): RenewalWay =>
      () => {
        tried.push(name);
        return Promise.reject(new Error(`${name} is closed`));
      };
    const running = rotate(closed('session'), sign, closed('never'));
    await running.renewNow();
    assert.deepEqual(tried, ['session']);
    assert.equal(running.status().renewals, 1);
  });

  it('is tried again with the same key, at longer and longer intervals, while it fails', async () => {
    await clock.advance(95 * DAY_MS);
    const keys = new Set<string>();
    let attempts = 0;
    const running = rotate(async (csr) => {
      attempts += 1;
      keys.add(publicKeyOf((await authority.sign(csr)).certificate));
      throw new Error('not today');
    });
    await eventually('it has failed', () => running.status().failures === 1 && clock.pendingTimers === 1);
    for (let hour = 0; hour < 24; hour++) {
      await clock.advance(HOUR_MS);
      await eventually('nothing is under way', () => clock.pendingTimers === 1);
    }
    assert.ok(attempts >= 5 && attempts <= 80, `${attempts} attempts in a day`);
    assert.equal(running.status().failures, attempts);
    assert.equal(keys.size, 1);
    assert.equal(running.status().lastError, 'not today');
    assert.equal(identity.isUnproven, false);
  });

  it('says of each way why it is closed', async () => {
    const running = rotate(
      () => Promise.reject(new Error('no session')),
      () => Promise.reject(new Error('no hub')),
    );
    await running.renewNow();
    assert.equal(running.status().lastError, 'no session; no hub');
    await running.stop();
    const without = rotate(); // nothing is known of the failure before
    await without.renewNow();
    assert.equal(without.status().lastError, 'there is no way to a hub');
  });

  it('does not renew over and over on a machine whose clock is years ahead', async () => {
    clock.jumpWall(5 * 365 * DAY_MS);
    let asked = 0;
    const running = rotate((csr) => {
      asked += 1;
      return authority.sign(csr, { notBefore: new Date(NOW_MS), notAfter: new Date(NOW_MS + 100 * DAY_MS) });
    });
    await eventually('it is renewed', () => running.status().renewals === 1);
    await clock.advance(23 * HOUR_MS);
    assert.equal(asked, 1);
    await clock.advance(2 * HOUR_MS);
    await eventually('once a day', () => asked === 2);
  });

  it('is not tried at each of many handshakes that say that it is due', async () => {
    let asked = 0;
    let isOpen = false;
    const running = rotate((csr, signal) => {
      asked += 1;
      return isOpen ? sign(csr, signal) : Promise.reject(new Error('not today'));
    });
    for (let handshake = 0; handshake < 20; handshake++) await running.renewNow();
    assert.equal(asked, 1);
    isOpen = true;
    await clock.advance(60_000); // the first back-off is shorter
    await running.renewNow();
    assert.equal(asked, 2);
    assert.equal(running.status().renewals, 1);
    for (let handshake = 0; handshake < 20; handshake++) await running.renewNow();
    assert.equal(asked, 2);
    await clock.advance(HOUR_MS);
    await running.renewNow();
    assert.equal(asked, 3);
  });

  it('is tried at once when a hub asks for it, after attempts that reached none', async () => {
    await clock.advance(95 * DAY_MS);
    let [asked, isOpen] = [0, false];
    const running = rotate((csr, signal) => {
      asked += 1;
      return isOpen ? sign(csr, signal) : Promise.reject(new Error('no line'));
    });
    await eventually('it has failed', () => running.status().failures === 1 && clock.pendingTimers === 1);
    isOpen = true;
    await running.renewNow();
    assert.deepEqual([asked, told, running.status().renewals], [2, 1, 1]);
  });

  it('is done once when it is asked for twice', async () => {
    let asked = 0;
    const running = rotate((csr, signal) => {
      asked += 1;
      return sign(csr, signal);
    });
    await Promise.all([running.renewNow(), running.renewNow()]);
    assert.equal(asked, 1);
  });

  it('is given up when it is stopped, and gone on with after the next start', async () => {
    const reached = deferred();
    const running = rotate((_csr, signal) => {
      reached.resolve();
      return new Promise<Issued>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    });
    const renewal = running.renewNow();
    await reached.promise;
    const key = await folder.read(PKI_FILES.nextKey);
    await running.stop();
    await renewal;
    assert.equal(running.status().failures, 0, 'a stop is no failure');
    assert.equal(clock.pendingTimers, 0);
    running.start();
    await running.renewNow();
    assert.equal(clock.pendingTimers, 0);
    identity = await NodeIdentity.load({ folder });
    await rotate(sign).renewNow();
    assert.equal(privateKeyPem(identity.newest.privateKey), key);
  });

  describe('survives a crash at each step:', () => {
    for (const done of [false, true]) {
      for (let step = 1; step <= 4; step++) {
        it(`change ${step} of the disk ${done ? 'done' : 'not done'}`, async () => {
          const { serialNumber } = identity.credentials().certificate;
          const crashing = new FailingFolder(folder, step, done);
          const doomed = await NodeIdentity.load({ folder: crashing });
          const first = new CertificateRotation({
            identity: doomed,
            ways: [sign],
            wallMs: () => clock.wallMs(),
            clock,
          });
          await first.renewNow();
          await doomed.confirm(doomed.credentials()).catch((error: unknown) => {
            assert.match(String(error), /power/);
          });
          await first.stop();

          const reborn = await NodeIdentity.load({ folder });
          assert.equal(reborn.node, 'edge-1');
          const shown = reborn.credentials();
          assert.ok(shown.certificate.checkPrivateKey(shown.privateKey));
          const isRenewed = shown.certificate.serialNumber !== serialNumber;
          assert.equal(
            isRenewed,
            step > 2 || (step === 2 && done),
            'renewed once it was written, not before',
          );

          identity = reborn;
          await rotate(sign).renewNow();
          await reborn.confirm(reborn.credentials());
          const last = await NodeIdentity.load({ folder });
          assert.equal(last.isUnproven, false);
          assert.notEqual(last.credentials().certificate.serialNumber, serialNumber);
          assert.equal(await folder.read(PKI_FILES.nextKey), undefined);
        });
      }
    }
  });
});
