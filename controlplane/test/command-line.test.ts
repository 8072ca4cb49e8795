import assert from 'node:assert/strict';
import { ControlPlaneError } from '../src/errors.ts';
import { parseCommandLine } from '../src/command-line.ts';

describe('command line', () => {
  it('reads options, with defaults', () => {
    assert.deepEqual(parseCommandLine(['--data-dir', '/d', '--kubeconfig', '/k']), {
      dataDir: '/d',
      kubeconfig: '/k',
      host: '127.0.0.1',
      port: 6443,
      advertise: undefined,
      hosts: [],
      logLevel: 'info',
    });
    const all = parseCommandLine([
      ...['--memory', '--kubeconfig=/k', '--host', '::', '--port', '0', '--advertise', 'shop.example'],
      ...['--san', 'a.example', '--san', '10.0.0.1', '--log-level', 'debug'],
    ]);
    assert.deepEqual(all, {
      dataDir: undefined,
      kubeconfig: '/k',
      host: '::',
      port: 0,
      advertise: 'shop.example',
      hosts: ['a.example', '10.0.0.1'],
      logLevel: 'debug',
    });
    assert.equal(parseCommandLine(['--help']), 'help');
  });

  const cases: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
    ['nothing', [], /--kubeconfig is required; --data-dir or --memory is required/],
    [
      'both kinds of store',
      ['--memory', '--data-dir', 'd', '--kubeconfig', 'k'],
      /cannot be combined with --data-dir/,
    ],
    ['an unknown option', ['--dat-dir', 'd'], /Unknown option '--dat-dir'/],
    ['a word too much', ['x'], /Unexpected argument 'x'/],
    [
      'ports and levels',
      ['--memory', '--kubeconfig', 'k', '--port', '70000', '--log-level', 'loud'],
      /--port must be .*; --log-level must be/,
    ],
    ['a host', ['--memory', '--kubeconfig', 'k', '--host', 'a b'], /--host is no name/],
    ['a value that is missing', ['--memory', '--kubeconfig'], /argument missing/],
  ];
  for (const [what, args, message] of cases) {
    it(`refuses ${what}, naming it`, () => {
      assert.throws(
        () => parseCommandLine(args),
        (error) =>
          error instanceof ControlPlaneError &&
          error.code === 'ERR_CONTROLPLANE_CONFIG' &&
          message.test(error.message),
      );
    });
  }
});
