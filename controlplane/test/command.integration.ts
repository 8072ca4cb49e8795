import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ResourceClient } from '@hawser/kube';
import { makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { API } from '../src/api/resources.ts';
import { Command } from './command.ts';

describe('command', function () {
  this.timeout(40_000);
  let temp: TempDir;
  const running: Command[] = [];
  const start = (...args: string[]): Command => {
    const command = new Command(args);
    running.push(command);
    return command;
  };

  beforeEach(async () => (temp = await makeTempDir()));
  afterEach(async () => {
    for (const command of running.splice(0)) await command.kill();
    await temp.remove();
  });

  it('explains itself, and complains about what is wrong with status 2', async () => {
    const help = start('--help');
    assert.equal((await help.ended).code, 0);
    assert.match(help.stdout, /^Usage: .*--data-dir DIR/);
    const wrong = start('--port', 'x');
    assert.equal((await wrong.ended).code, 2);
    assert.match(
      wrong.stderr,
      /--kubeconfig is required; .*--port must be a number.*; --data-dir or --memory/s,
    );
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`writes a kubeconfig that works and is private, and stops at ${signal}`, async () => {
      const kubeconfig = path.join(temp.path, 'conf', 'admin.conf');
      const command = start(
        '--data-dir',
        path.join(temp.path, 'data'),
        '--kubeconfig',
        kubeconfig,
        '--port',
        '0',
      );
      await command.ready();
      assert.equal((await stat(kubeconfig)).mode & 0o777, 0o600);
      assert.equal((await stat(path.join(temp.path, 'data'))).mode & 0o777, 0o700);
      const client = Command.client(kubeconfig);
      try {
        const namespaces = await new ResourceClient(client, API.namespaces).list('');
        const names = namespaces.items.map(({ metadata }) => metadata.name).sort();
        assert.deepEqual(names, ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
      } finally {
        client.close();
      }
      command.child.kill(signal);
      const { code } = await within('the command ends', command.ended, 10_000);
      assert.equal(code, 0);
      assert.match(command.stderr, /"stopped"/);
      assert.doesNotMatch(command.stderr, /"level":(40|50)/);
    });
  }

  it('says why it cannot start, with status 1', async () => {
    const args = ['--data-dir', '/dev/null/x', '--kubeconfig', path.join(temp.path, 'k')];
    const command = start(...args);
    assert.equal((await command.ended).code, 1);
    assert.match(command.stderr, /ERR_CONTROLPLANE_DATA_DIR/);
  });
});
