import assert from 'node:assert/strict';
import type { EdgeStore } from '../../src/index.ts';
import { StoreFolder } from './store-folder.ts';

function text(store: EdgeStore, key: string): string | undefined {
  const bytes = store.state.get(key);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

describe('EdgeStore: its state', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  it('keeps values over a restart and a crash, secret ones too', async () => {
    const store = await folder.open();
    await store.state.set('cluster', Buffer.from('uid-1'));
    await store.state.set('token/a', Buffer.from('t0ken'), { secret: true });
    await store.state.set('empty', new Uint8Array(0));
    await store.state.set('gone', Buffer.from('x'));
    await store.state.delete('gone');
    await store.state.delete('never');
    const crashed = await folder.copyTo('crashed');
    for (const dir of [folder.path, crashed]) {
      await folder.close();
      const again = await folder.open({ dir });
      assert.deepEqual([...again.state.keys()].sort(), ['cluster', 'empty', 'token/a']);
      assert.equal(text(again, 'cluster'), 'uid-1');
      assert.equal(text(again, 'token/a'), 't0ken');
      assert.equal(text(again, 'empty'), '');
      assert.equal(text(again, 'gone'), undefined);
    }
  });

  it('writes nothing for a value that is there, or on its way', async () => {
    const store = await folder.open();
    await store.state.set('epoch', Buffer.from('1'));
    const before = store.counters().transactions;
    await store.state.set('epoch', Buffer.from('1'));
    assert.equal(store.counters().transactions, before);
    await Promise.all(Array.from({ length: 50 }, () => store.state.set('epoch', Buffer.from('2'))));
    assert.equal(store.counters().transactions, before + 1);
    await store.state.delete('epoch');
    await store.state.delete('epoch');
    assert.equal(store.counters().transactions, before + 2);
  });

  it('takes changes in their order, and shows them when they are durable', async () => {
    const store = await folder.open();
    const changes = [
      store.state.set('n', Buffer.from('1')),
      store.state.set('n', Buffer.from('2')),
      store.state.delete('n'),
      store.state.set('n', Buffer.from('1')),
    ];
    assert.equal(text(store, 'n'), undefined);
    await Promise.all(changes);
    assert.equal(text(store, 'n'), '1');
    assert.equal(text(await folder.reopen(), 'n'), '1');
  });

  it('writes a value again when it becomes a secret', async () => {
    const store = await folder.open();
    await store.state.set('n', Buffer.from('one'));
    const before = store.counters().transactions;
    await store.state.set('n', Buffer.from('one'), { secret: true });
    assert.equal(store.counters().transactions, before + 1);
  });

  it('keeps its own copy of what it is given', async () => {
    const store = await folder.open();
    const bytes = Buffer.from('one');
    const done = store.state.set('n', bytes);
    bytes.fill(0);
    await done;
    assert.equal(text(store, 'n'), 'one');
    assert.equal(text(await folder.reopen(), 'n'), 'one');
  });

  it('refuses what is too large, alone or with all others', async () => {
    const store = await folder.open();
    await assert.rejects(store.state.set('large', Buffer.alloc(65_537)), { code: 'ERR_EDGE_STORE_VALUE' });
    const many = Array.from({ length: 64 }, (_, n) => store.state.set(`n${n}`, Buffer.alloc(65_536, n)));
    await Promise.all(many);
    await assert.rejects(store.state.set('one more', Buffer.alloc(1)), { code: 'ERR_EDGE_STORE_VALUE' });
    await store.state.set('n0', Buffer.alloc(65_536, 'replaced'));
  });
});
