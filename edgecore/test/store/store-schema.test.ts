import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { BodyCodec } from '../../src/store/body-codec.ts';
import { DataDir } from '../../src/store/data-dir.ts';
import { openStore } from '../../src/store/open-store.ts';
import { MIGRATIONS, writeAbout, type Migration } from '../../src/store/schema.ts';
import { StoreFile } from '../../src/store/store-file.ts';
import { rowSum } from '../../src/store/tables.ts';
import { put, SCOPE, StoreFolder, textsOf } from './store-folder.ts';

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url));

describe('EdgeStore: schema versions', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  it('reads a file of schema 1 as release 0.1 wrote it', async () => {
    await mkdir(folder.path, { mode: 0o700 });
    await copyFile(golden('edge-store-1.db'), folder.file('edge.db'));
    await copyFile(golden('edge-store-1.key'), folder.file('store.key'));
    const store = await folder.open();
    assert.deepEqual(
      store.openReport.findings.filter(({ kind }) => kind !== 'mode-repaired'),
      [],
    );
    assert.deepEqual(await textsOf(store.replica), {
      'pods/default/a': `{"kind":"Pod","note":"${'as written '.repeat(60)}"}`,
      'secrets/default/s': '{"data":{"password":"Z29sZGVu"},"kind":"Secret"}',
      'nodes//edge-1': '{"kind":"Node"}',
    });
    assert.equal(store.replica.entries(SCOPE).get('pods/default/a')?.version, '4711');
    assert.deepEqual(await textsOf(store.replica, 'pool/berlin'), { 'configmaps/default/c': '{}' });
    const { normalForm, stamp } = store.replica.record(SCOPE);
    assert.deepEqual([normalForm, [...stamp]], [1, [1, 2, 3, 255]]);
    const entries = await store.outbox.load();
    assert.deepEqual(
      entries.map(({ key, kind, order, keep, body }) => [
        key,
        kind,
        order,
        keep,
        Buffer.from(body).toString(),
      ]),
      [
        ['node', 'node', 3, true, '{"labels":{}}'],
        ['event/9', 'event', 1_099_511_627_776, false, '{"reason":"Started"}'],
      ],
    );
    assert.equal(Buffer.from(store.state.get('cluster') ?? []).toString(), 'uid-golden');
    assert.equal(Buffer.from(store.state.get('token/a') ?? []).toString(), 'golden token');
    // And goes on from there.
    await store.replica.apply(SCOPE, [put('pods/default/new', 'new')]);
    assert.equal((await folder.reopen()).replica.entries(SCOPE).size, 4);
  });

  it('leaves a file of a newer release as it is, and names the way out', async () => {
    await (await folder.open()).state.set('cluster', Buffer.from('uid-1'));
    await folder.close();
    const db = new Database(folder.file('edge.db'));
    const keyId = db.prepare('SELECT key_id FROM about').pluck().get() as Buffer;
    db.exec('CREATE TABLE unknown (x); DROP TABLE outbox');
    writeAbout(db, { schema: MIGRATIONS.length + 1, keyId });
    db.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    await assert.rejects(folder.open(), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_EDGE_STORE_TOO_NEW');
      assert.match(
        error.message,
        /schema version 2, this release knows 1; nothing was changed\. Run the newer/,
      );
      return true;
    });
    assert.deepEqual(
      (await folder.names()).filter((name) => name.includes('damaged')),
      [],
    );
    const after = new Database(folder.file('edge.db'), { readonly: true });
    assert.equal(after.prepare('SELECT schema FROM about').pluck().get(), 2);
    after.close();
  });

  it('takes a version number that only the header has for damage, not for a newer release', async () => {
    await (await folder.open()).state.set('cluster', Buffer.from('uid-1'));
    await folder.close();
    const db = new Database(folder.file('edge.db'));
    db.pragma('user_version = 1025');
    db.close();
    const store = await folder.open();
    const [finding] = store.openReport.findings;
    assert.equal(finding?.kind, 'damaged');
    assert.equal(finding.salvaged?.state, 1);
    assert.equal(Buffer.from(store.state.get('cluster') ?? []).toString(), 'uid-1');
  });

  it('begins anew where the file is a database of something else, and keeps that', async () => {
    await mkdir(folder.path, { mode: 0o700 });
    const db = new Database(folder.file('edge.db'));
    db.exec('CREATE TABLE notes (text); INSERT INTO notes VALUES (1)');
    db.close();
    const store = await folder.open();
    const [finding] = store.openReport.findings.filter(({ kind }) => kind === 'damaged');
    const aside = new Database(finding?.setAside ?? '', { readonly: true });
    assert.equal(aside.prepare('SELECT count(*) FROM notes').pluck().get(), 1);
    aside.close();
  });

  describe('a step from one version to the next', () => {
    /** The version before: without `version` in objects, as a release before 0.1 might have had it. */
    const EARLIER: Migration = (db) => {
      MIGRATIONS[0]?.(db);
      db.exec('ALTER TABLE object DROP COLUMN version');
    };
    const STEP: Migration = (db) => {
      db.exec("ALTER TABLE object ADD COLUMN version TEXT NOT NULL DEFAULT '0'");
      const rows = db
        .prepare('SELECT rowid, scope, key, version, hash, size, form, body FROM object')
        .raw()
        .all();
      const update = db.prepare('UPDATE object SET sum = ? WHERE rowid = ?');
      for (const [rowid, ...cells] of rows as [number, ...(string | number | Buffer)[]][])
        update.run(rowSum('object', cells), rowid);
    };

    async function makeEarlier(): Promise<Parameters<typeof openStore>[0]> {
      await mkdir(folder.path, { mode: 0o700 });
      const dir = new DataDir(folder.path);
      const codec = new BodyCodec(randomBytes(32));
      const db = new Database(dir.database);
      db.pragma('page_size = 1024');
      db.pragma('journal_mode = WAL');
      EARLIER(db);
      const { put: content } = put('pods/default/a', 'one') as { put: { hash: string; bytes: Uint8Array } };
      const cells = [SCOPE, 'pods/default/a', Buffer.from(content.hash, 'hex'), 3, 0, content.bytes];
      db.prepare(
        'INSERT INTO object (scope, key, hash, size, form, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ).run(...cells, rowSum('object', cells));
      writeAbout(db, { schema: 1, keyId: codec.keyId });
      db.pragma('user_version = 1');
      db.pragma(`application_id = 1213682501`);
      db.close();
      return { dir, codec, limitBytes: 2 ** 24, used: false, now: Date.now };
    }

    it('is done once, keeps what is there, and is remembered', async () => {
      const settings = await makeEarlier();
      for (let n = 0; n < 2; n += 1) {
        const { file, items, findings } = openStore({ ...settings, migrations: [EARLIER, STEP] });
        assert.deepEqual(findings, []);
        assert.deepEqual(
          items.map((item) => (item.type === 'object' ? [item.key, item.version] : item.type)),
          [['pods/default/a', '0']],
        );
        assert.equal(file.connection.pragma('user_version', { simple: true }), 2);
        file.close();
      }
    });

    it('that fails changes nothing', async () => {
      const settings = await makeEarlier();
      const failing: Migration = (db) => {
        STEP(db);
        throw new RangeError('in the middle');
      };
      assert.throws(() => openStore({ ...settings, migrations: [EARLIER, failing] }), RangeError);
      const { file, items } = openStore({ ...settings, migrations: [EARLIER, STEP] });
      assert.equal(items.length, 1);
      file.close();
    });
  });

  it('makes new files by the same steps', async () => {
    await mkdir(folder.path, { mode: 0o700 });
    const codec = new BodyCodec(randomBytes(32));
    const file = StoreFile.create(folder.file('new.db'), { codec, limitBytes: 2 ** 24 });
    assert.equal(file.connection.pragma('user_version', { simple: true }), MIGRATIONS.length);
    assert.equal(file.connection.pragma('page_size', { simple: true }), 1024);
    file.close();
  });
});
