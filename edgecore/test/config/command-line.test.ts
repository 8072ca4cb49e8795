import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseCommandLine, usage } from '../../src/command-line.ts';
import { VERSION } from '../../src/version.ts';

describe('command line of the edge core', () => {
  it('reads a file, flags and any option', () => {
    assert.deepEqual(
      parseCommandLine(['--config', 'a.yaml', '--hub', 'h:1', '--set', 'node.labels={a: b=c}']),
      {
        do: 'run',
        file: 'a.yaml',
        overrides: { 'hub.address': 'h:1', 'node.labels': '{a: b=c}' },
      },
    );
    assert.deepEqual(parseCommandLine([]), { do: 'run', file: undefined, overrides: {} });
  });

  it('refuses what it does not know', () => {
    for (const args of [['--nonsense'], ['file.yaml'], ['--set', 'x'], ['--set', '=x'], ['--config']]) {
      assert.throws(() => parseCommandLine(args), { code: 'ERR_EDGECORE_CONFIG' }, args.join(' '));
    }
  });

  it('explains itself', () => {
    assert.deepEqual(parseCommandLine(['--help']), { do: 'help' });
    assert.deepEqual(parseCommandLine(['--version', '--hub', 'x']), { do: 'version' });
    for (const flag of ['--config', '--hub', '--data-dir', '--socket', '--set', '--log-level']) {
      assert.ok(usage().includes(flag), flag);
    }
  });

  it('has the version of its package', () => {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    assert.equal((JSON.parse(text) as { version: string }).version, VERSION);
  });
});
