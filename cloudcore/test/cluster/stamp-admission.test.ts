import assert from 'node:assert/strict';
import { deferred } from '@hawser/seams';
import { StampGuard } from '../../src/cluster/stamp-guard.ts';
import { Stamps } from '../../src/cluster/stamps.ts';

// Rule 3 of docs/sync.md: a replica whose watches lag would take back what another one has given.
describe('An edge with a stamp, and a replica that lags', () => {
  const stamps = new Stamps({ key: new Uint8Array(32), life: () => ({ uid: 'u', incarnation: 'i' }) });
  const signal = new AbortController().signal;

  function admission(seen: string) {
    const caughtUp = deferred();
    let asked = 0;
    const guard = new StampGuard({
      stamps,
      currentVersion: () => Promise.resolve('100'),
      seenVersion: () => Promise.resolve(seen),
      onRollback: () => Promise.reject(new Error('nothing went back')),
    });
    const view = {
      catchUp: () => {
        asked += 1;
        return caughtUp.promise;
      },
    };
    return { caughtUp, asked: () => asked, admit: (stamp: Uint8Array) => guard.admitTo(view, stamp, signal) };
  }

  it('is let in once the view has caught up', async () => {
    const { caughtUp, asked, admit } = admission('50');
    let admitted = false;
    const admitting = admit(stamps.issue('51')).then(() => (admitted = true));
    await new Promise(setImmediate);
    assert.deepEqual([asked(), admitted], [1, false]);
    caughtUp.resolve();
    await admitting;
    assert.equal(admitted, true);
  });

  it('is let in at once where the replica has seen as much, or there is nothing to go by', async () => {
    const { asked, admit } = admission('50');
    await admit(stamps.issue('50'));
    await admit(new Uint8Array(0));
    await admit(new Uint8Array(33));
    assert.equal(asked(), 0);
  });

  it('is not let in where the view cannot catch up', async () => {
    const { caughtUp, admit } = admission('50');
    caughtUp.reject(new Error('too far behind'));
    await assert.rejects(admit(stamps.issue('51')), /too far behind/);
  });
});
