import assert from 'node:assert/strict';
import { sampleContent } from '../../testing/index.ts';
import { full, removed, ReplicaBench } from './replica-bench.ts';

const CMS = Array.from({ length: 4 }, (_, n) => sampleContent(`configmaps/default/c${n}`, `text ${n}`));
const KEYS = CMS.map(({ key }) => key);
const PODS = Array.from({ length: 4 }, (_, n) =>
  sampleContent(`pods/default/p${n}`, `{"metadata":{"name":"p${n}"}}`),
);
const DELETED = PODS.map(({ key }) =>
  sampleContent(key, '{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"}}'),
);

describe('A replica that is told to remove most of what it has', () => {
  it('holds it back, says so, and carries everything else of the batch out', async () => {
    const bench = await (await new ReplicaBench().has(CMS)).open();
    const fresh = sampleContent('configmaps/default/new', 'new');
    await bench.batch([...CMS.slice(0, 3).map(removed), full(fresh)]);
    assert.deepEqual(bench.said(), ['held 1 3/5', 'ack 1']);
    assert.deepEqual(bench.keys, [...KEYS, fresh.key].sort());
    assert.equal(bench.synced, 0);
    const { heldRemovals, synced } = bench.replica.state;
    assert.deepEqual([heldRemovals, synced], [3, false]);
    await bench.say({ inSync: { stamp: Uint8Array.of(9) } });
    assert.equal(bench.synced, 0);
  });

  it('removes it once it is confirmed', async () => {
    const bench = await (await new ReplicaBench().has(CMS)).open();
    await bench.batch(CMS.map(removed));
    assert.deepEqual(bench.said(), ['held 1 4/4', 'ack 1']);
    await bench.say({ confirmRemovals: { id: 1 } });
    assert.deepEqual(bench.keys, []);
    await bench.say({ inSync: { stamp: Uint8Array.of(9) } });
    assert.equal(bench.synced, 1);
    assert.deepEqual(bench.said(), []);
    assert.equal(bench.replica.counters().removes, 4);
  });

  it('keeps what is wanted again', async () => {
    const bench = await (await new ReplicaBench().has(CMS)).open();
    await bench.batch(CMS.map(removed));
    const [first] = CMS;
    assert.ok(first !== undefined);
    await bench.batch([full(first)], { inSync: false });
    await bench.say({ confirmRemovals: { id: 1 } });
    assert.deepEqual(bench.keys, [first.key]);
  });

  it('is not confirmed by a confirmation of nothing that is held any more', async () => {
    const bench = await (await new ReplicaBench().has(CMS)).open();
    await bench.batch(CMS.slice(0, 2).map(removed));
    await bench.batch(CMS.slice(2).map(removed));
    assert.deepEqual(bench.said(), ['ack 1', 'held 1 2/2', 'ack 2']);
    await bench.batch(CMS.slice(2).map(full));
    await bench.say({ confirmRemovals: { id: 1 } });
    await bench.batch(CMS.slice(2, 3).map(removed));
    assert.deepEqual(bench.said(), ['ack 3', 'held 2 1/2', 'ack 5']);
  });

  it('holds what comes later under its own number', async () => {
    const bench = await (await new ReplicaBench().has(CMS)).open();
    await bench.batch(CMS.slice(0, 3).map(removed));
    await bench.batch(CMS.slice(2).map(removed));
    assert.deepEqual(bench.said(), ['held 1 3/4', 'ack 1', 'held 2 4/4', 'ack 2']);
    await bench.say({ confirmRemovals: { id: 1 } });
    assert.deepEqual(bench.keys, [KEYS[3]]);
    await bench.say({ confirmRemovals: { id: 2 } });
    assert.deepEqual(bench.keys, []);
  });

  it('holds it when it comes bit by bit, or over several sessions', async () => {
    const bench = await (await new ReplicaBench().has(CMS)).open();
    for (const content of CMS.slice(0, 2)) await bench.batch([removed(content)]);
    bench.session?.end();
    await bench.open();
    await bench.clock.advance(30_000);
    await bench.batch(CMS.slice(2, 3).map(removed));
    assert.deepEqual(bench.said(), ['held 1 1/2', 'ack 1']);
    // Another session knows nothing of what this one held.
    await bench.open();
    assert.equal(bench.replica.state.heldRemovals, 0);
    await bench.clock.advance(61_000);
    await bench.batch(CMS.slice(2, 3).map(removed));
    assert.deepEqual(bench.said(), ['ack 1']);
  });

  it('lets pods go that were marked for deletion', async () => {
    const bench = await (await new ReplicaBench().has([...DELETED, ...CMS])).open();
    await bench.batch([...DELETED.map(removed), ...CMS.slice(0, 2).map(removed)]);
    assert.deepEqual(bench.said(), ['ack 1']);
    assert.deepEqual(bench.keys, KEYS.slice(2));
  });

  it('does not let pods go that were not, nor what says so and is no pod', async () => {
    const bench = await (await new ReplicaBench().has(PODS)).open();
    await bench.batch(PODS.map(removed));
    assert.deepEqual(bench.said(), ['held 1 4/4', 'ack 1']);
    const other = KEYS.map((key) => sampleContent(key, '{"metadata":{"deletionTimestamp":"x"}}'));
    const maps = await (await new ReplicaBench().has(other)).open();
    await maps.batch(other.map(removed));
    assert.deepEqual(maps.said(), ['held 1 4/4', 'ack 1']);
  });

  it('holds a pod that it cannot read', async () => {
    for (const read of [
      () => Promise.reject(new Error('the disk cannot read')),
      () => Promise.resolve(undefined),
      () => Promise.resolve(Buffer.from('{')),
      () => Promise.resolve(Buffer.from('null')),
    ]) {
      const bench = await (await new ReplicaBench().has(DELETED)).open();
      bench.store.read = read;
      await bench.batch(DELETED.map(removed));
      assert.deepEqual(bench.said(), ['held 1 4/4', 'ack 1']);
    }
  });

  it('carries a confirmation out as soon as the disk lets it', async () => {
    const bench = await (await new ReplicaBench().has(CMS)).open();
    await bench.batch(CMS.map(removed));
    bench.flush = () => Promise.reject(new Error('the disk is full'));
    await bench.say({ confirmRemovals: { id: 1 } });
    assert.equal(bench.keys.length, 4);
    bench.flush = () => Promise.resolve();
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.keys, []);
    assert.equal(bench.replica.state.heldRemovals, 0);
  });
});
