import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, symlink, truncate } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { within } from '@hawser/seams/testing';
import { EdgeCoreError } from '../../src/errors.ts';
import { LogSite } from './log-site.ts';

const T0 = Date.UTC(2026, 0, 1);

describe('ContainerLog', () => {
  let site: LogSite;
  beforeEach(async () => {
    site = await LogSite.open();
  });
  afterEach(() => site.close());

  const mixed = [
    '2026-01-01T00:00:00Z stdout F one',
    '2026-01-01T00:00:01.5Z stderr F two',
    '2026-01-01T02:00:02.123456789+02:00 stdout P thr',
    '2026-01-01T00:00:03.1Z stdout P e',
    '2026-01-01T00:00:03.2Z stdout F e',
    '2026-01-01T00:00:04Z stdout F:tag:other ',
    '2026-01-01T00:00:05Z stderr F  äö 𝛼',
    '',
  ].join('\n');

  const table: [what: string, query: Parameters<LogSite['read']>[0], expected: string][] = [
    ['all', {}, 'one\ntwo\nthree\n\n äö 𝛼\n'],
    ['stdout', { stream: 'Stdout' }, 'one\nthree\n\n'],
    ['stderr', { stream: 'Stderr' }, 'two\n äö 𝛼\n'],
    ['the last line', { tailLines: 1 }, ' äö 𝛼\n'],
    ['the last three lines, one of them in pieces', { tailLines: 3 }, 'three\n\n äö 𝛼\n'],
    ['more lines than there are', { tailLines: 100 }, 'one\ntwo\nthree\n\n äö 𝛼\n'],
    ['no lines', { tailLines: 0 }, ''],
    ['the last two of stdout', { tailLines: 2, stream: 'Stdout' }, 'three\n\n'],
    ['the last of stdout and a limit', { tailLines: 2, stream: 'Stdout', limitBytes: 4 }, 'thre'],
    ['a limit at the end of a line', { limitBytes: 4 }, 'one\n'],
    ['a limit in a line', { limitBytes: 6 }, 'one\ntw'],
    ['a limit beyond the end', { limitBytes: 1000 }, 'one\ntwo\nthree\n\n äö 𝛼\n'],
    ['since a time', { sinceMs: T0 + 4000 }, '\n äö 𝛼\n'],
    ['since a time in the middle of a line', { sinceMs: T0 + 3100 }, 'ee\n\n äö 𝛼\n'],
    ['since a time that has not come', { sinceMs: T0 + 60_000 }, ''],
    ['tail, of it since', { tailLines: 2, sinceMs: T0 + 5000 }, ' äö 𝛼\n'],
    [
      'with times',
      { timestamps: true },
      '2026-01-01T00:00:00.000000000Z one\n2026-01-01T00:00:01.500000000Z two\n' +
        '2026-01-01T02:00:02.123456789+02:00 three\n2026-01-01T00:00:04.000000000Z \n' +
        '2026-01-01T00:00:05.000000000Z  äö 𝛼\n',
    ],
    ['with times and a limit', { timestamps: true, limitBytes: 12 }, '2026-01-01T0'],
  ];
  for (const [what, query, expected] of table) {
    it(`gives ${what}`, async () => {
      await site.write(mixed);
      assert.equal(await site.read(query), expected);
    });
  }

  it('gives an unfinished last line as it is, and counts it as one', async () => {
    await site.write(`${site.lines(3)}2026-01-01T00:00:09Z stdout F unfini`);
    assert.equal(await site.read(), 'line 0\nline 1\nline 2\nunfini');
    assert.equal(await site.read({ tailLines: 2 }), 'line 2\nunfini');
    await site.write(`2026-01-01T00:00:09Z stdout F a\n2026-01-01T00:00:09Z stdout P b\n`);
    assert.equal(await site.read({ tailLines: 1 }), 'b');
  });

  it('leaves out what is no line of a log', async () => {
    const junk = [
      '',
      'no header at all',
      '2026-01-01T00:00:00Z stdout F',
      '2026-01-01T00:00:00Z nowhere F x',
      'yesterday stdout F x',
      `${'x'.repeat(300)} stdout F x`,
      '\0\0\0\0 \0 \0 \0',
    ];
    const good = '2026-01-01T00:00:00Z stdout F good';
    await site.write([...junk, good, ...junk, good, ...junk].join('\n'));
    assert.equal(await site.read(), 'good\ngood\n');
    assert.equal(await site.read({ tailLines: 1 }), 'good\n');
    assert.equal(await site.read({ sinceMs: T0 }), 'good\ngood\n');
  });

  it('reads any bytes of a content as they are', async () => {
    const content = Buffer.from([...Array(256).keys()].filter((byte) => byte !== 10));
    await site.write(
      Buffer.concat([Buffer.from('2026-01-01T00:00:00Z stdout F '), content, Buffer.from('\n')]),
    );
    assert.deepEqual(await site.bytes(), Buffer.concat([content, Buffer.from('\n')]));
  });

  for (const tailLines of [1, 2, 3, 999, 4_000, 39_999]) {
    it(`finds the last ${tailLines} of 40000 lines, over many blocks`, async () => {
      const lines = Array.from({ length: 40_000 }, (_, index) => `${'x'.repeat(index % 97)}${index}`);
      await site.write(lines.map((line) => `2026-01-01T00:00:00.1Z stdout F ${line}\n`).join(''));
      assert.equal(await site.read({ tailLines }), lines.slice(-tailLines).join('\n') + '\n');
    });
  }

  it('finds where lines begin, wherever the blocks are cut', async () => {
    // One line that brings the beginning of the next one to each place around the end of a block.
    for (let shift = 65_536 - 50; shift < 65_536 + 10; shift++) {
      const last = '2026-01-01T00:00:00Z stdout F last\n';
      const filler = `2026-01-01T00:00:00Z stdout F ${'y'.repeat(shift)}\n`;
      await site.write(`2026-01-01T00:00:00Z stdout F a\n${last}${filler}`);
      assert.equal(await site.read({ tailLines: 2 }), `last\n${'y'.repeat(shift)}\n`, String(shift));
      assert.equal(await site.read({ tailLines: 1 }), `${'y'.repeat(shift)}\n`, String(shift));
    }
  });

  it('reads a line of 100 MB in pieces, without having all of it', async () => {
    const piece = 'z'.repeat(1024 * 1024);
    await site.write('2026-01-01T00:00:00Z stdout F short\n2026-01-01T00:00:01Z stdout F ');
    for (let index = 0; index < 100; index++) await site.append(piece);
    await site.append('\n');
    let bytes = 0;
    let largest = 0;
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    for await (const chunk of await site.openLog({ tailLines: 1 })) {
      bytes += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    assert.equal(bytes, 100 * 1024 * 1024 + 1);
    assert.ok(largest <= 66_000, String(largest));
    const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grownMiB < 60, `${grownMiB} MiB`);
  }).timeout(20_000);

  it('reads no more than it is asked for', async () => {
    await site.write(site.lines(100_000));
    const log = await site.openLog({});
    const chunks = log[Symbol.asyncIterator]();
    const first = await chunks.next();
    assert.ok(first.done !== true && first.value.length < 70_000);
    // Emptied behind its back: what it had not read yet is not there any more.
    await truncate(site.path, 0);
    assert.equal((await chunks.next()).done, true);
  });

  describe('over rotated files', () => {
    beforeEach(async () => {
      await site.write(gzipSync(site.lines(10)), '0.log.20260101-000001.gz');
      await site.write(site.lines(10), '0.log.20260101-000002');
      await site.write(site.lines(10), '0.log');
      await site.write('rubbish', '0.log.20260101-000003.tmp');
      await site.write('rubbish', '1.log');
    });
    const expected = (from: number): string =>
      Array.from({ length: 30 - from }, (_, index) => `line ${from + index}\n`).join('');

    it('shows the present log alone where nothing is said', async () => {
      assert.equal(await site.read(), expected(20));
    });

    for (const tailLines of [1, 9, 10, 11, 19, 20, 21, 29, 30, 31, 1000]) {
      it(`shows the last ${tailLines} lines of all`, async () => {
        assert.equal(await site.read({ tailLines }), expected(Math.max(0, 30 - tailLines)));
      });
    }

    it('shows what is since a time, of all', async () => {
      for (const from of [0, 5, 10, 15, 20, 25]) {
        assert.equal(await site.read({ sinceMs: T0 + from * 1000 }), expected(from));
      }
    });

    it('counts a file once that a crash has left packed and unpacked', async () => {
      const copy = gzipSync(await readFile(site.file('0.log.20260101-000002')));
      await site.write(copy, '0.log.20260101-000002.gz');
      assert.equal(await site.read({ tailLines: 25 }), expected(5));
    });

    it('goes on where a packed file is damaged', async () => {
      await site.write(gzipSync(site.lines(1000)).subarray(0, 500), '0.log.20260101-000001.gz');
      const text = await site.read({ tailLines: 100_000 });
      assert.ok(text.endsWith(expected(10)));
      await site.write('no gzip', '0.log.20260101-000001.gz');
      assert.equal(await site.read({ tailLines: 100_000 }), expected(10));
    });

    it('takes the latest rotated file for the present one, while the runtime has not begun another', async () => {
      await site.rename('0.log', '0.log.20260101-000004');
      assert.equal(await site.read(), expected(20));
      assert.equal(await site.read({ tailLines: 12 }), expected(18));
    });
  });

  describe('refuses', () => {
    const isLogError = (error: unknown): boolean =>
      error instanceof EdgeCoreError && error.code === 'ERR_EDGECORE_CONTAINER_LOG';

    it('what is not there', async () => {
      await assert.rejects(site.openLog({}), isLogError);
      await assert.rejects(site.openLog({}, { path: '/nowhere/at/all/0.log' }), isLogError);
    });

    it('links, pipes and folders, at once', async () => {
      await symlink('/etc/passwd', site.path);
      await assert.rejects(site.openLog({}), /symbolic link/);
      execFileSync('mkfifo', [site.file('1.log')]);
      await within('the answer', assert.rejects(site.openLog({}, { path: site.file('1.log') }), isLogError));
      await assert.rejects(site.openLog({}, { path: site.dir }), isLogError);
    });

    it('a folder that is a link', async () => {
      await site.write(site.lines(1));
      await symlink(site.dir, `${site.dir}2`);
      await assert.rejects(site.openLog({}, { path: `${site.dir}2/0.log` }), /symbolic link/);
    });

    it('to go on once it is told to stop', async () => {
      await site.write(site.lines(50_000));
      const stop = new AbortController();
      const reason = new Error('enough');
      const log = await site.openLog({}, { signal: stop.signal });
      await assert.rejects(async () => {
        for await (const piece of log) if (piece.length > 0) stop.abort(reason);
      }, reason);
      await assert.rejects(site.openLog({}, { signal: AbortSignal.abort(reason) }), reason);
    });
  });
});
