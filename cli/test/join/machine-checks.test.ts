import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import {
  checkCgroups,
  checkDisk,
  checkMemory,
  checkNodeName,
  checkNodeVersion,
  checkRights,
  checkSwap,
} from '../../src/join/machine-checks.ts';

const MIB = 2 ** 20;

describe('checks of the machine', () => {
  let dir: TempDir;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => dir.remove());

  it('take the releases of Node.js that run edgecore', () => {
    for (const version of ['v20.19.0', 'v20.20.2', 'v22.1.0', 'v24.0.0']) {
      assert.equal(checkNodeVersion(version).result, 'good', version);
    }
    for (const version of ['v20.18.9', 'v18.20.0', 'v9.0.0']) {
      const { result, remedy } = checkNodeVersion(version);
      assert.equal(result, 'failed', version);
      assert.match(remedy ?? '', /20\.19/);
    }
  });

  it('take names that a Node can have, and say whose name is wrong', () => {
    for (const name of ['a', 'edge-1', 'shop-17.example.org', '0x', `${'a'.repeat(63)}.b`]) {
      assert.equal(checkNodeName(name, true).result, 'good', name);
    }
    for (const name of ['', 'Edge', 'a_b', '-a', 'a-', 'a..b', '.a', 'a'.repeat(64), 'localhost', 'ä']) {
      assert.equal(checkNodeName(name, true).result, 'failed', name);
    }
    assert.match(checkNodeName('Bad_Name', false).found, /name of this machine/);
    assert.equal(checkNodeName('a.'.repeat(126) + 'ab', true).result, 'failed'); // 254 characters
  });

  it('see folders that are not there yet by what is above them', async () => {
    const { result } = await checkRights([path.join(dir.path, 'a', 'b'), dir.path]);
    assert.equal(result, 'good');
  });

  it('see folders that cannot be written', async () => {
    const file = path.join(dir.path, 'file');
    await writeFile(file, '');
    await chmod(file, 0o400);
    // Below a file no folder can be made, not even by root.
    const { result, found, remedy } = await checkRights([path.join(file, 'folder')]);
    assert.equal(result, 'failed');
    assert.match(found, /file.*folder/);
    assert.match(remedy ?? '', /--data-dir/);
  });

  it('see the room on the disk that a folder will be on', async () => {
    const { result, found } = await checkDisk(path.join(dir.path, 'not', 'there'));
    assert.equal(result, 'good');
    assert.match(found, new RegExp(`free at ${dir.path}$`));
  });

  it('want memory, and warn when little is free', () => {
    assert.equal(checkMemory(512 * MIB, 300 * MIB).result, 'good');
    assert.equal(checkMemory(512 * MIB, 20 * MIB).result, 'warning');
    assert.equal(checkMemory(64 * MIB, 60 * MIB).result, 'failed');
  });

  it('warn of swap, by name', async () => {
    const file = path.join(dir.path, 'swaps');
    await writeFile(file, 'Filename Type Size Used Priority\n');
    assert.equal((await checkSwap(file)).result, 'good');
    await writeFile(file, 'Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n');
    const { result, found } = await checkSwap(file);
    assert.equal(result, 'warning');
    assert.match(found, /\/dev\/sda2/);
    assert.equal((await checkSwap(path.join(dir.path, 'none'))).result, 'good');
  });

  it('find out which control groups there are', async () => {
    assert.equal((await checkCgroups(dir.path)).result, 'warning');
    await mkdir(path.join(dir.path, 'memory'));
    assert.deepEqual(await checkCgroups(dir.path), { result: 'good', found: 'version 1' });
    const controllers = path.join(dir.path, 'cgroup.controllers');
    await writeFile(controllers, 'cpuset cpu io memory pids\n');
    assert.deepEqual(await checkCgroups(dir.path), { result: 'good', found: 'version 2' });
    await writeFile(controllers, 'cpu pids\n');
    const { result, found } = await checkCgroups(dir.path);
    assert.equal(result, 'warning');
    assert.match(found, /without memory/);
  });
});
