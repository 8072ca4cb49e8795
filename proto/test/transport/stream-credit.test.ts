import assert from 'node:assert/strict';
import { StreamCredit } from '../../src/transport/stream-credit.ts';

/** Which of these promises have settled by now. */
async function settled(promises: readonly Promise<unknown>[]): Promise<boolean[]> {
  const flags = promises.map(() => false);
  promises.forEach((promise, i) => {
    const mark = (): void => {
      flags[i] = true;
    };
    promise.then(mark, mark);
  });
  await new Promise((resolve) => setImmediate(resolve));
  return flags;
}

describe('StreamCredit', () => {
  it('lets as many pass as there is credit, and the rest in order as more comes', async () => {
    const credit = new StreamCredit(2);
    const places = Array.from({ length: 5 }, () => credit.take());
    assert.deepEqual(await settled(places), [true, true, false, false, false]);
    credit.add(1);
    assert.deepEqual(await settled(places), [true, true, true, false, false]);
    credit.add(2);
    assert.deepEqual(await settled(places), [true, true, true, true, true]);
  });

  it('keeps what nobody waits for', async () => {
    const credit = new StreamCredit(0);
    credit.add(2);
    const places = [credit.take(), credit.take(), credit.take()];
    assert.deepEqual(await settled(places), [true, true, false]);
    credit.add(1);
    await Promise.all(places);
  });

  it('does not count whoever stopped waiting', async () => {
    const credit = new StreamCredit(0);
    const abort = new AbortController();
    const first = credit.take(abort.signal);
    const second = credit.take();
    const reason = new Error('no more patience');
    abort.abort(reason);
    await assert.rejects(first, reason);
    credit.add(1);
    await second;
    await assert.rejects(credit.take(abort.signal), reason);
  });

  it('loses no credit to an abort that comes just after it was given', async () => {
    const credit = new StreamCredit(0);
    const abort = new AbortController();
    const first = credit.take(abort.signal);
    const second = credit.take();
    credit.add(1);
    abort.abort(new Error('too late'));
    await first; // it has the credit, and whoever asked decides what to do with it
    credit.add(1);
    await second;
  });

  it('fails those who wait and those who come later, with the first failure', async () => {
    const credit = new StreamCredit(0);
    const waiting = credit.take();
    const failure = new Error('the connection ended');
    credit.fail(failure);
    credit.fail(new Error('again'));
    await assert.rejects(waiting, failure);
    credit.add(5);
    await assert.rejects(credit.take(), failure);
  });

  it('says when the sum is beyond reason', () => {
    const credit = new StreamCredit(0);
    assert.equal(credit.add(2 ** 20), true);
    assert.equal(credit.add(1), false);
  });
});
