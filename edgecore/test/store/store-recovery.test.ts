import assert from 'node:assert/strict';
import { constants, copyFile, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { EdgeStore } from '../../src/store/edge-store.ts';
import { message, put, SCOPE, StoreFolder, textsOf } from './store-folder.ts';

describe('EdgeStore: recovery', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  const keyOf = (n: number): string => `configmaps/default/c${n}`;

  /** 100 objects of most of a page, 20 messages, some state. */
  async function fill(store: EdgeStore): Promise<void> {
    const changes = Array.from({ length: 100 }, (_, n) => put(keyOf(n), `${n} `.repeat(70)));
    await store.replica.apply(SCOPE, changes, { normalForm: 1, stamp: Uint8Array.of(7) });
    const put20 = Array.from({ length: 20 }, (_, n) =>
      message(`pod/p${n}`, n + 1, `-${n} status`.repeat(15)),
    );
    await store.outbox.write({ put: put20, remove: [] });
    await store.state.set('cluster', Buffer.from('uid-1'));
  }

  /** Scribbles over a page that holds a text, as a disk does. */
  async function scribble(dir: string, text: string): Promise<void> {
    const file = path.join(dir, 'edge.db');
    const at = (await readFile(file)).indexOf(text);
    assert.ok(at > 0, `${text} is not in the file`);
    const handle = await open(file, constants.O_RDWR);
    await handle.write(Buffer.alloc(1024, 0xa5), 0, 1024, Math.floor(at / 1024) * 1024);
    await handle.close();
  }

  it('saves what it can, messages for the hub above all, and keeps the old file', async () => {
    await fill(await folder.open());
    await folder.close();
    await scribble(folder.path, '50 50 50 50');
    const store = await folder.open();
    const [finding, ...more] = store.openReport.findings;
    assert.deepEqual(more, []);
    assert.equal(finding?.kind, 'damaged');
    assert.equal(finding.salvaged?.outbox, 20);
    assert.equal(finding.salvaged.state, 1);
    assert.equal(finding.salvaged.scopes, 1);
    assert.ok(finding.salvaged.objects >= 85 && finding.salvaged.objects < 100, finding.message);
    const lost = finding.lostObjects?.map(({ key }) => key) ?? [];
    assert.equal(lost.length + finding.salvaged.objects, 100);
    assert.deepEqual([...store.lost(SCOPE)].sort(), [...lost].sort());
    assert.equal((await store.outbox.load()).length, 20);
    assert.equal((await readFile(finding.setAside ?? '')).includes(Buffer.alloc(1000, 0xa5)), true);
    assert.equal(store.replica.record(SCOPE).normalForm, 1);
    // The hub sends again what is not listed.
    await store.replica.apply(
      SCOPE,
      lost.map((key) => put(key, 'again')),
    );
    assert.equal(store.lost(SCOPE).size, 0);
    const again = await folder.reopen();
    assert.deepEqual(again.openReport.findings, []);
    assert.equal(again.replica.entries(SCOPE).size, 100);
  });

  it('keeps two damaged files at most', async () => {
    const aside: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      await (await folder.open()).state.set('cluster', Buffer.from('uid-1'));
      await folder.close();
      await folder.alter('edge.db', (bytes) => bytes.fill(0));
      const store = await folder.open();
      aside.push(path.basename(store.openReport.findings[0]?.setAside ?? ''));
      await folder.close();
    }
    const kept = (await folder.names()).filter((name) => name.includes('damaged'));
    assert.deepEqual(kept.sort(), aside.slice(-2));
  });

  it('notices that the log is missing', async () => {
    const store = await folder.open();
    await fill(store);
    const crashed = await folder.copyTo('crashed');
    await rm(path.join(crashed, 'edge.db-wal'));
    await folder.close();
    const again = await folder.open({ dir: crashed });
    assert.deepEqual(
      again.openReport.findings.map(({ kind }) => kind),
      ['log-missing'],
    );
    assert.equal(again.replica.entries(SCOPE).size, 0);
    await fill(again);
    assert.deepEqual((await folder.reopen({ dir: crashed })).openReport.findings, []);
  });

  it('says nothing of a crash after which all is there, or before anything was written', async () => {
    const store = await folder.open();
    const fresh = await folder.copyTo('fresh');
    await fill(store);
    const crashed = await folder.copyTo('crashed');
    await folder.close();
    for (const [dir, size] of [
      [fresh, 0],
      [crashed, 100],
    ] as const) {
      const again = await folder.open({ dir });
      assert.deepEqual(again.openReport.findings, []);
      assert.equal(again.openReport.created, false);
      assert.equal(again.replica.entries(SCOPE).size, size);
    }
  });

  it('notices that the database is missing', async () => {
    const first = await folder.open();
    assert.equal(first.openReport.created, true);
    await fill(first);
    await folder.close();
    await rm(folder.file('edge.db'));
    const store = await folder.open();
    assert.deepEqual(
      store.openReport.findings.map(({ kind }) => kind),
      ['file-missing'],
    );
    assert.equal(store.replica.entries(SCOPE).size, 0);
    assert.deepEqual((await folder.reopen()).openReport.findings, []);
  });

  describe('a crash while a damaged database is replaced', () => {
    const steps: readonly (readonly [string, () => Promise<void>])[] = [
      [
        'before the new one is whole',
        async () => {
          await writeFile(
            folder.file('edge.db.new'),
            (await readFile(folder.file('whole'))).subarray(0, 5000),
          );
        },
      ],
      ['before the old one is set aside', () => copyFile(folder.file('whole'), folder.file('edge.db.new'))],
      [
        'before the new one is in its place',
        async () => {
          await copyFile(folder.file('whole'), folder.file('edge.db.new'));
          await rename(folder.file('edge.db'), folder.file('edge.db.damaged-2026-01-01'));
        },
      ],
    ];
    for (const [when, crash] of steps) {
      it(`${when} loses no more`, async () => {
        await fill(await folder.open());
        await folder.close();
        await copyFile(folder.file('edge.db'), folder.file('whole'));
        await scribble(folder.path, '50 50 50 50');
        await crash();
        const store = await folder.open();
        assert.equal((await store.outbox.load()).length, 20);
        assert.ok(store.replica.entries(SCOPE).size >= 85);
        assert.equal(Buffer.from(store.state.get('cluster') ?? []).toString(), 'uid-1');
        assert.ok(!(await folder.names()).includes('edge.db.new'));
        assert.equal((await folder.reopen()).openReport.findings.length, 0);
      });
    }
  });

  describe('while it is open', () => {
    /** Everything in the database and not in the log, and none of it in SQLite's cache. */
    async function openMerged(): Promise<EdgeStore> {
      await fill(await folder.open());
      return folder.reopen();
    }

    it('never gives out a content that is not what was written, and lists it no more', async () => {
      const store = await openMerged();
      await folder.alter('edge.db', (bytes) => {
        const at = bytes.indexOf('50 50 50 50');
        return bytes.fill('51', at + 60, at + 62);
      });
      const told: string[] = [];
      store.replica.listen((_, keys) => told.push(...keys));
      await assert.rejects(store.replica.read(SCOPE, keyOf(50)), { code: 'ERR_EDGE_STORE_DAMAGED' });
      assert.equal(store.replica.entries(SCOPE).has(keyOf(50)), false);
      assert.deepEqual([...store.lost(SCOPE)], [keyOf(50)]);
      assert.equal(await store.replica.read(SCOPE, keyOf(50)), undefined);
      assert.deepEqual(
        folder.faults.map(({ code, lostObjects }) => [code, lostObjects]),
        [['ERR_EDGE_STORE_DAMAGED', [{ scope: SCOPE, key: keyOf(50) }]]],
      );
      assert.equal(Object.keys(await textsOf(store.replica)).length, 99);
      const again = await folder.reopen();
      assert.deepEqual(again.openReport.findings, []);
      assert.equal(again.replica.entries(SCOPE).size, 99);
    });

    it('makes the database anew when its structure is damaged, and the write goes on', async () => {
      const store = await openMerged();
      const entries = store.replica.entries(SCOPE);
      await scribble(folder.path, '50 50 50 50');
      await store.replica.apply(SCOPE, [
        put(keyOf(50), 'new'),
        put(keyOf(51), 'new'),
        put('pods/default/a', 'a'),
      ]);
      const [fault] = folder.faults;
      assert.equal(fault?.code, 'ERR_EDGE_STORE_DAMAGED');
      assert.equal(fault.finding?.kind, 'damaged');
      assert.equal(fault.finding.salvaged?.outbox, 20);
      assert.ok(fault.lostObjects.length > 1 && fault.lostObjects.length < 15);
      assert.equal(store.lost(SCOPE).size + entries.size, 101);
      const texts = await textsOf(store.replica);
      assert.equal(texts[keyOf(50)], 'new');
      assert.equal(texts['pods/default/a'], 'a');
      assert.equal(Object.keys(texts).length, entries.size);
      const again = await folder.reopen();
      assert.deepEqual(again.openReport.findings, []);
      assert.equal(again.replica.entries(SCOPE).size, entries.size);
    });

    it('gives the messages that are whole when one is not', async () => {
      const store = await openMerged();
      await folder.alter('edge.db', (bytes) => {
        // A page may have copies of what stood there before.
        for (let at = bytes.indexOf('-7 status'); at >= 0; at = bytes.indexOf('-7 status', at))
          bytes.fill('+', at, at + 1);
        return bytes;
      });
      const entries = await store.outbox.load();
      assert.equal(entries.length, 19);
      assert.equal(folder.faults.length, 1);
      assert.deepEqual((await textsOf(store.replica))[keyOf(3)], '3 '.repeat(70));
    });
  });

  it('lists what is on disk', async () => {
    const store = await folder.open();
    await fill(store);
    await store.replica.apply(SCOPE, [{ remove: keyOf(3) }, put(keyOf(4), 'other', '9')]);
    const listed = [...store.replica.entries(SCOPE)].map(
      ([key, { hash, version }]) => `${key} ${hash} ${version}`,
    );
    await folder.close();
    const db = new Database(folder.file('edge.db'), { readonly: true });
    const rows = db.prepare('SELECT key, hash, version FROM object').all() as {
      key: string;
      hash: Buffer;
      version: string;
    }[];
    db.close();
    assert.deepEqual(
      rows.map(({ key, hash, version }) => `${key} ${hash.toString('hex')} ${version}`).sort(),
      listed.sort(),
    );
  });
});
