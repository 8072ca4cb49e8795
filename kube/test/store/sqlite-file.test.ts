import assert from 'node:assert/strict';
import { copyFile, open, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { SqliteStore, type SqliteStoreOptions } from '../../src/index.ts';
import { migrate } from '../../src/store/sqlite-schema.ts';
import { configMap, configMaps, describeEvent, keyOf, take } from '../../testing/store-samples.ts';

describe('SqliteStore: its file', () => {
  let dir: TempDir;
  let file: string;
  const opened: SqliteStore[] = [];

  beforeEach(async () => {
    dir = await makeTempDir('hawser-store-');
    file = path.join(dir.path, 'store.db');
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await dir.remove();
  });

  async function start(options: Partial<SqliteStoreOptions> = {}): Promise<SqliteStore> {
    const store = await SqliteStore.open({ path: file, ...options });
    opened.push(store);
    return store;
  }

  async function restart(
    store: SqliteStore,
    options: Partial<SqliteStoreOptions> = {},
  ): Promise<SqliteStore> {
    await store.close();
    return start(options);
  }

  describe('across a restart', () => {
    it('has the same objects and versions', async () => {
      let store = await start();
      const a = await store.create(keyOf('a'), configMap('a', { text: 'größer € 😀' }));
      await store.update(keyOf('a'), a.resourceVersion, configMap('a', { text: 'neu\u2028' }));
      await store.create(keyOf('b'), configMap('b'));
      const before = store.list(configMaps).entries.map((entry) => entry.json().toString());
      store = await restart(store);
      const after = store.list(configMaps);
      assert.deepEqual(
        after.entries.map((entry) => entry.json().toString()),
        before,
      );
      assert.equal(after.resourceVersion, 3);
      assert.ok(Object.isFrozen(after.entries[0]?.object.metadata));
    });

    it('lets watches and old lists go on where they were', async () => {
      let store = await start();
      const a = await store.create(keyOf('a'), configMap('a'));
      const b = await store.create(keyOf('b'), configMap('b'));
      await store.update(keyOf('a'), a.resourceVersion, configMap('a', { x: '1' }));
      await store.delete(keyOf('b'), b.resourceVersion);
      await store.create(keyOf('b'), configMap('b'));
      store = await restart(store);
      assert.equal(store.oldestWatchVersion, 0);
      const watch = store.watch(configMaps, { fromVersion: 1 });
      await store.create(keyOf('c'), configMap('c'));
      const events = await take(watch, 5);
      assert.deepEqual(events.map(describeEvent), [
        'ADDED default/b@2',
        'MODIFIED default/a@3',
        'DELETED default/b@4',
        'ADDED default/b@5',
        'ADDED default/c@6',
      ]);
      assert.deepEqual(
        events.map(({ previous }) => previous?.resourceVersion),
        [undefined, 1, 2, undefined, undefined],
      );
      const old = store.list(configMaps, { atVersion: 3 });
      assert.deepEqual(
        old.entries.map(({ resourceVersion }) => resourceVersion),
        [3, 2],
      );
    });

    it('keeps history compacted: what was too old stays so, and the file holds no more than is needed', async () => {
      let store = await start({ historyEvents: 10 });
      let entry = await store.create(keyOf('a'), configMap('a'));
      for (let n = 0; n < 50; n += 1)
        entry = await store.update(keyOf('a'), entry.resourceVersion, configMap('a'));
      for (let n = 0; n < 20; n += 1) {
        const made = await store.create(keyOf(`n${n}`), configMap(`n${n}`));
        if (n % 2 === 0) await store.delete(made.key, made.resourceVersion);
      }
      const oldest = store.oldestWatchVersion;
      const version = store.resourceVersion;
      const names = store.list(configMaps).entries.map(({ key }) => key.name);
      store = await restart(store, { historyEvents: 10 });
      // Rows are dropped with the next write: what the last ones made superfluous is still there, and may be watched.
      assert.ok(store.oldestWatchVersion <= oldest && store.oldestWatchVersion >= oldest - 10);
      assert.equal(store.resourceVersion, version);
      assert.deepEqual(
        store.list(configMaps).entries.map(({ key }) => key.name),
        names,
      );
      await store.create(keyOf('z'), configMap('z'));
      await store.close();
      const rows = new Database(file, { readonly: true });
      const count = rows.prepare('SELECT count(*) FROM log').pluck().get() as number;
      rows.close();
      // 12 objects, and at most two rows (the state replaced and a deletion's own) for each event kept.
      assert.ok(count <= 12 + 2 * 11, `${count} rows`);
    });

    it('never gives a version twice, though the newest object was deleted and its deletion compacted', async () => {
      let store = await start({ historyEvents: 1 });
      const a = await store.create(keyOf('a'), configMap('a'));
      await store.delete(keyOf('a'), a.resourceVersion);
      store = await restart(store, { historyEvents: 0 });
      assert.equal(store.resourceVersion, 2);
      const b = await store.create(keyOf('b'), configMap('b'));
      assert.equal(b.resourceVersion, 3);
      await store.delete(keyOf('b'), 3);
      store = await restart(store, { historyEvents: 0 });
      assert.equal(store.resourceVersion, 4);
      assert.equal(store.oldestWatchVersion, 4);
    });
  });

  it('is for its owner only', async () => {
    const store = await start();
    await store.create(keyOf('a'), configMap('a'));
    for (const name of [file, `${file}-wal`]) assert.equal((await stat(name)).mode & 0o777, 0o600);
  });

  it('opens with 5,000 objects in well under a second', async () => {
    const store = await start();
    const text = 'x'.repeat(2500);
    await Promise.all(
      Array.from({ length: 5000 }, (_, n) => store.create(keyOf(`n${n}`), configMap(`n${n}`, { text }))),
    );
    await store.close();
    const startedMs = performance.now();
    const again = await start();
    const tookMs = performance.now() - startedMs;
    assert.equal(again.list(configMaps).entries.length, 5000);
    assert.ok(tookMs < 1000, `${tookMs} ms`);
  });

  describe('says what is wrong, where, and what to do', () => {
    async function refused(code: string, message: RegExp): Promise<void> {
      await assert.rejects(start(), (error: Error & { code: string; about?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.ok(error.message.includes(file));
        assert.equal(error.about, file);
        return true;
      });
    }

    async function overwrite(at: number, bytes: string): Promise<void> {
      const handle = await open(file, 'r+');
      await handle.write(bytes, at);
      await handle.close();
    }

    it('a file that is no database', async () => {
      await writeFile(file, 'x'.repeat(8192));
      await refused('ERR_KUBE_STORE_DAMAGED', /not a database.*restore a backup/s);
      assert.equal(await readFile(file, 'utf8'), 'x'.repeat(8192));
    });

    it('a database of something else', async () => {
      const other = new Database(file);
      other.exec('CREATE TABLE t (x)');
      other.close();
      await refused('ERR_KUBE_STORE_FOREIGN', /not an object store of Hawser.*another path/s);
    });

    it('a file of a newer release', async () => {
      await (await start()).close();
      const newer = new Database(file);
      newer.pragma('user_version = 99');
      newer.close();
      await refused('ERR_KUBE_STORE_TOO_NEW', /schema version 99, this release knows \d+/);
    });

    it('a file that another store has open', async () => {
      await start();
      await refused('ERR_KUBE_STORE_IN_USE', /in use/);
    }).timeout(15_000);

    it('a folder that does not exist', async () => {
      file = path.join(dir.path, 'none', 'store.db');
      await refused('ERR_KUBE_STORE_CANNOT_OPEN', /ENOENT/);
    });

    it('a page that is garbage', async () => {
      const store = await start();
      await store.create(keyOf('a'), configMap('a'));
      await store.close();
      const { size } = await stat(file);
      await overwrite(size - 4096, 'garbage!'.repeat(512));
      await refused('ERR_KUBE_STORE_DAMAGED', /restore a backup/);
    });

    it('a bit flipped in an object, which SQLite itself would not notice', async () => {
      const store = await start();
      await store.create(keyOf('a'), configMap('a', { needle: 'haystack' }));
      await store.close();
      const at = (await readFile(file)).indexOf('haystack');
      assert.ok(at > 0);
      await overwrite(at, 'iaystack');
      await refused('ERR_KUBE_STORE_DAMAGED', /checksum of configmaps default\/a is wrong/);
    });

    it('a state that is missing from the history', async () => {
      const store = await start();
      const a = await store.create(keyOf('a'), configMap('a'));
      await store.update(keyOf('a'), a.resourceVersion, configMap('a'));
      await store.close();
      const db = new Database(file);
      db.exec('DELETE FROM log WHERE version = 1');
      db.close();
      await refused('ERR_KUBE_STORE_DAMAGED', /version 1 of configmaps default\/a is missing/);
    });
  });

  describe('under pressure', () => {
    it('refuses writes when too many wait, and takes them again later', async () => {
      const store = await start({ limitPendingWrites: 10 });
      const writes = Array.from({ length: 30 }, (_, n) => store.create(keyOf(`n${n}`), configMap(`n${n}`)));
      const results = await Promise.allSettled(writes);
      const refused = results.filter((result) => result.status === 'rejected');
      assert.equal(refused.length, 20);
      for (const { reason } of refused) {
        const { status } = reason as { status: { code: number; details: { retryAfterSeconds: number } } };
        assert.equal(status.code, 429);
        assert.equal(status.details.retryAfterSeconds, 1);
      }
      await store.create(keyOf('later'), configMap('later'));
      assert.equal(store.list(configMaps).entries.length, 11);
    });

    it('refuses writes when those that wait take too much memory', async () => {
      const store = await start({ limitPendingBytes: 50_000 });
      const big = configMap('x', { text: 'x'.repeat(20_000) });
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, async (_, n) => {
          await Promise.resolve();
          return store.create(keyOf(`n${n}`), big);
        }),
      );
      const done = results.filter(({ status }) => status === 'fulfilled').length;
      assert.ok(done >= 3 && done < 10, `${done} done`);
      await store.create(keyOf('later'), big);
    });

    it('fails a write that finds the file full, keeps the rest, and goes on when there is room', async () => {
      const store = await start({ limitBytes: 200_000, historyEvents: 0 });
      const text = 'x'.repeat(20_000);
      let last = 0;
      await assert.rejects(
        async () => {
          for (let n = 0; n < 20; n += 1) {
            await store.create(keyOf(`n${n}`), configMap(`n${n}`, { text }));
            last = n;
          }
        },
        { code: 'ERR_KUBE_STORE_WRITE_FAILED', message: /Free disk space, or raise the store's size limit/ },
      );
      assert.ok(last >= 4);
      assert.equal(store.get(keyOf(`n${last + 1}`)), undefined);
      assert.equal(store.list(configMaps).entries.length, last + 1);
      const small = await store.create(keyOf('small'), configMap('small'));
      assert.ok(store.get(keyOf('small')) === small);
      const again = await restart(store, { historyEvents: 0 });
      assert.equal(again.list(configMaps).entries.length, last + 2);
      assert.equal(again.resourceVersion, small.resourceVersion);
    });

    it('stays bounded on disk while the same objects change on and on', async () => {
      const store = await start({ historyEvents: 100 });
      let entry = await store.create(keyOf('a'), configMap('a'));
      const sizes: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        for (let n = 0; n < 300; n += 1) {
          entry = await store.update(
            keyOf('a'),
            entry.resourceVersion,
            configMap('a', { text: 'x'.repeat(2000) }),
          );
        }
        sizes.push((await stat(file)).size);
      }
      const [, second = 0, , fourth = 0] = sizes;
      assert.ok(fourth <= Math.max(second * 1.5, 600_000), sizes.join(' '));
    }).timeout(30_000);
  });

  it('migrates step by step, and leaves a failed step undone', () => {
    const db = new Database(file);
    migrate(db, [(step) => step.exec('CREATE TABLE a (x)')]);
    assert.equal(db.pragma('user_version', { simple: true }), 1);
    const failing = [
      () => assert.fail('the first step ran again'),
      (step: Database.Database) => step.exec('CREATE TABLE b (x)'),
      (step: Database.Database) => {
        step.exec('CREATE TABLE c (x)');
        throw new Error('no power');
      },
    ];
    assert.throws(() => migrate(db, failing), /no power/);
    assert.equal(db.pragma('user_version', { simple: true }), 2);
    const tables = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .pluck()
      .all();
    assert.deepEqual(tables, ['a', 'b']);
    db.close();
  });

  it('can be backed up while it is written to', async () => {
    const store = await start();
    await store.create(keyOf('a'), configMap('a'));
    const writes = Array.from({ length: 50 }, (_, n) => store.create(keyOf(`n${n}`), configMap(`n${n}`)));
    const copy = path.join(dir.path, 'backup.db');
    await store.backup(copy);
    await Promise.all(writes);
    await assert.rejects(store.backup(copy), { code: 'ERR_KUBE_STORE_BACKUP_FAILED', message: /backup\.db/ });
    assert.equal((await stat(copy)).mode & 0o777, 0o600);
    const restored = await SqliteStore.open({ path: copy });
    opened.push(restored);
    assert.equal(restored.get(keyOf('a'))?.resourceVersion, 1);
    const next = await restored.create(keyOf('z'), configMap('z'));
    assert.equal(next.resourceVersion, 1 + restored.list(configMaps).entries.length - 1);
  });

  it('can be read from a copy made while nothing is written', async () => {
    const store = await start();
    await store.create(keyOf('a'), configMap('a'));
    const copy = path.join(dir.path, 'copy.db');
    await copyFile(file, copy);
    await copyFile(`${file}-wal`, `${copy}-wal`);
    file = copy;
    const second = await start();
    assert.equal(second.get(keyOf('a'))?.resourceVersion, 1);
  });
});
