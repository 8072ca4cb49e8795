import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { DiskPkiFolder } from '../../src/identity/pki-folder.ts';
import { LogLines } from './log-lines.ts';

describe('the folder of keys and certificates', () => {
  let temp: TempDir;
  let dir: string;
  let log: LogLines;
  let folder: DiskPkiFolder;

  beforeEach(async () => {
    temp = await makeTempDir();
    dir = path.join(temp.path, 'data', 'pki');
    log = new LogLines();
    folder = new DiskPkiFolder(dir, log);
  });

  afterEach(() => temp.remove());

  const modeOf = async (name: string): Promise<number> => (await stat(path.join(dir, name))).mode & 0o777;

  it('is made, with files in it that nobody else may read', async () => {
    await folder.open();
    await folder.write('node.pem', 'secret');
    assert.equal(await modeOf('.'), 0o700);
    assert.equal(await modeOf('node.pem'), 0o600);
    assert.equal(await folder.read('node.pem'), 'secret');
    assert.deepEqual(log.lines, []);
  });

  it('has rights that are too wide narrowed, and says so', async () => {
    await mkdir(dir, { recursive: true });
    await chmod(dir, 0o755);
    await writeFile(path.join(dir, 'node.pem'), 'secret');
    await chmod(path.join(dir, 'node.pem'), 0o644);
    await folder.open();
    assert.equal(await modeOf('.'), 0o700);
    assert.equal(await modeOf('node.pem'), 0o600);
    assert.equal(log.lines.filter((line) => line.startsWith('warn')).length, 2);
    await folder.open();
    assert.equal(log.lines.length, 2, 'once repaired there is nothing to say');
  });

  it('leaves rights alone that are narrower still', async () => {
    await folder.open();
    await folder.write('node.pem', 'secret');
    await chmod(path.join(dir, 'node.pem'), 0o400);
    await folder.open();
    assert.equal(await modeOf('node.pem'), 0o400);
  });

  it('replaces a file as a whole, and drops what a crash left of a write', async () => {
    await folder.open();
    await folder.write('a', 'one');
    await folder.write('a', 'two');
    await writeFile(path.join(dir, '.tmp-0123'), 'thr');
    await folder.open();
    assert.deepEqual(await readdir(dir), ['a']);
    assert.equal(await folder.read('a'), 'two');
  });

  it('renames and removes', async () => {
    await folder.open();
    await folder.write('a', 'one');
    await folder.write('b', 'two');
    await folder.rename('b', 'a');
    assert.equal(await folder.read('a'), 'two');
    assert.equal(await folder.read('b'), undefined);
    await folder.remove('a');
    await folder.remove('a');
    assert.equal(await folder.read('a'), undefined);
  });

  it('says what it cannot use', async () => {
    await writeFile(path.join(temp.path, 'data'), 'a file where a folder is to be');
    await assert.rejects(folder.open(), { code: 'ERR_EDGECORE_PKI_DIR', about: dir });
    const inRoot = new DiskPkiFolder(path.join(temp.path, 'there'));
    await inRoot.open();
    await mkdir(path.join(inRoot.dir, 'x'));
    await assert.rejects(inRoot.write('x', 'text'), {
      code: 'ERR_EDGECORE_PKI_DIR',
      about: path.join(inRoot.dir, 'x'),
    });
    await assert.rejects(inRoot.read('x'), { code: 'ERR_EDGECORE_PKI_DIR' });
    assert.deepEqual(await readdir(inRoot.dir), ['x'], 'a write that failed leaves nothing behind');
  });
});
