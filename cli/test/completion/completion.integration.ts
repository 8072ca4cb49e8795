import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { hawser } from '../hawser.ts';

describe('completion', function () {
  this.timeout(30_000);

  let dir: TempDir;
  let script: string;
  before(async () => {
    dir = await makeTempDir();
    script = path.join(dir.path, 'hawser.bash');
    await writeFile(script, (await hawser(['completion', 'bash'])).stdout);
  });
  after(() => dir.remove());

  /** What bash offers after these words; the last one is what was typed so far. */
  function offered(...words: string[]): string[] {
    const typed = ['hawser', ...words];
    const line = [
      `source ${script}`,
      `COMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${typed.length - 1}`,
      '_hawser',
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ];
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-u', '-c', line.join('\n')], {
      cwd: dir.path,
    });
    assert.equal(stderr.toString(), '');
    assert.equal(status, 0);
    return stdout
      .toString()
      .split('\n')
      .filter((word) => word !== '');
  }

  it('is one that bash sources, and registers', () => {
    const { stdout } = spawnSync('bash', ['--norc', '-c', `source ${script}; complete -p hawser`]);
    assert.match(stdout.toString(), /complete .*-F _hawser hawser/);
  });

  it('offers commands, and subcommands', () => {
    const commands = offered('');
    for (const name of ['init', 'join', 'token', 'status', 'accept-cluster'])
      assert.ok(commands.includes(name), name);
    assert.deepEqual(offered('st'), ['status']);
    assert.deepEqual(offered('token', 'c'), ['create']);
    assert.deepEqual(offered('node', 're'), ['revoke']);
  });

  it('offers the options of the command that is there, also after others', () => {
    assert.deepEqual(offered('token', 'create', '--ttl', '1h', '--us'), ['--uses']);
    assert.deepEqual(offered('join', '--skip'), ['--skip-checks']);
    assert.deepEqual(offered('status', '--skip'), []);
  });

  it('offers what a value may be', () => {
    assert.deepEqual(offered('status', '--output', ''), ['text', 'json']);
    assert.deepEqual(offered('join', '--transport', 'q'), ['quic']);
    assert.deepEqual(offered('completion', 'f'), ['fish']);
    assert.deepEqual(offered('token', 'create', '--node', ''), []);
    assert.deepEqual(offered('init', '--config', 'haw'), ['hawser.bash']);
  });

  for (const shell of ['zsh', 'fish'] as const) {
    it(`is there for ${shell}, with all commands, and is correct where ${shell} is there to say so`, async () => {
      const file = path.join(dir.path, `hawser.${shell}`);
      const { stdout } = await hawser(['completion', shell]);
      await writeFile(file, stdout);
      for (const word of ['accept-cluster', 'revoke', 'skip-checks', 'json'])
        assert.ok(stdout.includes(word), word);
      const checked = spawnSync(shell, ['-n', file]);
      assert.ok(checked.error !== undefined || checked.status === 0, String(checked.stderr));
    });
  }
});
