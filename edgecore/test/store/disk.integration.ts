import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { EdgeStore } from '../../src/index.ts';
import { Ledger, parseAcknowledgements, WRITERS } from './disk/ledger.ts';

const child = (name: string): string => fileURLToPath(new URL(`./disk/${name}.js`, import.meta.url));
const MOCHA = path.join(path.dirname(createRequire(import.meta.url).resolve('mocha')), 'bin', 'mocha.js');

/**
 * The disk is played by a record of everything that a store's process did to its files. A power cut at any point keeps
 * what was flushed, and of the rest any part, in sectors of 512 bytes. That such a test notices a store that flushes too
 * late is shown where the recorder comes from, in the tests of `@hawser/kube`.
 */
describe('EdgeStore: the disk', function () {
  let temp: TempDir;
  let recorder: string;
  let recorded: string;
  let log: string;

  before(async function () {
    temp = await makeTempDir('hawser-edge-disk-');
    const library = buildRecorder(temp.path);
    if (library === undefined) this.skip();
    recorder = library;
  });
  after(() => temp.remove());

  beforeEach(async () => {
    recorded = path.join(temp.path, 'disk');
    log = path.join(temp.path, 'record');
    await mkdir(recorded, { mode: 0o700 });
  });
  afterEach(async () => {
    await rm(recorded, { recursive: true });
    await rm(log, { force: true });
  });

  /** Runs a script under the recorder; answers what it printed, errors included. */
  async function run(
    script: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<string> {
    const running = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LD_PRELOAD: recorder, IO_RECORD_DIR: recorded, IO_RECORD_LOG: log, ...env },
    });
    let output = '';
    for (const stream of [running.stdout, running.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    const [code] = (await once(running, 'close')) as [number | null];
    return `${output}${code === 0 || code === 3 ? '' : `\nended with ${code}`}`;
  }

  /** Opens the folder as a power cut at each of `count` random points of the record leaves it, and judges it. */
  async function cutPower(operations: readonly IoOperation[], count: number): Promise<void> {
    const random = seededRandom(11);
    const points = new Set(Array.from({ length: count }, () => randomBelow(random, operations.length)));
    const disk = new ReplayDisk();
    const found = path.join(temp.path, 'found');
    let acknowledged = '';
    for (const [index, operation] of operations.entries()) {
      if (operation.path.endsWith('/acks')) acknowledged += operation.data.toString();
      else disk.apply(operation);
      if (!points.has(index)) continue;
      await mkdir(found, { mode: 0o700 });
      for (const [name, content] of disk.afterPowerCut(random)) {
        await writeFile(path.join(found, path.basename(name)), content, { mode: 0o600 });
      }
      const ledger = new Ledger();
      for (const acknowledgement of parseAcknowledgements(acknowledged)) ledger.add(acknowledgement);
      const store = await EdgeStore.open({ dir: found, credentialsDir: '' });
      try {
        await ledger.check(store);
        const kinds = store.openReport.findings.map(({ kind }) => kind).filter((kind) => kind !== 'log-torn');
        assert.deepEqual(kinds, [], 'a power cut is no damage');
      } finally {
        await store.close();
      }
      await rm(found, { recursive: true });
    }
  }

  const cuts = scaled(30, 1500);
  it(`keeps everything acknowledged, at ${cuts} points of a run that merges its log`, async function () {
    this.timeout(60_000 + cuts * 1000);
    const first = JSON.stringify(Array.from({ length: WRITERS }, () => 0));
    const output = await run(child('load-child'), [recorded, path.join(recorded, 'acks'), first, '150']);
    assert.equal(output, '');
    const operations = readRecord(log);
    const acknowledged = operations.filter((operation) => operation.path.endsWith('/acks'));
    const merges = operations.filter(({ type, path: file }) => type === 'sync' && file.endsWith('edge.db'));
    assert.equal(acknowledged.length, WRITERS * 3 * 150);
    assert.ok(merges.length >= 2, 'the run was too short for its log to be merged');
    await cutPower(operations, cuts);
  });

  it('a flush that fails is not acknowledged, and no more is promised', async function () {
    this.timeout(60_000);
    const first = JSON.stringify(Array.from({ length: WRITERS }, () => 0));
    const errors = await run(child('load-child'), [recorded, path.join(recorded, 'acks'), first, '50'], {
      IO_FAIL_SYNC_AFTER: '40',
    });
    assert.match(errors, /^ERR_EDGE_STORE_FAILED .* failed \(SQLITE_IOERR_FSYNC/);
    const operations = readRecord(log);
    const failedAt = operations.findIndex(({ type }) => type === 'failed-sync');
    const later = operations.slice(failedAt).filter(({ path: name }) => name.endsWith('/acks'));
    assert.ok(failedAt > 0);
    assert.equal(later.length, 0, 'writes were acknowledged after the failure');
    await cutPower(operations, 20);
  });

  it('a disk that stalls holds up the writes, and not the event loop', async function () {
    this.timeout(60_000);
    assert.equal(await run(child('load-child'), [recorded, '-', '[]']), '');
    const output = await run(child('stall-child'), [recorded], { IO_SYNC_DELAY_MS: '500' });
    const [tookMs = 0, longestPauseMs = Number.NaN] = output.split(' ').map(Number);
    assert.ok(tookMs >= 1500, `three writes after each other took ${output}`);
    assert.ok(longestPauseMs < 250, `the loop stood still for ${longestPauseMs} ms`);
  });

  for (const [fault, code] of [
    ['ENOSPC', 'ERR_EDGE_STORE_FULL'],
    ['EROFS', 'ERR_EDGE_STORE_READ_ONLY'],
  ] as const) {
    it(`refuses writes with a code, does nothing half, and goes on, on a disk that answers ${fault}`, async function () {
      this.timeout(120_000);
      // Of the compliance suites what is about failing disks; the rest ran elsewhere.
      const of = ['--grep', 'rejects, and goes on|everything that writes|at the start'];
      const output = await run(
        MOCHA,
        ['--no-config', '--timeout', '20000', ...of, child('failing-disk-suite')],
        {
          IO_FAULT_FILE: path.join(temp.path, 'fault'),
          FAULT: fault,
          CODE: code,
          // The suites make their folders here.
          TMPDIR: recorded,
        },
      );
      assert.match(output, /4 passing/, output);
      assert.doesNotMatch(output, /failing|pending|ended with/, output);
    });
  }

  it('goes on from what can be read where sectors cannot', async function () {
    this.timeout(120_000);
    const fault = path.join(temp.path, 'fault');
    const output = await run(MOCHA, ['--no-config', '--timeout', '20000', child('lost-sector-suite')], {
      IO_FAULT_FILE: fault,
      TMPDIR: recorded,
    });
    assert.match(output, /4 passing/, output);
    assert.doesNotMatch(output, /failing|pending|ended with/, output);
  });

  it('writes little: few pages for a pod, one for a value, none for what is there and none when idle', async function () {
    this.timeout(60_000);
    const marks = path.join(recorded, 'marks');
    assert.equal(await run(child('flash-child'), [recorded, marks, String(scaled(1500, 60_000))]), '');
    const written = writtenBetweenMarks(readRecord(log));
    const perUpdate = (written.get('updates') ?? Number.NaN) / 100;
    const perValue = (written.get('values') ?? Number.NaN) / 100;
    assert.ok(perUpdate < 5500, `${perUpdate} bytes for an update of a pod of 4 KB, its record included`);
    assert.ok(perValue < 1200, `${perValue} bytes for a value`);
    assert.equal(written.get('same'), 0);
    assert.equal(written.get('idle'), 0);
  });
});

/** Bytes written after each mark. */
function writtenBetweenMarks(operations: readonly IoOperation[]): Map<string, number> {
  const written = new Map<string, number>();
  let mark = 'open';
  for (const { type, path: name, data } of operations) {
    if (name.endsWith('/marks')) mark = data.toString().trim();
    else if (type === 'write') written.set(mark, (written.get(mark) ?? 0) + data.length);
    if (!written.has(mark)) written.set(mark, 0);
  }
  return written;
}
