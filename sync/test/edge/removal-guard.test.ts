import assert from 'node:assert/strict';
import { RemovalGuard } from '../../src/edge/removal-guard.ts';

const KEYS = Array.from({ length: 20 }, (_, n) => `pods/default/p${n}`);

/** Asks for the removal of `n` of `count`, and carries it out if it is allowed. */
function remove(guard: RemovalGuard, from: number, n: number, count: number, nowMs: number): boolean {
  const counted = KEYS.slice(from, from + n);
  if (!guard.allows({ counted, uncounted: 0, alsoHeld: 0, count }, nowMs)) return false;
  guard.applied({ before: count, after: count - n, counted, uncounted: 0, put: [] }, nowMs);
  return true;
}

describe('The guard against mass removals', () => {
  it('lets half of a scope go, and not one more', () => {
    assert.equal(remove(new RemovalGuard(), 0, 5, 10, 0), true);
    assert.equal(remove(new RemovalGuard(), 0, 6, 10, 0), false);
    assert.equal(remove(new RemovalGuard(), 0, 1, 1, 0), false);
    assert.equal(remove(new RemovalGuard(), 0, 1, 2, 0), true);
  });

  it('adds up what goes within a minute', () => {
    const guard = new RemovalGuard();
    assert.equal(remove(guard, 0, 3, 10, 1_000), true);
    assert.equal(remove(guard, 3, 2, 7, 30_000), true);
    assert.equal(remove(guard, 5, 1, 5, 59_000), false);
  });

  it('forgets after a minute what went, and what there was, together', () => {
    const guard = new RemovalGuard();
    assert.equal(remove(guard, 0, 5, 10, 1_500), true);
    assert.equal(remove(guard, 5, 1, 5, 60_900), false);
    assert.equal(remove(guard, 5, 2, 5, 62_001), true);
    assert.equal(remove(guard, 7, 1, 3, 62_002), false);
  });

  it('measures by the most that there was within the minute', () => {
    const guard = new RemovalGuard();
    guard.applied({ before: 0, after: 20, counted: [], uncounted: 0, put: KEYS }, 0);
    assert.equal(remove(guard, 0, 10, 20, 1_000), true);
    assert.equal(remove(guard, 10, 1, 10, 2_000), false);
  });

  it('does not count what has come back', () => {
    const guard = new RemovalGuard();
    for (let n = 0; n < 20; n += 1) {
      assert.equal(remove(guard, 0, 1, 4, n * 100), true, `${n}`);
      guard.applied({ before: 3, after: 4, counted: [], uncounted: 0, put: [KEYS[0] ?? ''] }, n * 100 + 50);
    }
  });

  it('counts what is held back already', () => {
    const guard = new RemovalGuard();
    assert.equal(guard.allows({ counted: KEYS.slice(0, 1), uncounted: 0, alsoHeld: 4, count: 10 }, 0), true);
    assert.equal(guard.allows({ counted: KEYS.slice(0, 1), uncounted: 0, alsoHeld: 5, count: 10 }, 0), false);
  });

  it('does not let removals that need no question hide others', () => {
    const guard = new RemovalGuard();
    // Of ten, seven pods were marked for deletion: what is left is three.
    guard.applied({ before: 10, after: 3, counted: [], uncounted: 7, put: [] }, 0);
    assert.equal(remove(guard, 0, 2, 3, 1_000), false);
    assert.equal(remove(guard, 0, 1, 3, 1_000), true);
    const together = new RemovalGuard();
    assert.equal(
      together.allows({ counted: KEYS.slice(0, 2), uncounted: 7, alsoHeld: 0, count: 10 }, 0),
      false,
    );
    assert.equal(
      together.allows({ counted: KEYS.slice(0, 1), uncounted: 7, alsoHeld: 0, count: 10 }, 0),
      true,
    );
  });

  it('begins anew after a confirmation', () => {
    const guard = new RemovalGuard();
    guard.applied({ before: 10, after: 2, counted: [], uncounted: 8, put: [] }, 0);
    guard.confirmed();
    assert.equal(remove(guard, 0, 1, 2, 1_000), true);
    assert.equal(remove(guard, 1, 1, 1, 2_000), false);
  });
});
