import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import type { UpstreamAnswers, UpstreamBodies } from '@hawser/sync';
import type { Pod } from '../../src/pods/pod.ts';
import type { TokenProjection } from '../../src/pods/volume-source.ts';
import { TokenManager } from '../../src/tokens/token-manager.ts';
import { makePod, MemoryJsonState } from '../../testing/index.ts';

const HOUR = 3_600_000;

function podWith(name: string, ...tokens: TokenProjection[]): Pod {
  const sources = tokens.map((serviceAccountToken) => ({ serviceAccountToken }));
  return makePod(name, { spec: { volumes: [{ name: 't', projected: { sources } }, { name: 'other' }] } });
}

describe('TokenManager', () => {
  let clock: FakeClock;
  let state: MemoryJsonState;
  let asked: UpstreamBodies['token-request'][];
  let refused: string[];
  let told: string[];
  let answer: (body: UpstreamBodies['token-request']) => Promise<UpstreamAnswers['token-request']>;
  let manager: TokenManager;

  function make(): TokenManager {
    return new TokenManager({
      state,
      request: (body) => {
        asked.push(body);
        return answer(body);
      },
      onToken: (uid) => told.push(uid),
      onRefused: (wanted, message) => refused.push(`${wanted.podName}: ${message}`),
      clock,
      wallMs: () => clock.wallMs(),
      random: { next: () => 0.5 },
      log: silentLogger,
    });
  }

  const granted = (lifetimeMs = HOUR): UpstreamAnswers['token-request'] => ({
    token: `token-${asked.length}`,
    expirationTimestamp: new Date(clock.wallMs() + lifetimeMs).toISOString(),
  });

  beforeEach(async () => {
    clock = new FakeClock();
    state = new MemoryJsonState();
    asked = [];
    refused = [];
    told = [];
    answer = () => Promise.resolve(granted());
    manager = make();
    await manager.start();
  });
  afterEach(() => manager.stop());

  it('asks for each token that a volume needs, once', async () => {
    manager.setConnected(true);
    const pod = podWith(
      'a',
      { path: 'x' },
      { path: 'y' },
      { path: 'z', audience: 'vault', expirationSeconds: 600 },
    );
    manager.update([pod, makePod('none')]);
    await eventually('both are there', () => manager.counts().kept === 2);
    assert.deepEqual(
      asked.map(({ audiences, expirationSeconds, serviceAccount, podUid }) => ({
        audiences,
        expirationSeconds,
        serviceAccount,
        podUid,
      })),
      [
        { audiences: [], expirationSeconds: 3600, serviceAccount: 'default', podUid: 'uid-a' },
        { audiences: ['vault'], expirationSeconds: 600, serviceAccount: 'default', podUid: 'uid-a' },
      ],
    );
    assert.match(manager.get('uid-a')?.token ?? '', /^token-/);
    assert.notEqual(manager.get('uid-a', { audience: 'vault', expirationSeconds: 600 }), undefined);
    assert.equal(manager.get('uid-b'), undefined);
    assert.deepEqual(told, ['uid-a', 'uid-a']);
    assert.equal(state.secrets.size, 2, 'they are kept as secrets');
    manager.update([pod]);
    await clock.advance(60_000);
    assert.equal(asked.length, 2);
  });

  it('asks when there is a session, and not before', async () => {
    manager.update([podWith('a', { path: 'x' })]);
    await clock.advance(HOUR);
    assert.equal(asked.length, 0);
    assert.deepEqual(manager.counts(), { kept: 0, missing: 1, expired: 0 });
    manager.setConnected(true);
    await eventually('it is there', () => manager.counts().kept === 1);
  });

  it('renews at four fifths of the lifetime, and after a day at the latest', async () => {
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' })]);
    await eventually('it is there', () => manager.counts().kept === 1);
    await clock.advance(0.77 * HOUR);
    assert.equal(asked.length, 1);
    answer = () => Promise.resolve(granted(30 * 24 * HOUR));
    await clock.advance(0.03 * HOUR);
    await eventually('it was renewed', () => told.length === 2);
    await clock.advance(23 * HOUR);
    assert.equal(asked.length, 2);
    await clock.advance(HOUR);
    assert.equal(asked.length, 3);
  });

  it('keeps what has expired while there was no cloud, says so, and renews it first', async () => {
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' })]);
    await eventually('it is there', () => manager.counts().kept === 1);
    manager.setConnected(false);
    await clock.advance(24 * HOUR);
    assert.equal(manager.get('uid-a')?.token, 'token-1');
    assert.equal(manager.get('uid-a')?.expired, true);
    assert.deepEqual(manager.counts(), { kept: 1, missing: 0, expired: 1 });
    manager.setConnected(true);
    await eventually('it was renewed', () => manager.get('uid-a')?.expired === false);
  });

  it('has its tokens after a restart, without a cloud', async () => {
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' })]);
    await eventually('it is there', () => manager.counts().kept === 1);
    await manager.stop();
    manager = make();
    await manager.start();
    manager.update([podWith('a', { path: 'x' })]);
    assert.equal(manager.get('uid-a')?.token, 'token-1');
    manager.setConnected(true);
    await clock.advance(60_000);
    assert.equal(asked.length, 1, 'it is good for a while');
  });

  it('forgets what no pod needs', async () => {
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' }), podWith('b', { path: 'x' })]);
    await eventually('both are there', () => manager.counts().kept === 2);
    manager.update([podWith('b', { path: 'x' })]);
    assert.equal(manager.get('uid-a'), undefined);
    await eventually('it is gone from the disk', () => state.values.size === 1);
  });

  it('forgets nothing while some pods cannot be told: they are being read from the disk', async () => {
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' }), podWith('b', { path: 'x' })]);
    await eventually('both are there', () => manager.counts().kept === 2);
    manager.update([podWith('b', { path: 'x' })], false);
    await clock.advance(1_000);
    assert.match(manager.get('uid-a')?.token ?? '', /^token-/);
    assert.equal(state.values.size, 2);
  });

  it('forgets what comes for a pod that has gone meanwhile', async () => {
    let release = (): void => {};
    answer = () => new Promise((resolve) => (release = () => resolve(granted())));
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' })]);
    await eventually('it was asked for', () => asked.length === 1);
    manager.update([]);
    release();
    await clock.advance(1_000);
    assert.equal(state.values.size, 0);
    assert.equal(manager.counts().kept, 0);
  });

  it('tries again with back-off when it is refused, and tells', async () => {
    answer = () => Promise.reject(new Error('403 forbidden'));
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' })]);
    await clock.advance(60_000);
    assert.ok(asked.length > 3 && asked.length < 12, `${asked.length} attempts in a minute`);
    assert.equal(refused[0], 'a: 403 forbidden');
    answer = () => Promise.resolve({ token: '', expirationTimestamp: 'soon' });
    await clock.advance(300_000);
    assert.match(refused.at(-1) ?? '', /no token/);
    answer = () => Promise.resolve(granted());
    await clock.advance(300_000);
    assert.equal(manager.counts().kept, 1);
  });

  it('asks at once in a new session for what failed before', async () => {
    answer = () => Promise.reject(new Error('later'));
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' })]);
    await clock.advance(600_000);
    manager.setConnected(false);
    const { length } = asked;
    answer = () => Promise.resolve(granted());
    manager.setConnected(true);
    await eventually('it is there', () => manager.counts().kept === 1);
    assert.equal(asked.length, length + 1);
  });

  it('asks for four at a time', async () => {
    const release: (() => void)[] = [];
    answer = () => new Promise((resolve) => release.push(() => resolve(granted())));
    manager.setConnected(true);
    manager.update(Array.from({ length: 10 }, (_, n) => podWith(`p${n}`, { path: 'x' })));
    await clock.advance(1_000);
    assert.equal(asked.length, 4);
    while (manager.counts().kept < 10) {
      for (const go of release.splice(0)) go();
      await clock.advance(1);
      assert.ok(release.length <= 4);
    }
  });

  it('leaves no timer behind', async () => {
    manager.setConnected(true);
    manager.update([podWith('a', { path: 'x' })]);
    await eventually('it is there', () => manager.counts().kept === 1);
    await manager.stop();
    await manager.stop();
    assert.equal(clock.pendingTimers, 0);
  });
});
