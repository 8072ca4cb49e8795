import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
  type FSWatcher,
} from 'node:fs';
import path from 'node:path';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { AtomicWriter, PayloadPathError, type Payload } from '../../src/volumes/atomic-writer.ts';

const NOW = new Date('2026-11-22T05:30:07.123Z');
const { signal } = new AbortController();

function payload(files: Readonly<Record<string, string>>, mode = 0o644): Payload {
  return new Map(Object.entries(files).map(([name, text]) => [name, { data: Buffer.from(text), mode }]));
}

describe('the atomic writer', () => {
  let dir: TempDir;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => dir.remove());

  const at = (...names: string[]): string => path.join(dir.path, ...names);
  const read = (name: string): string => readFileSync(at(name), 'utf8');
  const names = (): string[] =>
    readdirSync(dir.path)
      .filter((name) => !name.startsWith('..'))
      .toSorted();
  const hidden = (): string[] => readdirSync(dir.path).filter((name) => name.startsWith('..'));

  it('shows files through links', async () => {
    const writer = new AtomicWriter(dir.path);
    assert.equal(await writer.write(payload({ a: '1', 'd/e/f': '2', 'd/g': '3' }), NOW, signal), true);
    assert.deepEqual(names(), ['a', 'd']);
    assert.equal(readlinkSync(at('a')), '..data/a');
    assert.equal(readlinkSync(at('d')), '..data/d');
    assert.match(readlinkSync(at('..data')), /^\.\.2026_11_22_05_30_07\.\d+$/);
    assert.deepEqual([read('a'), read('d/e/f'), read('d/g')], ['1', '2', '3']);
    assert.equal(statSync(at('..data/')).mode & 0o7777, 0o755);
    assert.equal(statSync(at('d/e')).mode & 0o7777, 0o755);
  });

  it('gives each file its mode, whatever the umask', async () => {
    const before = process.umask(0o077);
    try {
      const files = new Map([
        ['x', { data: Buffer.from('x'), mode: 0o777 }],
        ['y', { data: Buffer.from('y'), mode: 0o400 }],
      ]);
      await new AtomicWriter(dir.path).write(files, NOW, signal);
    } finally {
      process.umask(before);
    }
    assert.equal(statSync(at('x')).mode & 0o7777, 0o777);
    assert.equal(statSync(at('y')).mode & 0o7777, 0o400);
  });

  it('changes all files at once, and leaves nothing behind', async () => {
    const writer = new AtomicWriter(dir.path);
    await writer.write(payload({ a: '1', b: '1', gone: 'x', 'sub/old': 'x' }), NOW, signal);
    const before = readlinkSync(at('..data'));
    await writer.write(payload({ a: '2', b: '2', more: 'y', 'sub/new': 'y' }), NOW, signal);
    assert.notEqual(readlinkSync(at('..data')), before);
    assert.deepEqual(names(), ['a', 'b', 'more', 'sub']);
    assert.deepEqual([read('a'), read('b'), read('more'), read('sub/new')], ['2', '2', 'y', 'y']);
    assert.deepEqual(readdirSync(at('sub')), ['new']);
    assert.equal(hidden().length, 2, 'the link and the folder that it leads to');
  });

  it('never shows half of a change', async () => {
    const writer = new AtomicWriter(dir.path);
    const files = (text: string): Payload => payload({ a: text, b: text, c: text });
    await writer.write(files('0'), NOW, signal);
    let done = false;
    const writing = (async (): Promise<void> => {
      for (let round = 1; round <= 50; round += 1) await writer.write(files(String(round)), NOW, signal);
      done = true;
    })();
    let looks = 0;
    while (!done) {
      const folder = at(readlinkSync(at('..data')));
      const texts = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
      assert.equal(new Set(texts).size, 1, texts.join());
      assert.equal(texts.length, 3);
      looks += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    assert.ok(looks > 10, `${looks} looks`);
  });

  it('writes nothing where nothing differs, in this life and the next', async () => {
    const files = { a: '1', 'b/c': '2' };
    const writer = new AtomicWriter(dir.path);
    await writer.write(payload(files), NOW, signal);
    const link = readlinkSync(at('..data'));
    assert.equal(await writer.write(payload(files), NOW, signal), false);
    const next = new AtomicWriter(dir.path);
    assert.equal(await next.write(payload(files), NOW, signal), false);
    assert.equal(readlinkSync(at('..data')), link);
    assert.equal(await next.write(payload({ ...files, a: '2' }), NOW, signal), true);
  });

  const others: readonly (readonly [string, Payload])[] = [
    ['another text', payload({ a: '2' })],
    ['another mode', payload({ a: '1' }, 0o600)],
    ['one more file', payload({ a: '1', b: '1' })],
    ['another file', payload({ b: '1' })],
    ['no file', payload({})],
  ];
  for (const [what, files] of others) {
    it(`sees after a restart that the disk has not ${what}`, async () => {
      await new AtomicWriter(dir.path).write(payload({ a: '1' }), NOW, signal);
      assert.equal(await new AtomicWriter(dir.path).write(files, NOW, signal), true);
      assert.deepEqual(names(), [...files.keys()].toSorted());
    });
  }

  it('mends what a crash has left', async () => {
    await new AtomicWriter(dir.path).write(payload({ a: '1', b: '1' }), NOW, signal);
    writeFileSync(at('..data', 'b'), ''); // a file that a power cut has emptied
    mkdirSync(at('..2020_01_01_00_00_00.1/deep'), { recursive: true });
    symlinkSync('..2020_01_01_00_00_00.1', at('..data_tmp'));
    symlinkSync('..data/stale', at('stale'));
    assert.equal(await new AtomicWriter(dir.path).write(payload({ a: '1', b: '1' }), NOW, signal), true);
    assert.deepEqual(names(), ['a', 'b']);
    assert.equal(read('b'), '1');
    assert.equal(hidden().length, 2);
  });

  it('makes links that a crash has kept it from making', async () => {
    await new AtomicWriter(dir.path).write(payload({ a: '1' }), NOW, signal);
    const { unlinkSync } = await import('node:fs');
    unlinkSync(at('a'));
    assert.equal(await new AtomicWriter(dir.path).write(payload({ a: '1' }), NOW, signal), false);
    assert.equal(read('a'), '1');
  });

  it('tells programs that watch the folder', async () => {
    const writer = new AtomicWriter(dir.path);
    await writer.write(payload({ a: '1' }), NOW, signal);
    const seen: string[] = [];
    const watcher: FSWatcher = watch(dir.path, (_, name) => seen.push(`${name}`));
    try {
      await writer.write(payload({ a: '2' }), NOW, signal);
      await eventually('the swap is seen', () => seen.includes('..data'));
    } finally {
      watcher.close();
    }
  });

  it('keeps what is there when it cannot write', async () => {
    const writer = new AtomicWriter(dir.path);
    await writer.write(payload({ a: '1' }), NOW, signal);
    await assert.rejects(writer.write(payload({ a: 'file', 'a/b': 'below a file' }), NOW, signal));
    assert.equal(read('a'), '1');
    assert.equal(hidden().length, 2);
    assert.equal(await writer.write(payload({ a: '3' }), NOW, signal), true);
    assert.equal(read('a'), '3');
  });

  it('brings paths into one form', async () => {
    await new AtomicWriter(dir.path).write(payload({ './a': '1', 'b//c': '2' }), NOW, signal);
    assert.deepEqual([names(), read('b/c')], [['a', 'b'], '2']);
    assert.equal(lstatSync(at('a')).isSymbolicLink(), true);
  });

  const long = 'x'.repeat(256);
  const refused: readonly (readonly [string, string])[] = [
    ['', 'invalid path: must not be empty: ""'],
    ['/etc/passwd', 'invalid path: must be relative path: /etc/passwd'],
    ['a/../../b', "invalid path: must not contain '..': a/../../b"],
    ['..', "invalid path: must not contain '..': .."],
    ['..data', "invalid path: must not start with '..': ..data"],
    ['./..data', "invalid path: must not start with '..': ./..data"],
    [`a/${long}`, 'invalid path: filenames must be less than or equal to 255 characters'],
    [`a/${'b/'.repeat(2048)}c`, 'invalid path: must be less than or equal to 4096 characters'],
    ['.', 'invalid path: must name a file: .'],
    ['a\0b', 'invalid path: must not contain NUL'],
  ];
  for (const [name, message] of refused) {
    it(`refuses '${name.slice(0, 20)}'`, async () => {
      await assert.rejects(
        new AtomicWriter(dir.path).write(payload({ ok: '1', [name]: '1' }), NOW, signal),
        (error) => error instanceof PayloadPathError && error.message === message,
      );
      assert.deepEqual(readdirSync(dir.path), []);
    });
  }
});
