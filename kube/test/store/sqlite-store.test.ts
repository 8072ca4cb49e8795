import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { SqliteStore } from '../../src/index.ts';
import { describeObjectStore } from '../../testing/index.ts';

const opened: { store: SqliteStore; dir: TempDir }[] = [];

describeObjectStore('SqliteStore', {
  open: async (limits) => {
    const dir = await makeTempDir('hawser-store-');
    const store = await SqliteStore.open({ ...limits, path: path.join(dir.path, 'store.db') });
    opened.push({ store, dir });
    return store;
  },
  clean: async () => {
    for (const { store, dir } of opened.splice(0)) {
      await store.close();
      await dir.remove();
    }
  },
});
