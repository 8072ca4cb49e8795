import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import type { HostPathSource } from '../../src/pods/volume-source.ts';
import { checkHostPath } from '../../src/volumes/host-path.ts';
import { VolumeError } from '../../src/volumes/volume-error.ts';

describe('hostPath volumes', () => {
  let dir: TempDir;
  let server: Server;
  before(async () => {
    dir = await makeTempDir();
    mkdirSync(path.join(dir.path, 'folder'));
    writeFileSync(path.join(dir.path, 'file'), '');
    symlinkSync('folder', path.join(dir.path, 'link'));
    server = createServer().listen(path.join(dir.path, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
  });
  after(async () => {
    await new Promise((resolve) => server.close(resolve));
    await dir.remove();
  });

  type Type = NonNullable<HostPathSource['type']>;
  const good: readonly (readonly [Type, string])[] = [
    ['', 'nothing/at/all'],
    ['Directory', 'folder'],
    ['Directory', 'link'],
    ['DirectoryOrCreate', 'folder'],
    ['File', 'file'],
    ['FileOrCreate', 'file'],
    ['Socket', 'socket'],
    ['CharDevice', '/dev/null'],
  ];
  for (const [type, name] of good) {
    it(`takes ${name} as '${type}'`, () => checkHostPath({ type, path: path.resolve(dir.path, name) }));
  }

  it('makes folders and files', async () => {
    const folder = path.join(dir.path, 'new/deep');
    await checkHostPath({ path: folder, type: 'DirectoryOrCreate' });
    assert.equal(statSync(folder).mode & 0o7777, 0o755);
    await checkHostPath({ path: `${folder}/file`, type: 'FileOrCreate' });
    assert.equal(statSync(`${folder}/file`).mode & 0o7777, 0o644);
  });

  const bad: readonly (readonly [string, string, string])[] = [
    ['Directory', 'file', 'is not a directory'],
    ['Directory', 'none', 'is not a directory'],
    ['DirectoryOrCreate', 'file', 'is not a directory'],
    ['File', 'folder', 'is not a file'],
    ['File', 'none', 'is not a file'],
    ['FileOrCreate', 'folder', 'is not a file'],
    ['Socket', 'file', 'is not a socket file'],
    ['CharDevice', 'file', 'is not a character device'],
    ['BlockDevice', 'file', 'is not a block device'],
  ];
  for (const [type, name, what] of bad) {
    it(`refuses ${name} as ${type}`, () => {
      const where = path.join(dir.path, name);
      return assert.rejects(
        checkHostPath({ path: where, type: type as Type }),
        (error) =>
          error instanceof VolumeError && error.message === `hostPath type check failed: ${where} ${what}`,
      );
    });
  }

  it('refuses ways up, and types that there are not', async () => {
    await assert.rejects(checkHostPath({ path: '/a/../b' }), {
      message: "invalid HostPath `/a/../b`: must not contain '..'",
    });
    await assert.rejects(checkHostPath({ path: '/a', type: 'toString' as Type }), {
      message: 'toString is an invalid volume type',
    });
  });
});
