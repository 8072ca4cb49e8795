import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { randomBelow, seededRandom } from '@hawser/seams';
import {
  buildRecorder,
  makeTempDir,
  readRecord,
  ReplayDisk,
  scaled,
  type IoOperation,
  type TempDir,
} from '@hawser/seams/testing';
import { SqliteStore } from '../../src/index.ts';
import { Ledger, parseAcknowledgements, WRITERS } from './disk/ledger.ts';

const LOAD = fileURLToPath(new URL('./disk/load-child.js', import.meta.url));
const STALL = fileURLToPath(new URL('./disk/stall-child.js', import.meta.url));
const UNSAFE = fileURLToPath(new URL('./disk/unsafe-child.js', import.meta.url));

/**
 * The disk is played by a record of everything that a store's process did to its files. A power cut at any point
 * keeps what was flushed, and of the rest any part, in sectors of 512 bytes.
 */
describe('SqliteStore: the disk', function () {
  let dir: TempDir;
  let recorder: string;
  let recorded: string;
  let log: string;

  before(async function () {
    dir = await makeTempDir('hawser-power-');
    const library = buildRecorder(dir.path);
    if (library === undefined) this.skip();
    recorder = library;
  });
  after(() => dir.remove());

  beforeEach(async () => {
    recorded = path.join(dir.path, 'disk');
    log = path.join(dir.path, 'record');
    await mkdir(recorded);
  });
  afterEach(async () => {
    await rm(recorded, { recursive: true });
    await rm(log, { force: true });
  });

  /** Runs a script under the recorder; returns what it printed, errors included. */
  async function run(
    script: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<string> {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LD_PRELOAD: recorder, IO_RECORD_DIR: recorded, IO_RECORD_LOG: log, ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    await once(child, 'close');
    return output;
  }

  /** Calls `judge` with the files after a power cut at each of `count` random points of the record. */
  async function cutPower(
    operations: readonly IoOperation[],
    count: number,
    judge: (file: string, ledger: Ledger) => Promise<void>,
  ): Promise<void> {
    const random = seededRandom(11);
    const points = new Set(Array.from({ length: count }, () => randomBelow(random, operations.length)));
    const disk = new ReplayDisk();
    const found = path.join(dir.path, 'found');
    let acknowledged = '';
    for (const [index, operation] of operations.entries()) {
      if (operation.path.endsWith('/acks')) acknowledged += operation.data.toString();
      else disk.apply(operation);
      if (!points.has(index)) continue;
      await mkdir(found);
      for (const [name, content] of disk.afterPowerCut(random)) {
        await writeFile(path.join(found, path.basename(name)), content);
      }
      const ledger = new Ledger();
      for (const acknowledgement of parseAcknowledgements(acknowledged)) ledger.add(acknowledgement);
      await judge(path.join(found, 'store.db'), ledger);
      await rm(found, { recursive: true });
    }
  }

  const cuts = scaled(40, 2000);
  it(`keeps everything acknowledged, at ${cuts} points of a run with checkpoints`, async function () {
    this.timeout(60_000 + cuts * 1000);
    const steps = JSON.stringify(Array.from({ length: WRITERS }, () => 0));
    const errors = await run(LOAD, [
      path.join(recorded, 'store.db'),
      path.join(recorded, 'acks'),
      steps,
      '150',
    ]);
    assert.equal(errors, '');
    const operations = readRecord(log);
    const acks = operations.filter((operation) => operation.path.endsWith('/acks'));
    const checkpoints = operations.filter(
      ({ type, path: file }) => type === 'sync' && file.endsWith('store.db'),
    );
    assert.equal(acks.length, WRITERS * 150);
    assert.ok(checkpoints.length >= 2, 'the run was too short for a checkpoint');
    await cutPower(operations, cuts, async (file, ledger) => {
      const store = await SqliteStore.open({ path: file });
      try {
        ledger.check(store);
      } finally {
        await store.close();
      }
    });
  });

  it('would be noticed: a store that does not flush before it acknowledges loses writes', async function () {
    this.timeout(30_000);
    await run(UNSAFE, [path.join(recorded, 'store.db'), path.join(recorded, 'acks'), '300']);
    let lost = 0;
    await cutPower(readRecord(log), 10, (file, ledger) => {
      const db = new Database(file);
      const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
      const newest = tables === 0 ? 0 : Number(db.prepare('SELECT max(version) FROM log').pluck().get());
      db.close();
      if (newest < (ledger.steps[0] ?? 0)) lost += 1;
      return Promise.resolve();
    });
    assert.ok(lost > 0, 'no write was lost, so the simulation proves nothing');
  });

  it('a flush that fails is not acknowledged, and no more is promised', async function () {
    this.timeout(30_000);
    const file = path.join(recorded, 'store.db');
    const steps = JSON.stringify(Array.from({ length: WRITERS }, () => 0));
    const errors = await run(LOAD, [file, path.join(recorded, 'acks'), steps, '50'], {
      IO_FAIL_SYNC_AFTER: '25',
    });
    assert.match(errors, /^ERR_KUBE_STORE_FAILED writing .* failed \(SQLITE_IOERR_FSYNC/);
    const operations = readRecord(log);
    const failedAt = operations.findIndex(({ type }) => type === 'failed-sync');
    const later = operations.slice(failedAt).filter(({ path: name }) => name.endsWith('/acks'));
    assert.ok(
      failedAt > 0 && later.length === 0,
      `${later.length} writes were acknowledged after the failure`,
    );
    await cutPower(operations, 30, async (found, ledger) => {
      const store = await SqliteStore.open({ path: found });
      try {
        ledger.check(store);
      } finally {
        await store.close();
      }
    });
  });

  it('a disk that stalls holds up the writes, and not the event loop', async function () {
    this.timeout(30_000);
    const output = await run(STALL, [path.join(recorded, 'store.db')], { IO_SYNC_DELAY_MS: '500' });
    const [tookMs = 0, longestPauseMs = Number.NaN] = output.split(' ').map(Number);
    assert.ok(tookMs >= 1500, `three writes after each other took ${output}`);
    assert.ok(longestPauseMs < 250, `the loop stood still for ${longestPauseMs} ms`);
  });
});
