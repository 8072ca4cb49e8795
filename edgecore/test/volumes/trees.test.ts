import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { makeTempDir, scaled, type TempDir } from '@hawser/seams/testing';
import { diskUsage } from '../../src/volumes/disk-usage.ts';
import { OpenFolder } from '../../src/volumes/open-folder.ts';
import { removeTree } from '../../src/volumes/remove-tree.ts';
import { MakeFolderError, openBelow, UnsafePathError } from '../../src/volumes/safe-path.ts';
import { TreeError } from '../../src/volumes/tree-walk.ts';

const { signal } = new AbortController();

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

async function remove(folder: string, name: string, abort = signal): Promise<void> {
  const parent = await OpenFolder.open(folder);
  try {
    await removeTree(parent, name, abort);
  } finally {
    await parent.close();
  }
}

/** Folders in each other, deeper than a path may be long, with a file in the last one. */
function makeDeep(folder: string, depth: number): void {
  let here = openSync(folder, constants.O_DIRECTORY);
  for (let level = 0; level < depth; level += 1) {
    mkdirSync(`/proc/self/fd/${here}/d`);
    const next = openSync(`/proc/self/fd/${here}/d`, constants.O_DIRECTORY);
    closeSync(here);
    here = next;
  }
  writeFileSync(`/proc/self/fd/${here}/f`, 'x');
  closeSync(here);
}

describe('trees of files', () => {
  let dir: TempDir;
  let open: number;
  const at = (...names: string[]): string => path.join(dir.path, ...names);
  beforeEach(async () => {
    dir = await makeTempDir();
    mkdirSync(at('out'));
    writeFileSync(at('out/precious'), 'p');
    mkdirSync(at('tree'));
    open = openFiles();
  });
  afterEach(async () => {
    const left = openFiles();
    await dir.remove();
    assert.equal(left, open, 'files stay open');
  });

  describe('removing', () => {
    it('removes files of all kinds and names, and follows no link', async () => {
      mkdirSync(at('tree/a/b'), { recursive: true });
      symlinkSync(at('out'), at('tree/a/link'));
      symlinkSync(at('out/precious'), at('tree/file-link'));
      writeFileSync(Buffer.concat([Buffer.from(at('tree/a/')), Buffer.from([0xff, 0x2d, 0xfe])]), 'x');
      writeFileSync(at('tree/a/-rf *'), 'x');
      spawnSync('mkfifo', [at('tree/pipe')]);
      await remove(dir.path, 'tree');
      assert.deepEqual(readdirSync(dir.path), ['out']);
      assert.equal(readFileSync(at('out/precious'), 'utf8'), 'p');
    });

    it('removes a link itself, a file, and nothing', async () => {
      symlinkSync(at('out'), at('link'));
      writeFileSync(at('file'), '');
      await remove(dir.path, 'link');
      await remove(dir.path, 'file');
      await remove(dir.path, 'none');
      assert.deepEqual(readdirSync(dir.path).toSorted(), ['out', 'tree']);
      assert.deepEqual(readdirSync(at('out')), ['precious']);
    });

    it('removes what is deeper than a path may be, with few open files', async function () {
      this.timeout(scaled(20_000, 120_000));
      makeDeep(at('tree'), scaled(300, 5000));
      writeFileSync(at('tree/.removed-1'), 'in the way');
      mkdirSync(at('tree/.removed-2/full'), { recursive: true });
      let most = 0;
      const timer = setInterval(() => (most = Math.max(most, openFiles())), 5);
      try {
        await remove(dir.path, 'tree');
      } finally {
        clearInterval(timer);
      }
      assert.deepEqual(readdirSync(dir.path), ['out']);
      assert.ok(most > open && most < open + 100, `${most - open} open files`);
    });

    it('removes many files', async () => {
      for (let count = 0; count < 1000; count += 1) writeFileSync(at('tree', `file-${count}`), '');
      await remove(dir.path, 'tree');
      assert.deepEqual(readdirSync(dir.path), ['out']);
    });

    it('gives up when it is told to, and goes on later', async () => {
      mkdirSync(at('tree/a'));
      const reason = new Error('stop');
      await assert.rejects(remove(dir.path, 'tree', AbortSignal.abort(reason)), reason);
      await remove(dir.path, 'tree');
      assert.deepEqual(readdirSync(dir.path), ['out']);
    });
  });

  describe('paths below a folder', () => {
    beforeEach(() => {
      mkdirSync(at('tree/real/deep'), { recursive: true });
      writeFileSync(at('tree/real/file'), 'f');
      symlinkSync('real/deep', at('tree/inside'));
      symlinkSync('../real/./file', at('tree/real/around'));
      symlinkSync('../file', at('tree/real/deep/up'));
      symlinkSync('../out', at('tree/outside'));
      symlinkSync('/etc', at('tree/absolute'));
      symlinkSync('loop', at('tree/loop'));
      symlinkSync('real/deep/../../../out', at('tree/far'));
    });

    async function opened(name: string): Promise<string> {
      const entry = await openBelow(at('tree'), name, 0o2770);
      try {
        return path.relative(at('tree'), readlinkSync(entry.path));
      } finally {
        await entry.close();
      }
    }

    const inside: readonly (readonly [string, string])[] = [
      ['', ''],
      ['.', ''],
      ['real', 'real'],
      ['real/deep/', 'real/deep'],
      ['real//./file', 'real/file'],
      ['inside', 'real/deep'],
      ['inside/up', 'real/file'],
      ['real/around', 'real/file'],
      ['real/deep/..', 'real'],
      ['new/folder', 'new/folder'],
      ['inside/new', 'real/deep/new'],
    ];
    for (const [name, where] of inside) {
      it(`opens '${name}'`, async () => assert.equal(await opened(name), where));
    }

    const unsafe: readonly string[] = [
      '..',
      'real/../..',
      'outside',
      'outside/precious',
      'absolute/passwd',
      'far',
      'loop',
      'real/file/x',
      'd/'.repeat(300),
    ];
    for (const name of unsafe) {
      it(`refuses '${name.slice(0, 20)}'`, () => assert.rejects(opened(name), UnsafePathError));
    }

    it('makes folders with the mode that they are to have', async () => {
      const before = process.umask(0o077);
      try {
        await opened('made/of/many');
      } finally {
        process.umask(before);
      }
      for (const name of ['made', 'made/of', 'made/of/many']) {
        assert.equal(statSync(at('tree', name)).mode & 0o7777, 0o2770, name);
      }
    });

    it('says when a folder cannot be made', () =>
      assert.rejects(openBelow('/proc', 'none', 0o755), MakeFolderError));

    it('needs a folder to begin with', () => assert.rejects(openBelow(at('tree/absolute'), 'x', 0o755)));
  });

  describe('measuring', () => {
    it('counts what is allocated, and a file with two names once', async () => {
      const empty = await diskUsage(at('tree'), signal);
      writeFileSync(at('tree/a'), Buffer.alloc(100_000, 1));
      linkSync(at('tree/a'), at('tree/b'));
      symlinkSync(at('out'), at('tree/out'));
      mkdirSync(at('tree/sub'));
      writeFileSync(at('tree/sub/c'), Buffer.alloc(50_000, 1));
      const used = (await diskUsage(at('tree'), signal)) - empty;
      const { stdout } = spawnSync('du', ['-s', '-B1', at('tree')], { encoding: 'utf8' });
      assert.equal(used + empty, Number.parseInt(stdout, 10));
      assert.ok(used >= 150_000 && used < 200_000, `${used} bytes`);
    });

    it('does not go on for ever', async () => {
      makeDeep(at('tree'), 300);
      await assert.rejects(diskUsage(at('tree'), signal), TreeError);
      await assert.rejects(diskUsage(at('tree'), AbortSignal.abort(new Error('stop'))), { message: 'stop' });
    });
  });
});
