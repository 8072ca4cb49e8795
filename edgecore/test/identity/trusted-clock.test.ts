import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { verifyPeer } from '@hawser/proto';
import type { PkiFolder } from '../../src/identity/pki-folder.ts';
import { TrustedClock } from '../../src/identity/trusted-clock.ts';
import { issuedCredentials } from './joined-folder.ts';
import { LogLines } from './log-lines.ts';
import { DAY_MS, SigningAuthority } from './signing-authority.ts';

const NOW_MS = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;

/** Keeps files in memory, and counts how often they are written. */
class MemoryFolder implements PkiFolder {
  readonly dir = 'memory';
  writes = 0;
  failing = false;
  readonly #files = new Map<string, string>();

  open(): Promise<void> {
    return Promise.resolve();
  }

  read(name: string): Promise<string | undefined> {
    return Promise.resolve(this.#files.get(name));
  }

  write(name: string, content: string): Promise<void> {
    this.writes += 1;
    if (this.failing) return Promise.reject(new Error('disk full'));
    this.#files.set(name, content);
    return Promise.resolve();
  }

  rename(): Promise<void> {
    return Promise.reject(new Error('nobody renames the time'));
  }

  remove(): Promise<void> {
    return Promise.reject(new Error('nobody removes the time'));
  }
}

describe('trusted time', () => {
  let folder: MemoryFolder;
  let log: LogLines;

  beforeEach(() => {
    folder = new MemoryFolder();
    log = new LogLines();
  });

  /** A machine that is switched on, with whatever its clock says. */
  async function boot(wallMs: number): Promise<{ clock: FakeClock; trusted: TrustedClock }> {
    const clock = new FakeClock({ wallMs });
    const trusted = new TrustedClock({ folder, clock, logger: log });
    await trusted.start();
    return { clock, trusted };
  }

  it('is the system’s as long as nothing else is known', async () => {
    const { clock, trusted } = await boot(NOW_MS);
    assert.equal(trusted.wallMs(), NOW_MS);
    assert.equal(trusted.lowerBoundMs(), 0);
    assert.equal(trusted.hubMs(), undefined);
    await clock.advance(HOUR_MS);
    assert.equal(trusted.wallMs(), NOW_MS + HOUR_MS);
    await trusted.stop();
    assert.equal(folder.writes, 0);
  });

  it('is the hub’s from its welcome on, on a machine without a clock', async () => {
    const { clock, trusted } = await boot(0);
    trusted.raise(NOW_MS);
    assert.equal(trusted.wallMs(), NOW_MS);
    await clock.advance(5 * HOUR_MS);
    assert.equal(trusted.wallMs(), NOW_MS + 5 * HOUR_MS);
    assert.equal(trusted.hubMs(), NOW_MS + 5 * HOUR_MS);
    await trusted.stop();
  });

  it('goes on from where it was after a power cut, on a machine without a clock', async () => {
    const first = await boot(0);
    first.trusted.raise(NOW_MS);
    await first.clock.advance(3 * HOUR_MS);
    await first.trusted.stop();
    const second = await boot(0);
    assert.equal(second.trusted.wallMs(), NOW_MS + 3 * HOUR_MS);
    await second.clock.advance(HOUR_MS);
    assert.equal(second.trusted.wallMs(), NOW_MS + 4 * HOUR_MS);
    assert.equal(second.trusted.hubMs(), undefined, 'nothing was heard since');
    await second.trusted.stop();
  });

  it('does not follow a clock that is a year back', async () => {
    const first = await boot(NOW_MS);
    first.trusted.raise(NOW_MS);
    first.clock.jumpWall(-365 * DAY_MS);
    await first.clock.advance(HOUR_MS);
    assert.equal(first.trusted.wallMs(), NOW_MS + HOUR_MS);
    await first.trusted.stop();
    const second = await boot(NOW_MS - 365 * DAY_MS);
    assert.ok(second.trusted.wallMs() >= NOW_MS);
    await second.trusted.stop();
  });

  it('follows a clock that is ahead, and remembers nothing of it', async () => {
    const ahead = await boot(NOW_MS + 365 * DAY_MS);
    assert.equal(ahead.trusted.wallMs(), NOW_MS + 365 * DAY_MS);
    ahead.trusted.raise(NOW_MS);
    assert.equal(ahead.trusted.hubMs(), NOW_MS, 'what a renewal goes by');
    await ahead.clock.advance(2 * DAY_MS);
    await ahead.trusted.stop();
    const corrected = await boot(NOW_MS + 2 * DAY_MS);
    assert.equal(corrected.trusted.wallMs(), NOW_MS + 2 * DAY_MS);
    assert.ok(corrected.trusted.lowerBoundMs() <= NOW_MS + 2 * DAY_MS);
    await corrected.trusted.stop();
  });

  it('never goes back, whatever hubs say', async () => {
    const { trusted } = await boot(0);
    trusted.raise(NOW_MS);
    trusted.raise(NOW_MS - DAY_MS);
    assert.equal(trusted.wallMs(), NOW_MS);
    assert.equal(trusted.hubMs(), NOW_MS - DAY_MS);
    await trusted.stop();
  });

  it('does not believe a time that cannot be', async () => {
    const { trusted } = await boot(0);
    for (const nonsense of [0, -1, NaN, Infinity, Date.UTC(2023, 0, 1), Date.UTC(2101, 0, 1)]) {
      trusted.raise(nonsense);
      trusted.atLeast(nonsense);
    }
    assert.equal(trusted.wallMs(), 0);
    assert.equal(log.lines.length, 6);
    await trusted.stop();
    assert.equal(folder.writes, 0);
  });

  it('takes a bound from something signed, without the disk', async () => {
    const { trusted } = await boot(0);
    trusted.atLeast(NOW_MS);
    assert.equal(trusted.wallMs(), NOW_MS);
    trusted.atLeast(NOW_MS - DAY_MS);
    assert.equal(trusted.wallMs(), NOW_MS);
    assert.equal(folder.writes, 0);
    await trusted.stop();
  });

  it('is written once a day, however often hubs are heard', async () => {
    const { clock, trusted } = await boot(NOW_MS);
    for (let minute = 0; minute < 3 * 24 * 60; minute += 10) {
      trusted.raise(NOW_MS + minute * 60_000);
      await clock.advance(600_000);
    }
    assert.ok(folder.writes >= 3 && folder.writes <= 4, `${folder.writes} writes in three days`);
    await trusted.stop();
    assert.ok(folder.writes <= 5);
    assert.equal(clock.pendingTimers, 0);
  });

  it('is not written by each of many restarts', async () => {
    for (let i = 0; i < 10; i++) {
      const { clock, trusted } = await boot(NOW_MS + i * 60_000);
      trusted.raise(NOW_MS + i * 60_000);
      await clock.advance(60_000);
      await trusted.stop();
    }
    assert.equal(folder.writes, 1);
  });

  it('passes over a file that says nonsense, and writes it anew', async () => {
    for (const text of ['nonsense', '', '1970-01-01T00:00:00Z', '9999-01-01T00:00:00Z']) {
      await folder.write('time', text);
      const { clock, trusted } = await boot(NOW_MS);
      assert.equal(trusted.lowerBoundMs(), 0);
      trusted.raise(NOW_MS);
      await clock.advance(1);
      await trusted.stop();
      assert.match((await folder.read('time')) ?? '', /^2026-06-01T/);
    }
    assert.equal(log.lines.filter((line) => line.includes('nonsense')).length, 4);
  });

  it('goes on when the disk does not', async () => {
    const { clock, trusted } = await boot(0);
    folder.failing = true;
    trusted.raise(NOW_MS);
    await clock.advance(HOUR_MS);
    assert.equal(trusted.wallMs(), NOW_MS + HOUR_MS);
    await trusted.stop();
    assert.match(log.lines.join(), /cannot be written down/);
  });

  it('starts and stops more than once', async () => {
    const { clock, trusted } = await boot(NOW_MS);
    await trusted.start();
    assert.equal(clock.pendingTimers, 1);
    await trusted.stop();
    await trusted.stop();
    await trusted.start();
    assert.equal(clock.pendingTimers, 0);
  });

  it('decides about certificates: one that has ended stays ended when the clock is set back', async () => {
    const authority = await SigningAuthority.create();
    const dates = { notBefore: new Date(NOW_MS - 10 * DAY_MS), notAfter: new Date(NOW_MS - DAY_MS) };
    const { certificate } = await issuedCredentials(authority, dates);
    const { clock, trusted } = await boot(NOW_MS);
    const verify = (): unknown =>
      verifyPeer(certificate.raw, {
        role: 'edge',
        authorities: [authority.certificate],
        wallMs: () => trusted.wallMs(),
      });
    assert.throws(verify, { code: 'ERR_TUNNEL_CERT_EXPIRED' });
    clock.jumpWall(-5 * DAY_MS);
    assert.ok(verify(), 'as long as only the clock is asked, it can be fooled');
    trusted.raise(NOW_MS);
    assert.throws(verify, { code: 'ERR_TUNNEL_CERT_EXPIRED' });
    await trusted.stop();
  });
});
