import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { parseCommandLine } from '../../src/command-line.ts';
import { checkConfig, readConfigFile } from '../../src/config/load-config.ts';
import { CloudCoreError } from '../../src/errors.ts';

describe('The configuration of the hub', () => {
  let temporary: TempDir;
  let dir: string;

  before(async () => {
    temporary = await makeTempDir();
    dir = temporary.path;
  });
  after(() => temporary.remove());

  it('has a default for everything', () => {
    const config = checkConfig(undefined, 'nothing');
    assert.equal(config.listen.websocketPort, 10_000);
    assert.equal(config.listen.quicPort, null);
    assert.equal(config.operations.host, '127.0.0.1');
    assert.equal(config.tolerations, 'unbounded');
    assert.equal(config.certificateDays, 365);
    assert.deepEqual(config.resources, []);
    assert.notEqual(config.replica, '');
  });

  it('keeps what is written, and fills in the rest of a section', () => {
    const config = checkConfig(
      { listen: { quicPort: 10_001 }, advertise: ['hub.example.org', '2001:db8::1'] },
      'f',
    );
    assert.equal(config.listen.quicPort, 10_001);
    assert.equal(config.listen.websocketPort, 10_000);
    assert.deepEqual(config.advertise, ['hub.example.org', '2001:db8::1']);
  });

  it('tells all problems at once, with their paths', () => {
    const wrong = {
      listen: { websocketPort: 70_000 },
      tolerations: 'never',
      advertise: ['https://hub'],
      resources: [{ version: 'v1', resource: 'services' }],
      colour: 'blue',
    };
    assert.throws(
      () => checkConfig(wrong, 'cloudcore.yaml'),
      (error: unknown) => {
        assert.ok(error instanceof CloudCoreError);
        assert.equal(error.code, 'ERR_CLOUDCORE_CONFIG');
        for (const part of [
          /^cloudcore\.yaml: /,
          /listen\.websocketPort: /,
          /tolerations: /,
          /advertise\.0: must be a name or an IP address/,
          /resources\.0\.kind: /,
          /colour/,
        ])
          assert.match(error.message, part);
        return true;
      },
    );
  });

  it('is read from YAML', async () => {
    const file = path.join(dir, 'cloudcore.yaml');
    await writeFile(file, 'listen:\n  websocketPort: 1234 # as the firewall has it\n');
    assert.deepEqual(await readConfigFile(file), { listen: { websocketPort: 1234 } });
    await writeFile(file, '# nothing yet\n');
    assert.deepEqual(await readConfigFile(file), {});
  });

  it('names the file that cannot be read', async () => {
    const refused = (text: string) => (error: unknown) =>
      error instanceof CloudCoreError &&
      error.code === 'ERR_CLOUDCORE_CONFIG' &&
      error.message.includes(text);
    await assert.rejects(readConfigFile(path.join(dir, 'absent.yaml')), refused('absent.yaml'));
    const file = path.join(dir, 'bad.yaml');
    await writeFile(file, 'listen: [\n');
    await assert.rejects(readConfigFile(file), refused('bad.yaml'));
    await writeFile(file, '- a list\n');
    await assert.rejects(readConfigFile(file), refused('no mapping'));
  });
});

describe('The command line of the hub', () => {
  it('runs with a configuration, and what overrides it', () => {
    const args = ['--config', 'c.yaml', '--log-level', 'debug', '--advertise', 'a', '--advertise', 'b'];
    args.push('--kubelet-advertise', '10.0.0.7');
    assert.deepEqual(parseCommandLine(args), {
      do: 'run',
      config: 'c.yaml',
      overrides: { logLevel: 'debug' },
      advertise: ['a', 'b'],
      kubelet: '10.0.0.7',
    });
  });

  it('checks, helps, and tells its version', () => {
    assert.equal(parseCommandLine(['--check']).do, 'check');
    assert.equal(parseCommandLine(['-h']).do, 'help');
    assert.equal(parseCommandLine(['--version']).do, 'version');
  });

  it('refuses what it does not know', () => {
    for (const args of [['--colour'], ['extra'], ['--config']])
      assert.throws(() => parseCommandLine(args), { code: 'ERR_CLOUDCORE_CONFIG' });
  });
});
