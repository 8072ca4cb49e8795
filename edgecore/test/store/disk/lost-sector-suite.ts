// Run by mocha in a process of its own, under the recorder: what stands at the place that the file of `IO_FAULT_FILE`
// names cannot be read. A file that is made anew stands elsewhere.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EdgeStore } from '../../../src/index.ts';
import { message, put, SCOPE, StoreFolder, textsOf } from '../store-folder.ts';

const { IO_FAULT_FILE: faultFile = '' } = process.env;

describe('EdgeStore: a lost sector', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(async () => {
    rmSync(faultFile, { force: true });
    await folder.remove();
  });

  /** Loses the sector of a file that holds a text, or its first. */
  function lose(name: string, text?: string): void {
    const at = text === undefined ? 0 : readFileSync(folder.file(name)).indexOf(text);
    assert.ok(at >= 0);
    writeFileSync(faultFile, `EIO ${statSync(folder.file(name)).ino} ${at}`);
  }

  async function fill(): Promise<EdgeStore> {
    const store = await folder.open();
    const changes = Array.from({ length: 100 }, (_, n) =>
      put(`configmaps/default/c${n}`, `${n} `.repeat(70)),
    );
    await store.replica.apply(SCOPE, changes);
    await store.outbox.write({ put: [message('pod/a', 1)], remove: [] });
    return store;
  }

  /** What must hold of a store that has lost something: all of it can be read, and it takes writes. */
  async function check(store: EdgeStore, kinds: readonly string[]): Promise<void> {
    assert.deepEqual(
      store.openReport.findings.map(({ kind }) => kind),
      kinds,
    );
    const size = Object.keys(await textsOf(store.replica)).length;
    assert.equal(size, store.replica.entries(SCOPE).size);
    await store.replica.apply(SCOPE, [put('pods/default/new', 'new')]);
    assert.equal((await textsOf(store.replica))['pods/default/new'], 'new');
    const again = await folder.reopen();
    assert.deepEqual(again.openReport.findings, []);
    assert.equal(again.replica.entries(SCOPE).size, size + 1);
  }

  it('of some objects: the others are saved', async () => {
    await fill();
    await folder.close();
    lose('edge.db', '50 50 50');
    const store = await folder.open();
    const { size } = store.replica.entries(SCOPE);
    assert.ok(size >= 85 && size < 100, `${size} of 100`);
    assert.equal((await store.outbox.load()).length, 1);
    await check(store, ['damaged']);
  });

  it('of the header: all begins anew', async () => {
    await fill();
    await folder.close();
    lose('edge.db');
    const store = await folder.open();
    await check(store, ['damaged']);
  });

  it('of the log: the database is used without it', async () => {
    const store = await fill();
    const crashed = await folder.copyTo('crashed');
    await store.close();
    writeFileSync(faultFile, `EIO ${statSync(path.join(crashed, 'edge.db-wal')).ino} 2000`);
    const again = await folder.open({ dir: crashed });
    assert.deepEqual(
      again.openReport.findings.map(({ kind }) => kind),
      ['log-cut'],
    );
    await again.replica.apply(SCOPE, [put('pods/default/new', 'new')]);
    assert.deepEqual(await textsOf(again.replica), { 'pods/default/new': 'new' });
  });

  it('while it is open: it is made anew, and what is lost is told', async () => {
    await fill();
    const store = await folder.reopen();
    lose('edge.db', '50 50 50');
    await assert.rejects(store.replica.read(SCOPE, 'configmaps/default/c50'), {
      code: 'ERR_EDGE_STORE_DAMAGED',
    });
    assert.equal(folder.faults[0]?.code, 'ERR_EDGE_STORE_DAMAGED');
    assert.ok(store.lost(SCOPE).has('configmaps/default/c50'));
    await check(store, []);
  });
});
