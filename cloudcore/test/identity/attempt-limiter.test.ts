import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { addressKey, AttemptLimiter } from '../../src/identity/attempt-limiter.ts';

describe('a limit on attempts', () => {
  it('lets a burst through, and then one at a time', async () => {
    const clock = new FakeClock();
    const limiter = new AttemptLimiter({ burst: 3, refillMs: 1000, maxKeys: 10, clock });
    for (let i = 0; i < 3; i++) {
      assert.equal(limiter.waitMs('a'), 0);
      limiter.count('a');
    }
    assert.equal(limiter.waitMs('a'), 1000);
    assert.equal(limiter.waitMs('b'), 0, 'others are not concerned');
    await clock.advance(400);
    assert.equal(limiter.waitMs('a'), 600);
    await clock.advance(600);
    assert.equal(limiter.waitMs('a'), 0);
    limiter.count('a');
    assert.equal(limiter.waitMs('a'), 1000);
  });

  it('does not punish for longer than a full bucket takes', async () => {
    const clock = new FakeClock();
    const limiter = new AttemptLimiter({ burst: 2, refillMs: 1000, maxKeys: 10, clock });
    for (let i = 0; i < 100; i++) limiter.count('a');
    await clock.advance(1000);
    assert.equal(limiter.waitMs('a'), 0);
  });

  it('forgets who was quiet for longest', () => {
    const limiter = new AttemptLimiter({ burst: 1, refillMs: 1000, maxKeys: 2, clock: new FakeClock() });
    for (const key of ['a', 'b', 'a', 'c']) limiter.count(key);
    assert.equal(limiter.size, 2);
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => limiter.waitMs(key) > 0),
      [true, false, true],
    );
  });
});

describe('the address that counts', () => {
  const cases: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['unknown', 'unknown'],
  ];
  for (const [address, key] of cases) {
    it(`of ${address} is ${key}`, () => assert.equal(addressKey(address), key));
  }
});
