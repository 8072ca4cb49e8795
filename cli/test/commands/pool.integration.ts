import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import type { LocalApiStatus, PoolStatus } from '@hawser/edgecore/admin';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { parse } from 'yaml';
import { hawser, json, spawnHawser, type Run } from '../hawser.ts';
import { samplePool } from '../pool/pool-status.ts';

const LOCAL_API: LocalApiStatus = {
  ...{ state: 'listening', addresses: ['127.0.0.1'], port: 10_260, pods: 'local', problems: [] },
  certificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
};

describe('hawser and pools', function () {
  this.timeout(20_000);

  let dir: TempDir;
  let server: Server;
  let answers: Record<string, unknown>;

  beforeEach(async () => {
    dir = await makeTempDir();
    answers = {};
    server = createServer((request, response) => {
      const answer = answers[`${request.method ?? ''} ${request.url ?? ''}`];
      const missing = { error: { code: 'ERR_EDGECORE_ADMIN', message: 'it is not there' } };
      response.setHeader('connection', 'close');
      response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? missing));
    });
    await new Promise<void>((resolve) => server.listen(path.join(dir.path, 'edge.sock'), resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await dir.remove();
  });

  const at = (): string[] => ['--socket', path.join(dir.path, 'edge.sock'), '--config-dir', dir.path];
  const run = (...args: string[]): Promise<Run> => hawser([...args, ...at()]);

  it('shows a pool that is well', async () => {
    answers['GET /v1/pool'] = samplePool({ since: new Date().toISOString() });
    const { code, stdout } = await run('pool', 'status');
    assert.match(stdout, /^till-2 in pool shop-1 {2}● well/);
    assert.equal(code, 0);
  });

  it('shows one that is not, and says so with its exit code', async () => {
    answers['GET /v1/pool'] = samplePool({ state: 'STALE' });
    const { code, stdout } = await run('pool', 'status');
    assert.match(stdout, /✗ Neither the cloud nor a leader/);
    assert.equal(code, 3);
  });

  it('writes JSON, YAML, and tables alone', async () => {
    const status: PoolStatus = samplePool();
    answers['GET /v1/pool'] = status;
    assert.deepEqual(json(await run('pool', 'status', '-o', 'json')), {
      well: true,
      findings: [],
      ...status,
    });
    assert.deepEqual(parse((await run('pool', 'status', '-o', 'yaml')).stdout), {
      ...{ well: true, findings: [] },
      ...status,
    });
    const { stdout } = await run('pool', 'status', '-o', 'table');
    assert.match(stdout, /^MEMBER +ROLE[^]*^RESOURCE +VERSION/m);
    assert.doesNotMatch(stdout, /well/);
  });

  it('says that a node is in no pool', async () => {
    const { code, stdout } = await run('pool', 'status');
    assert.match(stdout, /This node is in no pool/);
    assert.equal(code, 0);
    assert.deepEqual(json(await run('pool', 'status', '-o', 'json')), { pool: '', findings: [] });
  });

  it('fails where edgecore does not run', async () => {
    const { code, stderr } = await hawser(['pool', 'status', '--socket', '/nonexistent']);
    assert.equal(code, 1);
    assert.match(stderr, /ERR_EDGECORE_ADMIN_UNREACHABLE/);
  });

  it('watches until it is told to end', async () => {
    answers['GET /v1/pool'] = samplePool();
    const { code, stdout } = await spawnHawser(['pool', 'status', '--watch', ...at()], {
      interruptAt: /(services[^]*){2}/,
    });
    assert.equal(code, 130);
    assert.equal(stdout.match(/in pool shop-1/g)?.length, 2);
  });

  it('writes a kubeconfig for a token, which only its owner may read', async () => {
    answers['GET /v1/local-api'] = LOCAL_API;
    const file = path.join(dir.path, 'edge.conf');
    const done = await run('kubeconfig', '--user-token-file', 'some/token', '--output', file);
    assert.equal(done.code, 0, done.stderr);
    assert.equal(done.stdout, '');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(dir.path)).sort(), ['edge.conf', 'edge.sock']);
    const config = parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    const authority = Buffer.from(LOCAL_API.certificate).toString('base64');
    assert.deepEqual(config, {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'hawser-edge' },
      clusters: [
        {
          name: 'hawser-edge',
          cluster: { server: 'https://127.0.0.1:10260', 'certificate-authority-data': authority },
        },
      ],
      users: [{ name: 'hawser-edge', user: { tokenFile: path.resolve('some/token') } }],
      contexts: [{ name: 'hawser-edge', context: { cluster: 'hawser-edge', user: 'hawser-edge' } }],
    });
  });

  it('writes one for a certificate, and another server, to standard output', async () => {
    answers['GET /v1/local-api'] = LOCAL_API;
    const certificate = ['--client-certificate', '/c.crt', '--client-key', '/c.key'];
    const { stdout } = await run('kubeconfig', ...certificate, '--server', 'https://169.254.2.1:10260');
    const { users, clusters } = parse(stdout) as {
      users: unknown;
      clusters: { cluster: { server: string } }[];
    };
    assert.deepEqual(users, [
      { name: 'hawser-edge', user: { 'client-certificate': '/c.crt', 'client-key': '/c.key' } },
    ]);
    assert.equal(clusters[0]?.cluster.server, 'https://169.254.2.1:10260');
  });

  it('says what is wrong about a kubeconfig', async () => {
    const half = await run('kubeconfig', '--client-key', '/c.key');
    assert.equal(half.code, 2);
    assert.match(half.stderr, /--client-certificate and --client-key are said together/);
    assert.match((await run('kubeconfig')).stderr, /This node has no local API/);
    answers['GET /v1/local-api'] = {
      ...{ ...LOCAL_API, certificate: '', state: 'closed' },
      problems: [{ code: 'ERR_EDGECORE_LOCAL_API', message: 'The disk is full.' }],
    };
    const closed = await run('kubeconfig');
    assert.equal(closed.code, 1);
    assert.match(closed.stderr, /no local API\. The disk is full\./);
    answers['GET /v1/local-api'] = LOCAL_API;
    assert.equal((await run('kubeconfig', '--server', 'http://127.0.0.1')).code, 2);
    const lost = await run('kubeconfig', '--output', path.join(dir.path, 'none', 'edge.conf'));
    assert.match(lost.stderr, /ERR_CLI_CONFIG/);
  });
});
