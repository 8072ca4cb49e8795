import assert from 'node:assert/strict';
import { appendFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { delay } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { Follower, LogSite } from './log-site.ts';

describe('Following a log', () => {
  let site: LogSite;
  let ended: AbortController;
  let stop: AbortController;
  beforeEach(async () => {
    site = await LogSite.open();
    ended = new AbortController();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort(new Error('the test is over'));
    await site.close();
  });

  const follow = async (query: { tailLines?: number; limitBytes?: number } = {}): Promise<Follower> =>
    new Follower(
      await site.openLog({ follow: true, ...query }, { ended: ended.signal, signal: stop.signal }),
    );
  const expected = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join('');
  const says = (follower: Follower, text: string): Promise<void> =>
    eventually(
      `it says ${JSON.stringify(text)}, has ${JSON.stringify(follower.text.slice(-200))}`,
      () => follower.text === text,
    );

  it('says what is written, until the container has ended', async () => {
    await site.write(site.lines(3));
    const follower = await follow();
    await says(follower, expected(0, 3));
    for (let line = 3; line < 6; line++) {
      await site.append(site.lines(1));
      await says(follower, expected(0, line + 1));
    }
    await site.append(site.lines(2));
    ended.abort();
    await within('the end', follower.done);
    assert.equal(follower.text, expected(0, 8));
    assert.equal(follower.error, undefined);
  });

  it('says what a runtime writes just after a container has ended', async () => {
    await site.write(site.lines(1));
    ended.abort();
    const follower = await follow();
    await says(follower, expected(0, 1));
    await site.append(site.lines(1));
    await within('the end', follower.done);
    assert.equal(follower.text, expected(0, 2));
  });

  it('says a line as it comes, in however many pieces', async () => {
    await site.write('2026-01-01T00:0');
    const follower = await follow();
    for (const piece of ['0:00Z stdo', 'ut F ab', 'c', '\n2026-01-01T00:00:00Z stdout P d'])
      await site.append(piece);
    await says(follower, 'abc\nd');
    await site.append('\n2026-01-01T00:00:00Z stdout F e\n');
    await says(follower, 'abc\nde\n');
  });

  it('begins with the last lines, or with none', async () => {
    await site.write(site.lines(5));
    const [two, none] = [await follow({ tailLines: 2 }), await follow({ tailLines: 0 })];
    await says(two, expected(3, 5));
    await site.append(site.lines(1));
    await says(two, expected(3, 6));
    await says(none, expected(5, 6));
  });

  it('ends at its limit', async () => {
    await site.write(site.lines(1));
    const follower = await follow({ limitBytes: 10 });
    await says(follower, 'line 0\n');
    await site.append(site.lines(1));
    await within('the end', follower.done);
    assert.equal(follower.text, 'line 0\nlin');
  });

  it('waits for a log that is not there yet', async () => {
    const follower = await follow();
    await site.write(site.lines(2));
    await says(follower, expected(0, 2));
    ended.abort();
    await within('the end', follower.done);
  });

  it('ends where there never was a log', async () => {
    ended.abort();
    const follower = await follow();
    await within('the end', follower.done);
    assert.equal(follower.text, '');
  });

  it('rejects with the reason when it is told to stop', async () => {
    await site.write(site.lines(1));
    const follower = await follow();
    await says(follower, expected(0, 1));
    const reason = new Error('enough');
    stop.abort(reason);
    await within('the end', follower.done);
    assert.equal(follower.error, reason);
  });

  it('goes from a rotated file to the next, and takes what is still written to the old one', async () => {
    await site.write(site.lines(2));
    const follower = await follow();
    await says(follower, expected(0, 2));
    await site.append(site.lines(1));
    await site.rename('0.log', '0.log.20260101-000001');
    const late = site.lines(2);
    // The runtime has not been told yet, and goes on in the old file.
    await site.write(late.slice(0, late.length / 2), 'late');
    await appendFile(site.file('0.log.20260101-000001'), late.slice(0, late.length / 2));
    await says(follower, expected(0, 4));
    const next = site.lines(3);
    await site.write(next.slice(0, 0));
    await appendFile(site.file('0.log.20260101-000001'), late.slice(late.length / 2));
    await site.append(next);
    await says(follower, expected(0, 8));
    ended.abort();
    await within('the end', follower.done);
  });

  it('catches up over several rotations, though files were packed meanwhile', async () => {
    await site.write(site.lines(20_000));
    const log = await site.openLog({ follow: true }, { ended: ended.signal, signal: stop.signal });
    const chunks = log[Symbol.asyncIterator]();
    const first = await chunks.next();
    let text = first.done === true ? '' : Buffer.from(first.value).toString();
    await site.rename('0.log', '0.log.20260101-000001');
    await site.write(site.lines(10));
    await site.rename('0.log', '0.log.20260101-000002');
    await site.write(gzipSync(site.lines(10)), '0.log.20260101-000003.gz');
    await site.write(site.lines(10));
    ended.abort();
    for (let piece = await chunks.next(); piece.done !== true; piece = await chunks.next()) {
      text += Buffer.from(piece.value).toString();
    }
    assert.equal(text, expected(0, 20_030));
  });

  it('knows a file that was packed while it read it', async () => {
    await site.write(site.lines(20_000));
    const log = await site.openLog({ follow: true }, { ended: ended.signal, signal: stop.signal });
    const chunks = log[Symbol.asyncIterator]();
    const first = await chunks.next();
    let text = first.done === true ? '' : Buffer.from(first.value).toString();
    const packed = site.file('0.log.20260101-000001.gz');
    const { atime, mtime } = await stat(site.path);
    await writeFile(packed, gzipSync('what is in it was read from the other one'));
    await utimes(packed, atime, mtime);
    await rm(site.path);
    await delay(10); // times of files go on in steps of 4 ms
    await site.write(site.lines(10), '0.log.20260101-000002');
    await site.write(site.lines(10));
    ended.abort();
    for (let piece = await chunks.next(); piece.done !== true; piece = await chunks.next()) {
      text += Buffer.from(piece.value).toString();
    }
    assert.equal(text, expected(0, 20_020));
  });

  it('begins again in a log that was emptied', async () => {
    await site.write(site.lines(50));
    const follower = await follow();
    await says(follower, expected(0, 50));
    await truncate(site.path, 0);
    await site.append(site.lines(1));
    await says(follower, expected(0, 51));
  });

  it('ends although the folder of the log is gone', async () => {
    await site.write(site.lines(1));
    const follower = await follow();
    await says(follower, expected(0, 1));
    await rm(site.dir, { recursive: true });
    ended.abort();
    await within('the end', follower.done);
    assert.equal(follower.error, undefined);
  });

  it('holds up nobody but itself when its reader is slow', async () => {
    await site.write(site.lines(50_000));
    const log = await site.openLog({ follow: true }, { ended: ended.signal, signal: stop.signal });
    const chunks = log[Symbol.asyncIterator]();
    await chunks.next();
    for (let burst = 0; burst < 20; burst++) await site.append(site.lines(5_000));
    await delay(50); // what it would read ahead, it would read now
    const { heapUsed } = process.memoryUsage();
    let bytes = 0;
    ended.abort();
    for (let piece = await chunks.next(); piece.done !== true; piece = await chunks.next())
      bytes += piece.value.length;
    assert.ok(bytes > 1_000_000);
    assert.ok(process.memoryUsage().heapUsed - heapUsed < 50 * 2 ** 20);
  });
});
