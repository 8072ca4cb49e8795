import assert from 'node:assert/strict';
import { Backoff, seededRandom } from '../src/index.ts';

describe('Backoff', () => {
  const upper = { next: () => 1 - Number.EPSILON };

  it('doubles the ceiling up to the cap', () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 500, random: upper });
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => Math.round(backoff.nextMs())),
      [100, 200, 400, 500, 500],
    );
    assert.equal(backoff.attempts, 5);
  });

  it('starts over after a reset', () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 500, random: upper });
    backoff.nextMs();
    backoff.nextMs();
    backoff.reset();
    assert.equal(Math.round(backoff.nextMs()), 100);
  });

  it('stays finite after thousands of failures', () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 5000, random: upper });
    for (let i = 0; i < 5000; i++) backoff.nextMs();
    assert.ok(backoff.nextMs() <= 5000);
  });

  it('obeys a cap that is raised while running', () => {
    const backoff = new Backoff({ baseMs: 100, capMs: 200, random: upper });
    for (let i = 0; i < 10; i++) backoff.nextMs();
    backoff.capMs = 60_000;
    assert.ok(backoff.nextMs() > 50_000);
  });

  it('spreads delays over the whole range', () => {
    const backoff = new Backoff({ baseMs: 1000, capMs: 1000, random: seededRandom(7) });
    const delays = Array.from({ length: 1000 }, () => backoff.nextMs());
    const mean = delays.reduce((sum, d) => sum + d, 0) / delays.length;
    assert.ok(mean > 450 && mean < 550, `mean ${mean}`);
    assert.ok(Math.min(...delays) < 20 && Math.max(...delays) > 980);
  });
});
