import assert from 'node:assert/strict';
import { deferred, type Deferred } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { SharedPulls } from '../../src/images/shared-pulls.ts';

describe('SharedPulls', () => {
  let clock: FakeClock;
  let pulls: SharedPulls;
  /** Pulls that have begun and not ended. */
  let begun: Map<string, Deferred<string> & { readonly signal: AbortSignal }>;
  const never = new AbortController().signal;

  beforeEach(() => {
    clock = new FakeClock();
    pulls = new SharedPulls({ limit: 2, clock });
    begun = new Map();
  });

  const pull = (name: string, ...signals: readonly AbortSignal[]): Promise<string> =>
    pulls
      .pull(
        name,
        (signal) => {
          const result = deferred<string>();
          begun.set(name, { ...result, signal });
          signal.addEventListener('abort', () => result.reject(signal.reason));
          return result.promise;
        },
        signals.length === 0 ? [never] : signals,
      )
      .then(({ ref, pullMs }) => `${ref} ${pullMs}`);
  const end = async (name: string): Promise<void> => {
    begun.get(name)?.resolve(`${name}!`);
    begun.delete(name);
    await turn();
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('pulls a few at a time, in the order in which they came', async () => {
    const all = ['a', 'b', 'c', 'd'].map((name) => pull(name));
    await turn();
    assert.deepEqual([...begun.keys()], ['a', 'b']);
    await clock.advance(30);
    await end('b');
    assert.deepEqual([...begun.keys()], ['a', 'c']);
    await clock.advance(12);
    await end('a');
    await end('c');
    await end('d');
    assert.deepEqual(await Promise.all(all), ['a! 42', 'b! 30', 'c! 12', 'd! 0']);
  });

  it('pulls once for all who want the same', async () => {
    const all = [pull('a'), pull('a'), pull('a')];
    await turn();
    assert.equal(begun.size, 1);
    await end('a');
    assert.deepEqual(await Promise.all(all), ['a! 0', 'a! 0', 'a! 0']);
    const later = pull('a');
    await turn();
    assert.equal(begun.size, 1);
    await end('a');
    await later;
  });

  it('fails for all who want the same, and begins anew for the next', async () => {
    const all = [pull('a'), pull('a')];
    await turn();
    begun.get('a')?.reject(new Error('broken'));
    for (const each of all) await assert.rejects(each, /broken/);
    const again = pull('a');
    await turn();
    await end('a');
    await again;
  });

  it('goes on while one of them waits, and is given up when none does', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const [one, two] = [pull('a', first.signal), pull('a', never, second.signal)];
    await turn();
    const signals = [...begun.values()].map(({ signal }) => signal);
    first.abort(new Error('first left'));
    await assert.rejects(one, /first left/);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [false],
    );
    second.abort(new Error('second left'));
    await assert.rejects(two, /second left/);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [true],
    );
  });

  it('begins anew for one that comes after the others have left', async () => {
    const leaving = new AbortController();
    const left = pull('a', leaving.signal);
    await turn();
    leaving.abort(new Error('left'));
    const later = pull('a');
    await assert.rejects(left, /left/);
    await turn();
    await end('a');
    assert.equal(await later, 'a! 0');
  });

  it('leaves the queue, and makes room for the next', async () => {
    const leaving = new AbortController();
    const [a, b] = [pull('a'), pull('b')];
    const waiting = pull('c', leaving.signal);
    const d = pull('d');
    await turn();
    leaving.abort(new Error('left'));
    await assert.rejects(waiting, /left/);
    await end('a');
    assert.deepEqual([...begun.keys()], ['b', 'd']);
    await end('b');
    await end('d');
    await Promise.all([a, b, d]);
  });

  it('does not begin for a signal that is aborted', async () => {
    await assert.rejects(pull('a', AbortSignal.abort(new Error('too late'))), /too late/);
    assert.equal(begun.size, 0);
  });
});
