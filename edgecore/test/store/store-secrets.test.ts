import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import type { EdgeStore } from '../../src/index.ts';
import { put, SCOPE, StoreFolder, textsOf } from './store-folder.ts';

const CANARY = 'correct-horse-battery-staple';

describe('EdgeStore: secrets at rest', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  async function fill(store: EdgeStore): Promise<void> {
    await store.replica.apply(SCOPE, [
      put('secrets/default/s', JSON.stringify({ data: { password: CANARY } })),
      put('configmaps/default/c', 'open'),
    ]);
    await store.state.set('token/a', Buffer.from(CANARY), { secret: true });
    await store.state.set('cluster', Buffer.from('uid-1'));
  }

  it('do not stand in any file in plain text, nor does their hash', async () => {
    const store = await folder.open();
    await fill(store);
    const hash = store.replica.entries(SCOPE).get('secrets/default/s')?.hash ?? '';
    await store.replica.apply(SCOPE, [put('configmaps/default/visible', 'a visible canary')]);
    let seen = 0;
    for (const when of ['open', 'closed']) {
      for (const name of await folder.names()) {
        const bytes = await readFile(folder.file(name));
        assert.ok(!bytes.includes(CANARY), `${name} has the secret when ${when}`);
        assert.ok(!bytes.includes(CANARY.slice(0, 12)), `${name} has part of the secret when ${when}`);
        assert.ok(!bytes.includes(Buffer.from(hash, 'hex')), `${name} has its hash when ${when}`);
        if (bytes.includes('a visible canary')) seen += 1;
      }
      await folder.close();
    }
    assert.ok(seen >= 2, 'the search finds nothing at all');
    assert.match((await textsOf((await folder.open()).replica))['secrets/default/s'] ?? '', /battery/);
  });

  it('have a nonce of their own at every write', async () => {
    const store = await folder.open();
    const bodies = new Set<string>();
    for (let n = 0; n < 5; n += 1) {
      await store.state.set('t', Buffer.from('other'), { secret: true });
      await store.state.set('t', Buffer.from(CANARY), { secret: true });
      const copy = await folder.copyTo(`copy${n}`);
      const db = new Database(path.join(copy, 'edge.db'));
      bodies.add(
        (db.prepare("SELECT body FROM state WHERE key = 't'").pluck().get() as Buffer).toString('hex'),
      );
      db.close();
    }
    assert.equal(bodies.size, 5);
  });

  it('the key is a file of mode 0600, made once', async () => {
    await fill(await folder.open());
    const { mode, size } = await stat(folder.file('store.key'));
    assert.equal(mode & 0o777, 0o600);
    assert.equal(size, 32);
    const key = await readFile(folder.file('store.key'));
    await folder.reopen();
    assert.deepEqual(await readFile(folder.file('store.key')), key);
  });

  for (const [what, change] of [
    ['lost', () => rm(folder.file('store.key'))],
    ['another one', () => writeFile(folder.file('store.key'), randomBytes(32))],
    ['cut short', () => writeFile(folder.file('store.key'), 'x')],
  ] as const) {
    it(`a key that is ${what} costs the secrets, and nothing else`, async () => {
      await fill(await folder.open());
      await folder.close();
      await change();
      const store = await folder.open();
      assert.deepEqual(await textsOf(store.replica), { 'configmaps/default/c': 'open' });
      assert.deepEqual(store.state.keys(), ['cluster']);
      assert.deepEqual([...store.lost(SCOPE)], ['secrets/default/s']);
      const [finding, ...more] = store.openReport.findings;
      assert.deepEqual(more, []);
      assert.equal(finding?.kind, 'key-lost');
      assert.deepEqual(finding.lostObjects, [{ scope: SCOPE, key: 'secrets/default/s' }]);
      assert.deepEqual(finding.lost, { objects: 1, scopes: 0, outbox: 0, state: 1 });
      assert.ok(!(await folder.names()).some((name) => name.includes('damaged')), 'the file is not damaged');

      await fill(store); // the hub sends it again
      assert.equal(store.lost(SCOPE).size, 0);
      const again = await folder.reopen();
      assert.deepEqual(again.openReport.findings, []);
      assert.equal(again.replica.entries(SCOPE).size, 2);
    });
  }

  it('take their key from systemd where it gives one', async () => {
    const credentialsDir = path.join(folder.path, '..', 'credentials');
    await mkdir(credentialsDir);
    await writeFile(path.join(credentialsDir, 'hawser-store-key'), randomBytes(48));
    await fill(await folder.open({ credentialsDir }));
    assert.ok(!(await folder.names()).includes('store.key'));
    const again = await folder.reopen({ credentialsDir });
    assert.deepEqual(again.openReport.findings, []);
    assert.equal(again.state.keys().length, 2);
    await folder.close();
    await writeFile(path.join(credentialsDir, 'hawser-store-key'), 'short');
    await assert.rejects(folder.open({ credentialsDir }), { code: 'ERR_EDGE_STORE_KEY' });
    const without = await folder.open();
    assert.deepEqual(
      without.openReport.findings.map(({ kind }) => kind),
      ['key-lost'],
    );
  });

  it('do not open in another place than they were written to', async () => {
    const store = await folder.open();
    await store.replica.apply(SCOPE, [put('secrets/default/a', 'one'), put('secrets/default/b', 'two')]);
    await folder.close();
    const { rowSum } = await import('../../src/store/tables.ts');
    const db = new Database(folder.file('edge.db'));
    // Somebody who can write the disk, and knows the checksum, gives one secret the content of the other.
    const stolen = db.prepare("SELECT * FROM object WHERE key = 'secrets/default/b'").get() as {
      body: Buffer;
      size: number;
    };
    const row = db.prepare("SELECT * FROM object WHERE key = 'secrets/default/a'").get() as Record<
      string,
      string | number | Buffer
    >;
    const cells = ['scope', 'key', 'version', 'hash', 'size', 'form'].map((name) => row[name] ?? '');
    db.prepare("UPDATE object SET body = ?, sum = ? WHERE key = 'secrets/default/a'").run(
      stolen.body,
      rowSum('object', [...cells, stolen.body]),
    );
    db.close();
    const again = await folder.open();
    assert.deepEqual(await textsOf(again.replica), { 'secrets/default/b': 'two' });
    assert.deepEqual(
      again.openReport.findings.map(({ kind }) => kind),
      ['secret-lost'],
    );
  });

  it('rights that others have are taken away, and it is said', async () => {
    await fill(await folder.open());
    await folder.close();
    await chmod(folder.path, 0o755);
    await chmod(folder.file('store.key'), 0o644);
    await chmod(folder.file('edge.db'), 0o640);
    const store = await folder.open();
    assert.deepEqual(
      store.openReport.findings.map(({ kind }) => kind),
      ['mode-repaired', 'mode-repaired', 'mode-repaired'],
    );
    assert.equal((await stat(folder.path)).mode & 0o777, 0o700);
    for (const name of await folder.names()) {
      assert.equal((await stat(folder.file(name))).mode & 0o777, 0o600, name);
    }
    assert.equal(store.replica.entries(SCOPE).size, 2);
  });
});
