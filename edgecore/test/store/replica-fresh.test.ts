import assert from 'node:assert/strict';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { contentOf } from '@hawser/sync';
import { EdgeStore } from '../../src/store/edge-store.ts';

const SCOPE = 'node/edge-1';

describe('Replica: what its listeners read', () => {
  let dir: TempDir;
  let store: EdgeStore;

  beforeEach(async () => {
    dir = await makeTempDir();
    store = await EdgeStore.open({ dir: path.join(dir.path, 'store'), credentialsDir: '' });
  });
  afterEach(async () => {
    await store.close();
    await dir.remove();
  });

  const podOf = (text: string): ReturnType<typeof contentOf> =>
    contentOf('pods', {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name: 'a', namespace: 'default', resourceVersion: '1', labels: { text } },
    });

  it('is what they are told of, at once; the disk says the same later', async () => {
    const { key } = podOf('one');
    const atOnce: boolean[] = [];
    const read: Promise<Uint8Array | undefined>[] = [];
    store.replica.listen((scope, keys) => {
      let isThere = false;
      for (const each of keys) {
        const bytes = store.replica.read(scope, each);
        read.push(bytes);
        void bytes.then(() => (isThere = true));
      }
      // Nothing that asks its thread is there by the end of the turn.
      queueMicrotask(() => queueMicrotask(() => atOnce.push(isThere)));
    });
    for (const text of ['one', 'two']) {
      const put = podOf(text);
      await store.replica.apply(SCOPE, [{ put }]);
      assert.deepEqual(Buffer.from((await read.at(-1)) ?? []), Buffer.from(put.bytes));
      assert.deepEqual(Buffer.from((await store.replica.read(SCOPE, key)) ?? []), Buffer.from(put.bytes));
    }
    await store.replica.apply(SCOPE, [{ remove: key }]);
    assert.equal(await read.at(-1), undefined);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(atOnce.slice(0, 2), [true, true]);
  });

  it('of another scope is of the disk', async () => {
    const put = podOf('one');
    let read: Promise<Uint8Array | undefined> | undefined;
    store.replica.listen(() => {
      read = store.replica.read('node/other', put.key);
    });
    await store.replica.apply(SCOPE, [{ put }]);
    assert.equal(await read, undefined);
  });
});
