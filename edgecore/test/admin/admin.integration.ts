import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { request, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { silentLogger } from '@hawser/seams';
import { eventually, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { AdminClient } from '../../src/admin/admin-client.ts';
import { AdminServer, type AdminActions } from '../../src/admin/admin-server.ts';
import type { EdgeStatus } from '../../src/admin/admin-types.ts';
import { EdgeCoreError } from '../../src/errors.ts';
import { EdgeSite, makePod } from '../../testing/index.ts';

/** Actions that answer at once, and show what was asked. */
function sampleActions(asked: string[] = []): AdminActions {
  return {
    status: () => ({ node: { name: 'edge-1' } }) as EdgeStatus,
    objects: (resource) => {
      asked.push(`objects ${resource ?? 'all'}`);
      return { items: [] };
    },
    object: (key) => {
      asked.push(`object ${key}`);
      return Promise.resolve(undefined);
    },
    pods: () => ({ items: [] }),
    pod: (namespace, name) => {
      asked.push(`pod ${namespace}/${name}`);
      return undefined;
    },
    acceptCluster: () => Promise.reject(new EdgeCoreError('ERR_EDGECORE_OTHER_CLUSTER', 'the disk refuses')),
    reconnect: () => Promise.resolve(),
    metrics: () => Promise.reject(new Error('a mistake of ours')),
  };
}

describe('admin socket', () => {
  let temp: TempDir;
  let socket: string;
  let asked: string[];
  let server: AdminServer;
  let client: AdminClient;

  beforeEach(async () => {
    temp = await makeTempDir();
    socket = path.join(temp.path, 'run', 'e.sock');
    asked = [];
    server = new AdminServer({ socket, actions: sampleActions(asked), log: silentLogger });
    client = new AdminClient({ socket, timeoutMs: 2_000 });
  });
  afterEach(async () => {
    await server.stop();
    await temp.remove();
  });

  const mode = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8);

  it('is for its owner alone', async () => {
    await server.start();
    assert.equal(await mode(socket), '600');
    assert.equal(await mode(path.dirname(socket)), '700');
    assert.equal((await client.status()).node.name, 'edge-1');
  });

  it('has the kubelet API too, and keeps room for others beside it', async () => {
    const open: ServerResponse[] = [];
    const sockets: Duplex[] = [];
    server = new AdminServer({
      socket,
      actions: sampleActions(asked),
      kubelet: {
        serves: (path) => path.startsWith('/containerLogs/') || path.startsWith('/exec/'),
        handle: (_request, response) => {
          open.push(response.writeHead(200));
          response.flushHeaders();
          return new Promise((resolve) => response.on('close', resolve));
        },
        upgrade: (_request, duplex) => {
          sockets.push(duplex);
          duplex.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
          return new Promise((resolve) => duplex.on('error', () => {}).on('close', resolve));
        },
      },
      log: silentLogger,
    });
    await server.start();
    const upgrade = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { connection: 'upgrade', upgrade: 'x' };
        const sent = request({ socketPath: socket, path: '/exec/a/b/c', headers, agent: false });
        sent.on('upgrade', (answer, duplex: Duplex) => {
          duplex.on('error', () => {});
          resolve(answer.statusCode);
        });
        sent.on('response', (answer) => resolve(answer.resume().statusCode));
        sent.on('error', reject);
        sent.end();
      });
    assert.equal(await upgrade(), 101);
    for (let at = 1; at < 48; at++) (await client.stream('/containerLogs/a/b/c')).on('error', () => {});
    await assert.rejects(
      client.stream('/containerLogs/a/b/c'),
      /429: 48 requests to the kubelet API are open/,
    );
    assert.equal(await upgrade(), 429);
    assert.equal((await client.status()).node.name, 'edge-1');
    assert.deepEqual((await client.pods()).items, []);
    await assert.rejects(client.pod('default', 'web'), /404: pod "web" in namespace "default" not found/);
    assert.equal(asked.at(-1), 'pod default/web');
    open.pop()?.end();
    await eventually('a place', async () => (await upgrade()) === 101);
    for (const response of open) response.destroy();
    for (const duplex of sockets) duplex.destroy();
  });

  it('takes the place of one that a crash left behind, and of nothing else', async () => {
    await server.start();
    const second = new AdminServer({ socket, actions: sampleActions(), log: silentLogger });
    await assert.rejects(second.start(), { code: 'ERR_EDGECORE_ADMIN', message: /another edgecore listens/ });
    assert.equal((await client.status()).node.name, 'edge-1', 'the first one is not disturbed');
    await server.stop();
    await leaveBehind(socket);
    await server.start();
    assert.equal((await client.status()).node.name, 'edge-1');
    await server.stop();
    await writeFile(socket, 'a file');
    await assert.rejects(server.start(), { code: 'ERR_EDGECORE_ADMIN', message: /no socket/ });
  });

  it('says what it does not serve, and what went wrong', async () => {
    await server.start();
    await assert.rejects(client.object('pods/default/none'), {
      code: 'ERR_EDGECORE_ADMIN',
      message: /^404: the edge has no object/,
    });
    await assert.rejects(client.acceptCluster(), { message: /^409: the disk refuses/ });
    await assert.rejects(client.metrics(), { message: /^500: a mistake of ours/ });
    await client.reconnect();
    await client.objects('pods');
    await client.objects();
    await assert.rejects(client.object('secrets/a b/%/ü'));
    assert.deepEqual(asked, [
      'object pods/default/none',
      'objects pods',
      'objects all',
      'object secrets/a b/%/ü',
    ]);
  });

  it('answers the client that nobody is there, that it takes too long, or that it was told to stop', async () => {
    await assert.rejects(client.status(), { code: 'ERR_EDGECORE_ADMIN_UNREACHABLE', message: /e\.sock/ });
    await server.start();
    await server.stop();
    const silent = await listenSilently(socket);
    try {
      const quick = new AdminClient({ socket, timeoutMs: 100 });
      await assert.rejects(quick.status(), { code: 'ERR_EDGECORE_ADMIN_UNREACHABLE' });
      const reason = new Error('enough');
      await assert.rejects(client.status(AbortSignal.abort(reason)), reason);
    } finally {
      silent.close();
    }
  });

  it('stops with an answer under way, and twice', async () => {
    await server.start();
    const asking = client.status();
    await Promise.all([server.stop(), server.stop()]);
    await within(
      'the answer or its end',
      asking.catch(() => {}),
      2_000,
    );
    await server.start();
    await client.status();
  });
});

describe('admin socket of an edge core', function () {
  this.timeout(30_000);
  let site: EdgeSite;

  before(async () => {
    site = await EdgeSite.open();
    const meta = { name: 's', namespace: 'default' };
    site.hub.put('secrets', {
      kind: 'Secret',
      metadata: meta,
      type: 'Opaque',
      data: { password: 'aHVudGVyMg==' },
    });
    site.hub.put('pods', { kind: 'Pod', ...makePod('a') });
    await site.connect();
  });
  after(() => site.close());

  it('lists what the edge has', async () => {
    const { items } = await site.admin.objects();
    assert.deepEqual(
      items.map(({ key, scope }) => `${scope} ${key}`),
      ['node/edge-1 pods/default/a', 'node/edge-1 secrets/default/s'],
    );
    assert.equal((await site.admin.objects('secrets')).items.length, 1);
    assert.equal((await site.admin.objects('secret')).items.length, 0);
  });

  it('shows an object, and never what is secret', async () => {
    const { object } = await site.admin.object('pods/default/a');
    assert.equal((object as { metadata: { uid: string } }).metadata.uid, 'uid-a');
    const secret = await site.admin.object('secrets/default/s');
    assert.deepEqual((secret.object as { data: unknown }).data, { password: '12 characters' });
    assert.ok(!JSON.stringify(secret).includes('aHVudGVyMg'));
    assert.ok(!JSON.stringify(await site.admin.status()).includes('aHVudGVyMg'));
  });

  it('tells Prometheus how it is', async () => {
    const text = await site.admin.metrics();
    assert.match(text, /^hawser_edge_session_up 1$/m);
    assert.match(text, /^hawser_edge_objects\{scope="node"\} 2$/m);
    assert.match(text, /^hawser_edge_pods\{phase="sync"\} 1$/m);
    assert.match(text, /^hawser_edge_resident_memory_bytes \d{8,}$/m);
    assert.match(text, /^# TYPE hawser_tunnel_connections gauge$/m);
    assert.ok(!text.includes('edge-1'), 'no series for a single node');
  });
});

/** A socket file that nobody listens on: what is left after SIGKILL. */
async function leaveBehind(socket: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', script]);
  await new Promise((resolve) => child.on('close', resolve));
  assert.ok((await stat(socket)).isSocket());
}

async function listenSilently(socket: string): Promise<Server> {
  const server = createServer((connection) => {
    connection.on('error', () => {}); // the client goes
    connection.resume();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return server;
}
