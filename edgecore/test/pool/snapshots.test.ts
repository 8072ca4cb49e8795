import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import type { PoolStore } from '@hawser/sync';
import { poolCounters } from '../../src/pool/pool-counters.ts';
import { SnapshotFolder, type SnapshotStore } from '../../src/pool/snapshot-folder.ts';
import { SnapshotKeeper } from '../../src/pool/snapshot-keeper.ts';

const SECRET = 'a role that nobody has to know of';

describe('The folder of snapshots', () => {
  let dir: TempDir;

  beforeEach(async () => {
    dir = await makeTempDir();
  });

  afterEach(() => dir.remove());

  async function open(): Promise<SnapshotFolder> {
    const folder = new SnapshotFolder({ dataDir: dir.path, log: silentLogger });
    await folder.open();
    return folder;
  }

  async function files(): Promise<readonly string[]> {
    const names = await readdir(path.join(dir.path, 'pool'));
    return names.map((name) => path.join(dir.path, 'pool', name));
  }

  it('has after a restart what was saved, encrypted, for its owner only', async () => {
    await (await open()).save('pool/shop/roles', Buffer.from(SECRET));
    const folder = await open();
    assert.equal(Buffer.from((await folder.load('pool/shop/roles')) ?? []).toString(), SECRET);
    assert.equal(await folder.load('pool/shop/services'), undefined);
    assert.ok(folder.writable);
    for (const file of await files()) {
      assert.equal((await stat(file)).mode & 0o077, 0);
      assert.ok(!(await readFile(file)).includes('nobody'));
    }
  });

  it('sets aside what is damaged, cut off, or of another scope', async () => {
    const folder = await open();
    await folder.save('pool/shop/roles', Buffer.from(SECRET));
    const before = await files();
    await folder.save('pool/shop/services', Buffer.from('x'));
    const [services] = (await files()).filter((file) => !before.includes(file));
    const [roles] = before.filter((file) => !file.includes('probe'));
    assert.ok(services !== undefined && roles !== undefined);
    const whole = await Promise.all(before.map((file) => readFile(file)));
    const largest = whole.sort((one, other) => other.length - one.length)[0] ?? Buffer.alloc(0);
    for (const damaged of [largest, largest.subarray(0, 20), Buffer.alloc(0), Buffer.alloc(100)]) {
      await writeFile(services, damaged);
      assert.equal(await folder.load('pool/shop/services'), undefined);
      assert.ok((await files()).includes(`${services}.damaged`));
    }
    assert.equal(Buffer.from((await folder.load('pool/shop/roles')) ?? []).toString(), SECRET);
  });

  it('removes what a cut has left, and what is not wanted any more', async () => {
    const folder = await open();
    await folder.save('pool/shop/roles', Buffer.from('x'));
    await writeFile(path.join(dir.path, 'pool', 'abc.snap.new'), 'half');
    const again = await open();
    assert.ok((await files()).every((file) => !file.endsWith('.new')));
    await again.keepOnly([]);
    assert.equal(await again.load('pool/shop/roles'), undefined);
    assert.ok(folder.writable);
  });

  it('says that the disk takes no writes, and when it does again', async () => {
    const blocked = path.join(dir.path, 'pool');
    await writeFile(blocked, 'a file where the folder is to be');
    const folder = await open();
    assert.ok(!folder.writable);
    await assert.rejects(folder.save('pool/shop/roles', Buffer.from('x')));
    assert.equal(await folder.load('pool/shop/roles'), undefined);
  });
});

describe('What keeps snapshots', () => {
  const MINUTE = 60_000;
  let clock: FakeClock;
  let saved: { readonly scope: string; readonly atMs: number }[];
  let bytes: number;
  let isBroken: boolean;

  beforeEach(() => {
    clock = new FakeClock();
    saved = [];
    bytes = 1_000;
    isBroken = false;
  });

  function make(): SnapshotKeeper {
    const folder: SnapshotStore = {
      writable: true,
      probe: () => Promise.resolve(),
      load: () => Promise.resolve(undefined),
      save: (scope) => {
        if (isBroken) return Promise.reject(new Error('no space left'));
        saved.push({ scope, atMs: clock.monotonicMs() });
        return Promise.resolve();
      },
      keepOnly: () => Promise.resolve(),
      setAside: () => Promise.resolve(),
    };
    const store = { snapshotAside: () => Promise.resolve(new Uint8Array(bytes)) } as unknown as PoolStore; // all that is asked of it
    return new SnapshotKeeper({ folder, store, counters: poolCounters(), clock, log: silentLogger });
  }

  it('writes the first one soon, and then one in ten minutes, and at the stop', async () => {
    const keeper = make();
    for (let second = 0; second < 1_500; second += 1) {
      keeper.changed('a');
      await clock.advance(1_000);
    }
    assert.equal(saved.length, 3);
    const [one, two, three] = saved;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    assert.ok(
      one.atMs <= 6_000 && two.atMs - one.atMs >= 10 * MINUTE && three.atMs - two.atMs >= 10 * MINUTE,
    );
    await keeper.stop();
    assert.equal(saved.length, 4);
    assert.equal(clock.pendingTimers, 0);
  });

  it('writes what is vital within five seconds, though another one is due much later', async () => {
    const keeper = make();
    keeper.changed('a');
    await clock.advance(2_000);
    keeper.changed('a');
    await clock.advance(1_000);
    keeper.changed('a', true);
    keeper.changed('a');
    await clock.advance(4_000);
    assert.deepEqual(
      saved.map(({ atMs }) => atMs - (saved[0]?.atMs ?? 0)),
      [0, 5_000],
    );
    await clock.advance(60_000);
    keeper.changed('a', true);
    await clock.advance(1_000);
    assert.equal(saved.length, 3);
    await keeper.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('writes nothing where nothing has changed', async () => {
    const keeper = make();
    keeper.changed('a');
    await clock.advance(60 * MINUTE);
    await keeper.stop();
    assert.equal(saved.length, 1);
  });

  it('writes no more than 32 MiB in an hour', async () => {
    bytes = 10 * 1024 * 1024;
    const keeper = make();
    for (let minute = 0; minute < 120; minute += 1) {
      for (const scope of ['a', 'b']) keeper.changed(scope);
      await clock.advance(MINUTE);
    }
    for (const { atMs } of saved) {
      const within = saved.filter((other) => other.atMs >= atMs && other.atMs < atMs + 60 * MINUTE);
      assert.ok(within.length <= 4, 'one may go beyond it');
    }
    assert.ok(saved.length >= 6);
    await keeper.stop();
  });

  it('tries again where the disk refuses', async () => {
    isBroken = true;
    const keeper = make();
    keeper.changed('a');
    await clock.advance(MINUTE);
    isBroken = false;
    await clock.advance(2 * MINUTE);
    assert.equal(saved.length, 1);
    await keeper.stop();
  });
});
