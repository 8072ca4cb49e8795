import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { SCRIPT } from './edge-package.ts';

interface Run {
  readonly code: number | string | null | undefined;
  readonly stderr: string;
}

// What cannot be packed is said before anything is made.
describe('npm run package', function () {
  this.timeout(20_000);
  let temp: TempDir;

  beforeEach(async () => {
    temp = await makeTempDir();
  });
  afterEach(() => temp.remove());

  function pack(...args: readonly string[]): Promise<Run> {
    const line = [SCRIPT, '--out', path.join(temp.path, 'out'), ...args];
    return new Promise((resolve) => {
      execFile(process.execPath, line, (error, _stdout, stderr) => resolve({ code: error?.code, stderr }));
    });
  }

  it('refuses a processor that it does not know', async () => {
    const { code, stderr } = await pack('--arch', 'mips');
    assert.equal(code, 1);
    assert.match(stderr, /no packages for "mips".*amd64, arm64, armhf/s);
    assert.deepEqual(await readdir(temp.path), []);
  });

  it('names every part that is not there, or is for another processor', async () => {
    const parts = path.join(temp.path, 'parts');
    await mkdir(parts);
    await writeFile(path.join(parts, 'node'), 'no program');
    const { code, stderr } = await pack(
      '--arch',
      process.arch === 'arm64' ? 'amd64' : 'arm64',
      '--parts',
      parts,
    );
    assert.equal(code, 1);
    assert.match(stderr, /parts\/node is no program of Linux/);
    assert.match(stderr, /better_sqlite3\.node is not there/);
    assert.match(stderr, /quic\/libp2p-quic\.linux-\w+-gnu\.node is not there/);
    assert.match(stderr, /packaging\/README\.md/);
    assert.deepEqual(await readdir(temp.path), ['parts']);
  });
});
