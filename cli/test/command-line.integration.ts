import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { buildProgram } from '../src/program.ts';
import { processStreams } from '../src/streams.ts';
import { VERSION } from '../src/version.ts';
import { hawser, json, spawnHawser } from './hawser.ts';

/** What no command for a machine at the edge may load. */
const HEAVY =
  /client-node|peculiar|cloudcore\/|better-sqlite3|kube\/dist|protobuf|\/zod\/|prom-client|\/pino\//;

describe('the command line', function () {
  this.timeout(30_000);

  const program = buildProgram(() => Promise.resolve(), processStreams());
  const leaves: { path: string[]; command: Command }[] = [];
  collect(program, []);

  function collect(command: Command, path: string[]): void {
    for (const child of command.commands) {
      if (child.commands.length > 0) collect(child, [...path, child.name()]);
      else leaves.push({ path: [...path, child.name()], command: child });
    }
  }

  it('has every command', () => {
    assert.deepEqual(leaves.map(({ path }) => path.join(' ')).sort(), [
      'accept-cluster',
      'completion',
      'describe',
      'device get',
      'device set',
      'device watch',
      'devices',
      'exec',
      'init',
      'join',
      'kubeconfig',
      'logs',
      'mappers',
      'node list',
      'node revoke',
      'node show',
      'objects',
      'pods',
      'pool status',
      'reconnect',
      'reset',
      'status',
      'token create',
      'token list',
      'token revoke',
      'version',
    ]);
  });

  for (const { path, command } of leaves) {
    it(`helps with ${path.join(' ')}: what it does, its options, examples`, async () => {
      const { code, stdout, stderr } = await hawser([...path, '--help']);
      assert.equal(code, 0);
      assert.equal(stderr, '');
      assert.ok(command.description() !== '');
      for (const part of [
        `Usage: hawser ${path.join(' ')} `,
        // What these write is bytes of others, or a file of one format.
        ...(['logs', 'exec', 'kubeconfig'].includes(path[0] ?? '') ? [] : ['--output <format>']),
        '--verbose',
        'Examples:',
        'hawser ',
      ]) {
        assert.ok(stdout.includes(part), part);
      }
    });
  }

  it('says its release, which is that of the package', async () => {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as {
      version: string;
    };
    assert.equal(VERSION, version);
    assert.deepEqual(await spawnHawser(['--version']), { code: 0, stdout: `${VERSION}\n`, stderr: '' });
    const run = await hawser(['version', '--client', '--output', 'json']);
    assert.deepEqual(json(run), { client: VERSION, node: process.version, problems: [] });
  });

  it('is misused with 2, and says how', async () => {
    const cases: [string[], RegExp][] = [
      [[], /Usage: hawser/],
      [['nonsense'], /unknown command 'nonsense'/],
      [['token'], /Usage: hawser token/],
      [['status', '--outptu', 'json'], /Did you mean --output/],
      [['status', '--output', 'xml'], /Allowed choices are text, json/],
      [['status', 'extra'], /too many arguments/],
      [['join'], /required option '--cloud/],
      [['join', '--cloud', 'http://x', '--token', 't'], /--cloud "http:\/\/x" is no address/],
      [
        ['join', '--cloud', 'x', '--token', 't', '--skip-checks', 'all'],
        /there is no check "all"; there are node-version/,
      ],
      [['join', '--cloud', 'x', '--token', 't', '--labels', 'a'], /"a" is no label/],
      [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await hawser(args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, message);
      assert.equal(stdout, '', args.join(' '));
    }
  });

  it('ends the process with its exit code', async () => {
    assert.equal((await spawnHawser(['nonsense'])).code, 2);
    assert.equal((await spawnHawser(['reconnect', '--socket', '/nonexistent'])).code, 1);
    assert.equal((await spawnHawser(['status', '--socket', '/nonexistent'])).code, 3);
  });

  it('tells errors as JSON where results are JSON', async () => {
    const run = await hawser(['objects', '--socket', '/nonexistent', '--output', 'json']);
    assert.equal(run.code, 1);
    assert.equal(run.stdout, '');
    const { error } = JSON.parse(run.stderr) as { error: Record<string, unknown> };
    assert.equal(error['code'], 'ERR_EDGECORE_ADMIN_UNREACHABLE');
    assert.equal(error['about'], '/nonexistent');
    assert.match(String(error['remedy']), /systemctl/);
  });

  it('does not paint what goes into a pipe', async () => {
    const run = await hawser(['status', '--socket', '/nonexistent', '--config-dir', '/nonexistent']);
    assert.ok(!run.stdout.includes('\x1b') && run.stdout.includes('✗'));
  });

  it('ends quietly when nobody reads on', () => {
    const main = new URL('../src/main.js', import.meta.url).pathname;
    const { status, stderr } = spawnSync('bash', [
      '-c',
      `set -o pipefail; ${process.execPath} ${main} completion bash | head -1 >/dev/null`,
    ]);
    assert.equal(status, 0);
    assert.equal(stderr.toString(), '');
  });

  it('loads nothing of the cloud for status, pool status and version', () => {
    const main = new URL('../src/main.js', import.meta.url).pathname;
    for (const args of [
      ['version'],
      ['status', '--config-dir', '/nonexistent', '--socket', '/nonexistent'],
      ['pool', 'status', '--config-dir', '/nonexistent', '--socket', '/nonexistent'],
    ]) {
      const { HAWSER_COVERAGE, NODE_OPTIONS } = process.env; // of the tests
      const env = { HAWSER_COVERAGE, NODE_OPTIONS, NODE_DEBUG: 'esm' };
      const { stderr } = spawnSync(process.execPath, [main, ...args], { env });
      const loaded = [...new Set(stderr.toString().match(/file:\/\/[^\s'",)]+/g) ?? [])];
      assert.ok(
        loaded.some((file) => file.includes('edgecore/dist/src/admin-entry.js')),
        'it is seen what is loaded',
      );
      assert.deepEqual(
        loaded.filter((file) => HEAVY.test(file)),
        [],
      );
    }
  });
});
