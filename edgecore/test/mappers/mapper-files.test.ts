import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { DefinitionFolder, hasDefinitions } from '../../src/mappers/definition-folder.ts';
import { Leftovers } from '../../src/mappers/leftover.ts';
import { MapperSecrets } from '../../src/mappers/mapper-secrets.ts';
import { runAs } from '../../src/mappers/run-as.ts';

describe('files of mappers', () => {
  let dir: TempDir;

  beforeEach(async () => {
    dir = await makeTempDir();
  });

  afterEach(() => dir.remove());

  describe('the folder of definitions', () => {
    it('has none where it is not there', async () => {
      const folder = new DefinitionFolder(path.join(dir.path, 'none'), silentLogger);
      assert.equal((await folder.read()).definitions.size, 0);
      assert.equal(await hasDefinitions(path.join(dir.path, 'none')), false);
    });

    it('follows files that come, change and go', async () => {
      const folder = new DefinitionFolder(dir.path, silentLogger);
      const file = path.join(dir.path, 'modbus.yaml');
      await writeFile(file, 'protocols: [modbus]\n');
      await writeFile(path.join(dir.path, 'notes.txt'), 'not one of them');
      assert.equal(await hasDefinitions(dir.path), true);
      assert.deepEqual([...(await folder.read()).definitions.keys()], ['modbus']);
      await writeFile(file, 'protocols: [modbus, modbus-rtu]\n');
      assert.deepEqual((await folder.read()).definitions.get('modbus')?.protocols, ['modbus', 'modbus-rtu']);
      await rm(file);
      assert.equal((await folder.read()).definitions.size, 0);
    });

    it('keeps what was valid while a file is not, and says why', async () => {
      const folder = new DefinitionFolder(dir.path, silentLogger);
      const file = path.join(dir.path, 'modbus.yaml');
      await writeFile(file, 'protocols: [modbus]\n');
      await folder.read();
      for (const [wrong, why] of [
        ['protocols: [Modbus, and more]\n', /is not a DNS label/],
        ['protocols: [\n', /flow|end/i],
        [`# ${'x'.repeat(70_000)}\n`, /at most 65536/],
      ] as const) {
        await writeFile(file, wrong);
        const found = await folder.read();
        assert.deepEqual(found.definitions.get('modbus')?.protocols, ['modbus']);
        assert.match(found.problems[0]?.problems.join() ?? '', why);
        assert.equal(found.problems[0]?.file, file);
      }
    });
  });

  describe('secrets', () => {
    it('are made once, for their owner only, and stay', async () => {
      const secrets = new MapperSecrets(dir.path, silentLogger);
      await secrets.open();
      const secret = await secrets.ensure('modbus');
      assert.match(secret, /^[\w-]{43}$/);
      assert.equal((await stat(secrets.file('modbus'))).mode & 0o777, 0o600);
      const again = new MapperSecrets(dir.path, silentLogger);
      await again.open();
      assert.equal(await again.ensure('modbus'), secret);
    });

    it('match their own mapper, and nothing else', async () => {
      const secrets = new MapperSecrets(dir.path, silentLogger);
      await secrets.open();
      const secret = await secrets.ensure('modbus');
      await secrets.ensure('other');
      assert.equal(secrets.matches('modbus', secret), true);
      assert.equal(secrets.matches('modbus', Buffer.from(secret)), true);
      for (const [name, said] of [
        ['other', secret],
        ['nobody', secret],
        ['modbus', ''],
        ['modbus', `${secret}x`],
        ['modbus', secret.slice(0, -1)],
        ['modbus', `${secret}\0`],
      ] as const)
        assert.equal(secrets.matches(name, said), false, `${name} ${said}`);
    });

    it('are made anew where the file has none', async () => {
      const secrets = new MapperSecrets(dir.path, silentLogger);
      await secrets.open();
      await writeFile(secrets.file('modbus'), 'short\n');
      const secret = await secrets.ensure('modbus');
      assert.equal((await readFile(secrets.file('modbus'), 'utf8')).trim(), secret);
    });
  });

  describe('processes of an earlier run', () => {
    it('are found as long as they are the same', async () => {
      const leftovers = new Leftovers(dir.path, silentLogger);
      await leftovers.remember('modbus', process.pid);
      assert.equal(await leftovers.find('modbus'), process.pid);
      const file = path.join(dir.path, 'modbus.pid');
      await writeFile(file, `${process.pid} 1\n`);
      assert.equal(await leftovers.find('modbus'), undefined, 'another one has the number');
      for (const text of ['', 'garbage', '-1 5', '999999999 5']) {
        await writeFile(file, text);
        assert.equal(await leftovers.find('modbus'), undefined, text);
      }
      await leftovers.forget('modbus');
      await leftovers.forget('modbus');
    });

    it('are not known where the disk refuses, which ends nothing', async () => {
      const leftovers = new Leftovers(path.join(dir.path, 'none', 'such'), silentLogger);
      await leftovers.remember('modbus', process.pid);
      assert.equal(await leftovers.find('modbus'), undefined);
      await mkdir(path.join(dir.path, 'folder.pid', 'full'), { recursive: true });
      await new Leftovers(dir.path, silentLogger).forget('folder');
    });
  });

  describe('users', () => {
    it('are found by name and by number', async () => {
      if (process.getuid?.() !== 0) return;
      await mkdir(dir.path, { recursive: true });
      const passwd = path.join(dir.path, 'passwd');
      await writeFile(passwd, 'root:x:0:0::/:/bin/sh\nmeter:x:1234:1235::/:/bin/false\n');
      assert.deepEqual(await runAs('meter', passwd), { uid: 1234, gid: 1235 });
      assert.deepEqual(await runAs('1234', passwd), { uid: 1234, gid: 1235 });
      assert.deepEqual(await runAs('77', passwd), { uid: 77, gid: 77 });
      assert.equal(await runAs('', passwd), undefined);
      assert.equal(await runAs('root', passwd), undefined);
      await assert.rejects(runAs('nobody-here', passwd), /there is no user nobody-here/);
    });
  });
});
