import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { silentLogger } from '@hawser/seams';
import { sampleContent } from '@hawser/sync/testing';
import { message, put, SCOPE, StoreFolder, textsOf } from './store-folder.ts';

describe('EdgeStore: bounds', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  /** Content that does not deflate. */
  function noise(n: number): string {
    return `${n} ${randomBytes(30_000).toString('base64')}`;
  }

  it('refuses what goes over its limit, does nothing of it, and goes on when there is room', async () => {
    const store = await folder.open({ limitBytes: 2 ** 20 });
    let kept = 0;
    const fill = async (): Promise<void> => {
      for (; kept < 100; kept += 1)
        await store.replica.apply(SCOPE, [put(`configmaps/default/c${kept}`, noise(kept))]);
    };
    await assert.rejects(fill(), { code: 'ERR_EDGE_STORE_FULL' });
    assert.ok(kept >= 28 && kept <= 35, `${kept} objects of 30 KB, packed, in 1 MiB`);
    assert.equal(store.replica.entries(SCOPE).size, kept);
    // One that fits is not refused because of one beside it that does not.
    const both = await Promise.allSettled([
      store.replica.apply(SCOPE, [put('configmaps/default/large', noise(0).repeat(10))]),
      store.state.set('epoch', Buffer.from('1')),
    ]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    await store.replica.apply(SCOPE, [
      { remove: 'configmaps/default/c0' },
      { remove: 'configmaps/default/c1' },
    ]);
    await store.replica.apply(SCOPE, [put('configmaps/default/new', noise(0))]);
    const again = await folder.reopen({ limitBytes: 2 ** 20 });
    assert.equal(again.replica.entries(SCOPE).size, kept - 1);
    assert.equal(Object.keys(await textsOf(again.replica)).length, kept - 1);
    assert.deepEqual(again.openReport.findings, []);
  });

  it('refuses more writes than may wait, and takes them again later', async () => {
    const store = await folder.open({ limitPendingWrites: 10, limitPendingBytes: 100_000 });
    const many = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => store.replica.apply(SCOPE, [put(`pods/default/p${n}`, 'p')])),
    );
    assert.deepEqual(
      many.map((result) =>
        result.status === 'rejected' ? (result.reason as { code: string }).code : 'done',
      ),
      [...Array<string>(10).fill('done'), ...Array<string>(10).fill('ERR_EDGE_STORE_BUSY')],
    );
    assert.equal(store.replica.entries(SCOPE).size, 10);
    assert.deepEqual(store.counters().pendingBytes, 0);
    // One always may wait, however large; behind it nothing may that goes over the limit.
    const large = store.replica.apply(SCOPE, [put('pods/default/large', 'x'.repeat(200_000))]);
    await assert.rejects(store.outbox.write({ put: [message('pod/a', 1)], remove: [] }), {
      code: 'ERR_EDGE_STORE_BUSY',
    });
    await large;
    await store.outbox.write({ put: [message('pod/a', 1)], remove: [] });
  });

  it('refuses content that is not what its hash says, or too large', async () => {
    const store = await folder.open();
    const wrong = { ...sampleContent('pods/default/a', 'one'), hash: '0'.repeat(32) };
    const results = await Promise.allSettled([
      store.replica.apply(SCOPE, [put('pods/default/b', 'b'), { put: wrong }]),
      store.replica.apply(SCOPE, [put('pods/default/c', 'c')]),
    ]);
    assert.equal(results[0].status, 'rejected');
    assert.equal((results[0].reason as { code: string }).code, 'ERR_EDGE_STORE_VALUE');
    assert.deepEqual(await textsOf(store.replica), { 'pods/default/c': 'c' });
    const large = put('configmaps/default/large', 'x'.repeat(17 * 2 ** 20));
    await assert.rejects(store.replica.apply(SCOPE, [large]), { code: 'ERR_EDGE_STORE_VALUE' });
    assert.equal(store.counters().faults, 0);
  });

  it('is one process for a folder: the second is refused', async () => {
    const store = await folder.open();
    await store.state.set('epoch', Buffer.from('1'));
    await assert.rejects(folder.open(), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_EDGE_STORE_IN_USE');
      assert.match(error.message, /in use by another edgecore/);
      return true;
    });
    await store.state.set('epoch', Buffer.from('2'));
    await folder.close();
    assert.equal(Buffer.from((await folder.open()).state.get('epoch') ?? []).toString(), '2');
  });

  it('holds its folder even where the lock was scribbled upon', async () => {
    await folder.open();
    await folder.close();
    await writeFile(folder.file('edge.lock'), 'scribble '.repeat(200));
    await folder.open();
    await assert.rejects(folder.open(), { code: 'ERR_EDGE_STORE_IN_USE' });
  });

  it('says why it cannot use a folder', async () => {
    await writeFile(folder.path, 'a file');
    await assert.rejects(folder.open(), { code: 'ERR_EDGE_STORE_DATA_DIR' });
  });

  it('closes once all writes are done, and refuses others', async () => {
    const store = await folder.open();
    const writes = Array.from({ length: 30 }, (_, n) =>
      store.replica.apply(SCOPE, [put(`pods/default/p${n}`, 'p')]),
    );
    const closed = store.close();
    await assert.rejects(store.state.set('late', Buffer.from('x')), { code: 'ERR_EDGE_STORE_CLOSED' });
    await assert.rejects(store.outbox.load(), { code: 'ERR_EDGE_STORE_CLOSED' });
    await Promise.all(writes);
    await closed;
    await store.close();
    assert.deepEqual(await folder.names(), ['edge.db', 'edge.lock', 'store.key']);
    assert.equal((await folder.open()).replica.entries(SCOPE).size, 30);
  });

  it('lets listeners that throw harm nobody', async () => {
    const logged: string[] = [];
    const log = { ...silentLogger, error: (_: object, text: string) => logged.push(text) };
    const store = await folder.open({ log });
    const told: string[] = [];
    store.replica.listen(() => {
      throw new Error('listener');
    });
    store.replica.listen((_, keys) => told.push(...keys));
    await store.replica.apply(SCOPE, [put('pods/default/a', 'one')]);
    assert.deepEqual(told, ['pods/default/a']);
    assert.deepEqual(logged, ['a listener of the replica failed']);
  });
});
