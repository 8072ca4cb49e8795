import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { hawser, json, spawnHawser, type Run } from '../hawser.ts';
import { edgeStatus } from '../status/edge-status.ts';
import { atTerminal, hasTerminals } from '../terminal.ts';

/** What the admin socket answers, by method and path. */
type Answers = Record<string, unknown>;

describe('hawser at the edge', function () {
  this.timeout(30_000);

  let dir: TempDir;
  let server: Server | undefined;
  const asked: string[] = [];
  beforeEach(async () => {
    dir = await makeTempDir();
    asked.length = 0;
  });
  afterEach(async () => {
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
    server = undefined;
    await dir.remove();
  });

  /** The admin socket of an edge core, as docs and types of it have it. */
  async function edge(answers: Answers): Promise<void> {
    server = createServer((request, response) => {
      const what = `${request.method ?? ''} ${request.url ?? ''}`;
      asked.push(what);
      const answer = answers[what];
      response.writeHead(answer === undefined ? 404 : 200, { connection: 'close' });
      response.end(
        JSON.stringify(answer ?? { error: { code: 'ERR_EDGECORE_ADMIN', message: 'not served' } }),
      );
    });
    await new Promise<void>((resolve) => server?.listen(path.join(dir.path, 'edge.sock'), resolve));
  }

  function run(...args: string[]): Promise<Run> {
    const places = ['--config-dir', dir.path, '--data-dir', path.join(dir.path, 'data')];
    return hawser([...args, '--socket', path.join(dir.path, 'edge.sock'), ...places]);
  }

  const HELD = { clusterUid: 'c1', incarnation: 'i2' };

  describe('status', () => {
    it('is 0 for a healthy node, as text and as JSON', async () => {
      await edge({ 'GET /v1/status': edgeStatus() });
      const text = await run('status');
      assert.equal(text.code, 0, text.stderr);
      assert.match(text.stdout, /^shop-17 {2}● healthy/);
      const value = json(await run('status', '--output', 'json')) as Record<string, unknown>;
      assert.deepEqual([value['running'], value['healthy'], value['findings']], [true, true, []]);
      assert.deepEqual(value['cluster'], edgeStatus().cluster);
    });

    it('is 3 for a node with a problem', async () => {
      const problems = [{ code: 'ERR_EDGE_STORE_FULL', message: 'the disk is full', remedy: 'Make room.' }];
      await edge({ 'GET /v1/status': edgeStatus({ problems }) });
      const text = await run('status');
      assert.equal(text.code, 3);
      assert.match(text.stdout, /✗ the disk is full \(ERR_EDGE_STORE_FULL\)\n {4}→ Make room\./);
      assert.equal(text.stderr, '');
    });

    it('is 3 where edgecore does not run: says so, what is there, and what to do', async () => {
      const text = await run('status');
      assert.equal(text.code, 3);
      assert.match(text.stdout, /edgecore does not run/);
      assert.match(text.stdout, /Joined: +no/);
      assert.match(text.stdout, /hawser join/);
    });

    it('takes a socket that a crash has left for what it is', async () => {
      const script = `require('node:net').createServer().listen(${JSON.stringify(path.join(dir.path, 'edge.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
      const { spawnSync } = await import('node:child_process');
      spawnSync(process.execPath, ['-e', script]);
      assert.ok((await readdir(dir.path)).includes('edge.sock'));
      assert.match((await run('status')).stdout, /edgecore does not run/);
    });

    it('finds socket and data in the configuration', async () => {
      await edge({ 'GET /v1/status': edgeStatus() });
      await writeFile(path.join(dir.path, 'edgecore.yaml'), `admin: { socket: ${dir.path}/edge.sock }\n`);
      const found = await hawser(['status', '--config-dir', dir.path]);
      assert.equal(found.code, 0, found.stdout);
      await writeFile(path.join(dir.path, 'edgecore.yaml'), 'admin: { socket: [');
      const broken = await hawser(['status', '--config-dir', dir.path]);
      assert.equal(broken.code, 1);
      assert.match(broken.stderr, /is no YAML.*ERR_CLI_CONFIG/s);
    });

    it('looks again and again with --watch, until it is interrupted', async () => {
      await edge({ 'GET /v1/status': edgeStatus() });
      const watching = await spawnHawser(
        ['status', '--watch', '--config-dir', dir.path, '--socket', path.join(dir.path, 'edge.sock')],
        { interruptAt: /● healthy[^]*● healthy/ },
      );
      assert.equal(watching.code, 130);
      assert.equal(asked.length, 2);
    });
  });

  it('lists objects, and shows one', async () => {
    const row = {
      scope: 'node/a',
      key: 'pods/default/web',
      resourceVersion: '7',
      hash: 'abcdef0123456789',
      sizeBytes: 2048,
    };
    await edge({
      'GET /v1/objects': { items: [row] },
      'GET /v1/objects?resource=pods': { items: [row] },
      'GET /v1/objects?resource=secrets': { items: [] },
      'GET /v1/objects/pods/default/web': { ...row, object: { kind: 'Pod' } },
    });
    assert.match((await run('objects')).stdout, /pods\/default\/web +7 +2\.0 KiB +abcdef012345 +node\/a/);
    assert.match((await run('objects', 'pods')).stdout, /pods\/default\/web/);
    assert.match((await run('objects', 'secrets')).stdout, /no objects of secrets/);
    assert.deepEqual(json(await run('objects', 'pods/default/web')), { kind: 'Pod' });
    const missing = await run('objects', 'pods/default/other');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /404: not served \(ERR_EDGECORE_ADMIN\)/);
  });

  it('connects anew', async () => {
    await edge({ 'POST /v1/reconnect': {} });
    assert.equal((await run('reconnect')).code, 0);
    assert.deepEqual(asked, ['POST /v1/reconnect']);
  });

  it('says that edgecore does not answer, and how to look', async () => {
    for (const command of ['objects', 'reconnect', 'accept-cluster']) {
      const { code, stderr } = await run(command);
      assert.equal(code, 1, command);
      assert.match(stderr, /ERR_EDGECORE_ADMIN_UNREACHABLE.*systemctl status edgecore/s);
    }
  });

  describe('accept-cluster', () => {
    const cluster = { ...edgeStatus().cluster, held: { ...HELD, why: 'another life' } };

    it('does nothing where nothing is held', async () => {
      await edge({ 'GET /v1/status': edgeStatus() });
      const { code, stdout } = await run('accept-cluster', '--yes');
      assert.equal(code, 0);
      assert.match(stdout, /Nothing was changed/);
      assert.deepEqual(asked, ['GET /v1/status']);
    });

    it('shows what changes, and wants a word', async () => {
      await edge({
        'GET /v1/status': edgeStatus({ cluster }),
        'POST /v1/accept-cluster': { accepted: HELD },
      });
      const silent = await run('accept-cluster');
      assert.equal(silent.code, 1);
      assert.match(
        silent.stderr,
        /Accepted now: +c1, incarnation i1.*To accept: +c1, incarnation i2.*ERR_CLI_CONFIRM/s,
      );
      assert.ok(!asked.includes('POST /v1/accept-cluster'));
      const { code, stdout } = await run('accept-cluster', '--yes');
      assert.equal(code, 0);
      assert.match(stdout, /Accepted/);
    });

    it('does not call accepted what was not', async () => {
      await edge({ 'GET /v1/status': edgeStatus({ cluster }), 'POST /v1/accept-cluster': {} });
      const { code, stderr } = await run('accept-cluster', '--yes');
      assert.equal(code, 1);
      assert.match(stderr, /was not held any more/);
    });
  });

  describe('at a terminal', () => {
    const cluster = { ...edgeStatus().cluster, held: { ...HELD, why: 'another life' } };
    const ACCEPT = 'POST /v1/accept-cluster';

    before(function () {
      if (!hasTerminals()) this.skip();
    });
    beforeEach(() => edge({ 'GET /v1/status': edgeStatus({ cluster }), [ACCEPT]: { accepted: HELD } }));

    function type(typed: string): ReturnType<typeof atTerminal> {
      const places = ['--config-dir', dir.path, '--socket', path.join(dir.path, 'edge.sock')];
      return atTerminal(['accept-cluster', ...places], typed);
    }

    it('asks, and does what it is allowed', async () => {
      const { code, shown } = await type('y\n');
      assert.equal(code, 0, shown);
      assert.match(shown, /To accept: +c1, incarnation i2.*Accept it\? \[y\/N\] .*Accepted\./s);
      assert.ok(asked.includes(ACCEPT));
    });

    for (const [what, typed, expected] of [
      ['a return', '\n', 1],
      ['another word', 'yep\n', 1],
      ['the end of input', '\x04', 1],
      ['Ctrl-C', '\x03', 130],
    ] as const) {
      it(`takes ${what} for a no`, async () => {
        const { code, shown } = await type(typed);
        assert.equal(code, expected, shown);
        assert.ok(!asked.includes(ACCEPT));
        assert.doesNotMatch(shown, /Warning|\n {4}at /);
      });
    }
  });

  describe('reset', () => {
    async function files(): Promise<void> {
      const data = path.join(dir.path, 'data');
      await mkdir(path.join(data, 'pki'), { recursive: true });
      for (const name of ['edge.db', 'edge.db-wal', 'store.key', 'pki/node.pem', 'mine.txt']) {
        await writeFile(path.join(data, name), '');
      }
      await writeFile(path.join(dir.path, 'edgecore.yaml'), '');
    }

    it('removes what edgecore made, and nothing else', async () => {
      await files();
      const silent = await run('reset');
      assert.equal(silent.code, 1);
      assert.match(silent.stderr, /ERR_CLI_CONFIRM/);
      assert.equal((await readdir(path.join(dir.path, 'data'))).length, 5);

      const { code, stderr } = await run('reset', '--yes');
      assert.equal(code, 0, stderr);
      assert.deepEqual(await readdir(path.join(dir.path, 'data')), ['mine.txt']);
      assert.deepEqual(await readdir(dir.path), ['data']);
      assert.match((await run('reset', '--yes')).stdout, /nothing to remove/);
    });

    it('keeps the store when it is told to', async () => {
      await files();
      assert.equal((await run('reset', '--yes', '--keep-data')).code, 0);
      const kept = await readdir(path.join(dir.path, 'data'));
      assert.deepEqual(kept.sort(), ['edge.db', 'edge.db-wal', 'mine.txt', 'store.key']);
    });

    it('refuses while edgecore answers', async () => {
      await files();
      await edge({ 'GET /v1/status': edgeStatus() });
      const { code, stderr } = await run('reset', '--yes');
      assert.equal(code, 1);
      assert.match(stderr, /edgecore runs \(pid 71.*ERR_CLI_RUNNING.*kill 71|systemctl stop/s);
      assert.equal((await readdir(path.join(dir.path, 'data'))).length, 5);
    });

    it('refuses while an edgecore with another socket has the folder', async () => {
      await files();
      const { ProcessLock } = await import('@hawser/edgecore');
      const { DataDir } = await import('@hawser/edgecore/admin');
      const lock = new ProcessLock(new DataDir(path.join(dir.path, 'data')));
      lock.acquire();
      try {
        const { code, stderr } = await run('reset', '--yes');
        assert.equal(code, 1);
        assert.match(stderr, /an edgecore uses .*ERR_CLI_RUNNING/);
        assert.ok((await readdir(path.join(dir.path, 'data'))).includes('edge.db'));
      } finally {
        lock.release();
      }
    });
  });
});
