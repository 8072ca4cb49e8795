import assert from 'node:assert/strict';
import { ClusterGuard, type AcceptedCluster, type ClusterIdentity } from '../../src/index.ts';

/** What an edge remembers, and a disk that can fail. */
class Memory implements AcceptedCluster {
  accepted: ClusterIdentity | undefined;
  saves = 0;
  fails = false;

  load(): ClusterIdentity | undefined {
    return this.accepted;
  }

  save(identity: ClusterIdentity): Promise<void> {
    if (this.fails) return Promise.reject(new Error('the disk is full'));
    this.saves += 1;
    this.accepted = identity;
    return Promise.resolve();
  }
}

const HOME = { clusterUid: 'uid-1', incarnation: 'life-1' };

describe('The cluster guard', () => {
  it('takes the first cluster, durably, and goes on with it', async () => {
    const memory = new Memory();
    const guard = new ClusterGuard(memory);
    assert.deepEqual(await guard.judge(HOME), { go: true });
    assert.deepEqual(memory.accepted, HOME);
    assert.deepEqual(await guard.judge(HOME), { go: true });
    assert.equal(memory.saves, 1);
    assert.deepEqual(await new ClusterGuard(memory).judge(HOME), { go: true });
  });

  it('does not go on with a cluster that it cannot remember', async () => {
    const memory = new Memory();
    memory.fails = true;
    await assert.rejects(new ClusterGuard(memory).judge(HOME), /full/);
    assert.equal(memory.accepted, undefined);
  });

  it('holds another cluster until an operator accepts it', async () => {
    const memory = new Memory();
    const guard = new ClusterGuard(memory);
    await guard.judge(HOME);
    const other = { clusterUid: 'uid-2', incarnation: 'life-1' };
    const verdict = await guard.judge({ ...other, follows: ['life-1'] });
    assert.equal(verdict.go, false);
    assert.match(verdict.why, /uid-2.*uid-1/);
    assert.deepEqual(guard.held, other);
    assert.deepEqual(memory.accepted, HOME);
    assert.deepEqual(await guard.accept(), other);
    assert.deepEqual(memory.accepted, other);
    assert.deepEqual(await guard.judge(other), { go: true });
    assert.equal((await guard.judge(HOME)).go, false);
  });

  it('holds another life of its cluster', async () => {
    const memory = new Memory();
    const guard = new ClusterGuard(memory);
    await guard.judge(HOME);
    const verdict = await guard.judge({ clusterUid: 'uid-1', incarnation: 'life-2' });
    assert.match(verdict.go ? '' : verdict.why, /life-2.*life-1/);
    assert.deepEqual(memory.accepted, HOME);
    // Home again, by another hub.
    assert.deepEqual(await guard.judge(HOME), { go: true });
    assert.equal(guard.held, undefined);
    assert.equal(await guard.accept(), undefined);
    assert.deepEqual(memory.accepted, HOME);
  });

  it('goes on with a life that was accepted in the cloud for what it knows', async () => {
    const memory = new Memory();
    const guard = new ClusterGuard(memory);
    await guard.judge(HOME);
    const next = { clusterUid: 'uid-1', incarnation: 'life-3' };
    assert.equal((await guard.judge({ ...next, follows: ['life-2'] })).go, false);
    assert.equal((await guard.judge({ ...next, follows: ['life-1', 'life-2'] })).go, true);
    assert.deepEqual(memory.accepted, next);
  });

  it('goes on with nobody who does not say who it is', async () => {
    const memory = new Memory();
    for (const claim of [
      { clusterUid: '', incarnation: 'life-1' },
      { clusterUid: 'uid-1', incarnation: '' },
    ]) {
      const guard = new ClusterGuard(memory);
      assert.equal((await guard.judge(claim)).go, false);
      assert.equal(await guard.accept(), undefined);
    }
    assert.equal(memory.accepted, undefined);
  });

  it('still holds when the acceptance cannot be kept', async () => {
    const memory = new Memory();
    const guard = new ClusterGuard(memory);
    await guard.judge(HOME);
    await guard.judge({ clusterUid: 'uid-2', incarnation: 'life-1' });
    memory.fails = true;
    await assert.rejects(guard.accept(), /full/);
    assert.equal(guard.held?.clusterUid, 'uid-2');
    assert.deepEqual(memory.accepted, HOME);
  });
});
