import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { silentLogger } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import type { EdgeStore } from '../../src/store/edge-store.ts';
import { ReplicaWholeness } from '../../src/store/replica-wholeness.ts';
import { put, SCOPE, StoreFolder } from './store-folder.ts';

const POD = 'pods/default/a';

describe('ReplicaWholeness', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  async function wholenessOf(store: EdgeStore): Promise<ReplicaWholeness> {
    const wholeness = new ReplicaWholeness({ store, scope: SCOPE, log: silentLogger });
    await wholeness.start();
    return wholeness;
  }

  /** As a comparison with the hub leaves it. */
  async function sync(store: EdgeStore, wholeness: ReplicaWholeness): Promise<void> {
    await store.replica.apply(SCOPE, [put(POD, 'a pod')], { normalForm: 1, stamp: Uint8Array.of(7) });
    wholeness.synced();
    await eventually('forgotten', () => store.state.keys().length === 0);
  }

  it('is not sure of a store that never was in sync, and is sure of one that was, over restarts', async () => {
    const store = await folder.open();
    const first = await wholenessOf(store);
    assert.equal(first.mayLack, true);
    await sync(store, first);
    assert.equal(first.mayLack, false);
    assert.equal((await wholenessOf(await folder.reopen())).mayLack, false);
  });

  for (const [name, damage] of [
    ['is gone', (file: string) => rm(file)],
    ['cannot be read at all', (file: string) => writeFile(file, Buffer.alloc(8192, 0xa5))],
  ] as const) {
    it(`is not sure where the file ${name}, whatever ends the process, until it was in sync again`, async () => {
      const before = await folder.open();
      await sync(before, await wholenessOf(before));
      await folder.close();
      await damage(folder.file('edge.db'));
      const store = await folder.open();
      assert.equal(store.replica.entries(SCOPE).size, 0);
      assert.equal(store.lost(SCOPE).size, 0, 'nobody knows what was in it');
      assert.equal((await wholenessOf(store)).mayLack, true);
      // The next life finds a file that is in order.
      const next = await folder.reopen();
      assert.deepEqual(next.openReport.findings, []);
      const wholeness = await wholenessOf(next);
      assert.equal(wholeness.mayLack, true);
      await sync(next, wholeness);
      assert.equal(wholeness.mayLack, false);
    });
  }

  it('remembers what was lost while the store was open', async () => {
    const store = await folder.open();
    const wholeness = await wholenessOf(store);
    await sync(store, wholeness);
    wholeness.damaged();
    assert.equal(wholeness.mayLack, true);
    await eventually('written down', () => store.state.keys().length === 1);
    assert.equal((await wholenessOf(await folder.reopen())).mayLack, true);
  });

  it('is not made sure by a comparison that was over before what was lost came back', async () => {
    const store = await folder.open();
    const whole = await wholenessOf(store);
    await sync(store, whole);
    const lost = new Set([POD]);
    const { replica, state, openReport } = store;
    const damaged = { replica, state, openReport, lost: () => lost };
    const wholeness = new ReplicaWholeness({ store: damaged, scope: SCOPE, log: silentLogger });
    wholeness.damaged();
    wholeness.synced();
    lost.clear();
    assert.equal(wholeness.mayLack, true);
    wholeness.synced();
    assert.equal(wholeness.mayLack, false);
  });
});
