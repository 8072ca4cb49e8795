import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deferred } from '@hawser/seams';
import { eventually, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import {
  FileCredentials,
  HttpApiClient,
  ResourceClient,
  RESOURCES,
  resourceListerWatcher,
  resourcePath,
  StatusError,
  type ApiClient,
  type HttpApiClientOptions,
} from '../../src/index.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const status = (code: number, reason: string, more: object = {}): string =>
  JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason,
    code,
    ...more,
  });

describe('HttpApiClient', () => {
  let server: Server;
  let handler: Handler;
  let seen: {
    method: string;
    url: string;
    headers: IncomingMessage['headers'];
    body: string;
    port: number;
  }[];
  let clients: ApiClient[];

  beforeEach(async () => {
    seen = [];
    clients = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const { method = '', url = '', headers } = request;
        seen.push({ method, url, headers, body, port: request.socket.remotePort ?? 0 });
        handler(request, response, body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function connect(options: Partial<HttpApiClientOptions> = {}): HttpApiClient {
    const { port } = server.address() as AddressInfo;
    const client = new HttpApiClient({
      server: `http://127.0.0.1:${port}`,
      random: { next: () => 0 },
      ...options,
    });
    clients.push(client);
    return client;
  }

  const json = (
    response: ServerResponse,
    body: string,
    code = 200,
    headers: Record<string, string> = {},
  ): void => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body);
  };

  const get = { method: 'GET', path: '/api/v1/nodes' } as const;

  it('sends path, query, headers and body, decodes the answer, keeps the connection', async () => {
    handler = (_request, response) => json(response, '{"kind":"Node"}');
    const client = connect({ userAgent: 'test/1' });
    const nodes = new ResourceClient(client, RESOURCES.nodes);
    assert.deepEqual(await nodes.get('', 'a b/c'), { kind: 'Node' });
    await nodes.patch(
      '',
      'n',
      'merge',
      { a: 1 },
      { subresource: 'status', query: { dryRun: 'All', force: undefined } },
    );
    await nodes.delete('', 'n', { gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
    const lines = seen.map(({ method, url, body }) => `${method} ${url} ${body}`);
    assert.deepEqual(lines, [
      'GET /api/v1/nodes/a%20b%2Fc ',
      'PATCH /api/v1/nodes/n/status?dryRun=All {"a":1}',
      'DELETE /api/v1/nodes/n {"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,"preconditions":{"uid":"u"}}',
    ]);
    assert.equal(seen[1]?.headers['content-type'], 'application/merge-patch+json');
    assert.equal(seen[0]?.headers['user-agent'], 'test/1');
    assert.equal(seen[0].headers['content-type'], undefined);
    assert.equal(new Set(seen.map(({ port }) => port)).size, 1, 'one connection for all');
  });

  it('keeps the path of a server behind a prefix', async () => {
    handler = (_request, response) => json(response, '{}');
    const { port } = server.address() as AddressInfo;
    await connect({ server: `http://127.0.0.1:${port}/k8s/clusters/c1/` }).request(get);
    assert.equal(seen[0]?.url, '/k8s/clusters/c1/api/v1/nodes');
  });

  it('turns refusals into StatusError, of whatever form', async () => {
    const client = connect({ retries: 0 });
    handler = (_request, response) =>
      json(response, status(409, 'AlreadyExists', { message: 'it exists' }), 409);
    await assert.rejects(client.request(get), (error) => {
      assert.ok(error instanceof StatusError);
      assert.deepEqual(
        [error.code, error.message, error.status.code],
        ['ERR_KUBE_ALREADY_EXISTS', 'it exists', 409],
      );
      return true;
    });
    handler = (_request, response) => response.writeHead(404).end('404 page not found\n');
    await assert.rejects(client.request(get), { code: 'ERR_KUBE_NOT_FOUND', message: /404 page not found/ });
    handler = (_request, response) => json(response, '{"kind":"Stat', 503);
    await assert.rejects(client.request(get), { code: 'ERR_KUBE_SERVICE_UNAVAILABLE' });
    handler = (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end();
    await assert.rejects(client.request(get), { code: 'ERR_KUBE_UNKNOWN' });
  });

  it('hands text through as text, refuses JSON that is none', async () => {
    handler = (_request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
    assert.equal(await connect().request({ method: 'GET', path: '/healthz' }), 'ok');
    handler = (_request, response) => json(response, '{"a":');
    await assert.rejects(connect().request(get), { code: 'ERR_KUBE_CLIENT_BAD_RESPONSE' });
  });

  it('passes warnings on', async () => {
    const warnings: string[] = [];
    const two = ['299 - "unknown field \\"spec.x\\""', '299 - "v1 Endpoints is deprecated"'];
    handler = (_request, response) => response.setHeader('warning', two).end();
    await connect({ onWarning: (text) => warnings.push(text) }).request(get);
    assert.deepEqual(warnings, ['unknown field "spec.x"', 'v1 Endpoints is deprecated']);
  });

  describe('retries', () => {
    it('repeats any method after 429 with Retry-After, within bounds', async () => {
      handler = (_request, response) => {
        if (seen.length < 3) json(response, status(429, 'TooManyRequests'), 429, { 'retry-after': '0' });
        else json(response, '{"ok":true}');
      };
      const post = { method: 'POST', path: '/api/v1/nodes', body: {} } as const;
      assert.deepEqual(await connect().request(post), { ok: true });
      assert.equal(seen.length, 3);
      handler = (_request, response) =>
        json(response, status(429, 'TooManyRequests', { details: { retryAfterSeconds: 0 } }), 429);
      await assert.rejects(connect({ retries: 2 }).request(post), { code: 'ERR_KUBE_TOO_MANY_REQUESTS' });
      assert.equal(seen.length, 6);
    });

    it('leaves 429 without Retry-After (a blocked eviction), and too long a wait, to the caller', async () => {
      handler = (_request, response) => json(response, status(429, 'TooManyRequests'), 429);
      await assert.rejects(connect().request(get), StatusError);
      handler = (_request, response) => json(response, status(429, ''), 429, { 'retry-after': '31' });
      await assert.rejects(connect().request(get), StatusError);
      assert.equal(seen.length, 2);
    });

    it('repeats idempotent methods after 5xx with Retry-After and after a broken connection, and no others', async () => {
      for (const breaking of [true, false]) {
        for (const [method, times] of [
          ['GET', 2],
          ['PUT', 2],
          ['DELETE', 2],
          ['POST', 1],
          ['PATCH', 1],
        ] as const) {
          seen = [];
          handler = (request, response) => {
            if (seen.length > 1) json(response, '{}');
            else if (breaking) request.socket.destroy();
            else json(response, status(503, 'ServiceUnavailable'), 503, { 'retry-after': '0' });
          };
          const done = connect().request({ method, path: '/api/v1/nodes/n', body: {} });
          if (times === 2) await done;
          else await assert.rejects(done);
          assert.equal(seen.length, times, `${method} breaking=${breaking}`);
        }
      }
    });

    it('repeats an answer that broke off in its middle', async () => {
      handler = (_request, response) => {
        if (seen.length > 1) json(response, '{"whole":true}');
        else response.writeHead(200, { 'content-length': '100' }).write('{"half"', () => response.destroy());
      };
      assert.deepEqual(await connect().request(get), { whole: true });
    });

    it('gives up on a server that is not there', async () => {
      const client = connect({ server: 'http://127.0.0.1:1', retries: 1 });
      await assert.rejects(client.request(get), {
        code: 'ERR_KUBE_CLIENT_CONNECTION',
        message: /127\.0\.0\.1:1/,
      });
    });

    it('stops waiting for a retry when aborted', async () => {
      handler = (_request, response) => json(response, status(429, ''), 429, { 'retry-after': '20' });
      const controller = new AbortController();
      const reason = new Error('enough');
      const done = connect().request({ ...get, signal: controller.signal });
      await eventually('the first answer', () => seen.length === 1);
      setImmediate(() => controller.abort(reason));
      await assert.rejects(within('the abort', done), reason);
    });
  });

  describe('limits', () => {
    it('ends a call that is not answered in time, also in the middle of its body', async () => {
      handler = () => {};
      await assert.rejects(connect().request({ ...get, timeoutMs: 30 }), { code: 'ERR_KUBE_CLIENT_TIMEOUT' });
      handler = (_request, response) => void response.writeHead(200).write('{');
      await assert.rejects(connect().request({ ...get, timeoutMs: 30 }), { code: 'ERR_KUBE_CLIENT_TIMEOUT' });
    });

    it('refuses a body over the limit, early', async () => {
      let written = 0;
      handler = (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const pump = (): void => {
          while (!response.destroyed && written < 50_000_000) {
            written += 65_536;
            if (!response.write(Buffer.alloc(65_536, ' '))) return void response.once('drain', pump);
          }
        };
        pump();
      };
      const call = connect().request({ ...get, limitBytes: 1_000_000 });
      await assert.rejects(call, { code: 'ERR_KUBE_CLIENT_TOO_LARGE' });
      assert.ok(written < 50_000_000, `${written} bytes were taken`);
    });

    it('holds at most so many connections', async () => {
      let atOnce = 0;
      let most = 0;
      const open = deferred();
      handler = (_request, response) => {
        most = Math.max(most, ++atOnce);
        void open.promise.then(() => {
          atOnce -= 1;
          json(response, '{}');
        });
      };
      const client = connect({ maxConnections: 3 });
      const all = Promise.all(Array.from({ length: 10 }, () => client.request(get)));
      await eventually('three calls', () => atOnce === 3);
      open.resolve();
      await all;
      assert.equal(most, 3);
    });
  });

  describe('aborts', () => {
    const reason = new Error('the caller has had enough');

    it('rethrow the reason: before, while waiting, while reading', async () => {
      await assert.rejects(connect().request({ ...get, signal: AbortSignal.abort(reason) }), reason);
      assert.equal(seen.length, 0);
      for (const start of [false, true]) {
        const controller = new AbortController();
        handler = (_request, response) => {
          if (start) response.writeHead(200).write('{');
          setImmediate(() => controller.abort(reason));
        };
        await assert.rejects(
          within('abort', connect().request({ ...get, signal: controller.signal })),
          reason,
        );
      }
    });

    it('leave no listener on a signal that lives long', async () => {
      handler = (_request, response) => json(response, '{}');
      const controller = new AbortController();
      let listeners = 0;
      const { signal } = controller;
      const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      };
      const client = connect();
      for (let i = 0; i < 20; i++) await client.request({ ...get, signal });
      const stream = await client.stream({ ...get, signal });
      for await (const chunk of stream) assert.ok(chunk.length > 0);
      await eventually('no listeners', () => listeners === 0);
    });

    it('close means closed', async () => {
      handler = () => {};
      const client = connect({ retries: 3 });
      const hanging = client.request(get);
      await eventually('the call', () => seen.length === 1);
      client.close();
      await assert.rejects(within('the hanging call', hanging), { code: 'ERR_KUBE_CLIENT_CLOSED' });
      await assert.rejects(client.request(get), { code: 'ERR_KUBE_CLIENT_CLOSED' });
      client.close();
    });
  });

  describe('streams', () => {
    const line = '{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"7"}}}\n';
    const watch = (client: ApiClient, signal: AbortSignal) =>
      resourceListerWatcher(client, RESOURCES.pods, {
        namespace: 'ns',
        fieldSelector: 'spec.nodeName=n',
      }).watch({ resourceVersion: '5', timeoutSeconds: 300 }, signal);

    it('resolve with the head, deliver as it comes, and end with the body', async () => {
      const more = deferred<ServerResponse>();
      handler = (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write(line);
        more.resolve(response);
      };
      const stream = await watch(connect({ timeoutMs: 500 }), new AbortController().signal);
      assert.equal(
        seen[0]?.url,
        '/api/v1/namespaces/ns/pods?watch=true&fieldSelector=spec.nodeName%3Dn&resourceVersion=5&timeoutSeconds=300&allowWatchBookmarks=true',
      );
      const types: string[] = [];
      for await (const event of stream) {
        types.push(event.type);
        (await more.promise).end(types.length === 1 ? line : undefined);
      }
      assert.deepEqual(types, ['ADDED', 'ADDED']);
    });

    it('free their connection on abort, close, and leaving the loop', async () => {
      let open = 0;
      handler = (_request, response) => {
        open += 1;
        response.on('close', () => (open -= 1));
        response.writeHead(200).write(line);
      };
      const reason = new Error('stop');
      const controller = new AbortController();
      const aborted = await watch(connect(), controller.signal);
      const iterate = async (): Promise<void> => {
        for await (const event of aborted) if (event.type === 'ADDED') controller.abort(reason);
      };
      await assert.rejects(within('the abort', iterate()), reason);
      const closed = await watch(connect(), new AbortController().signal);
      closed.close();
      for await (const event of await watch(connect(), new AbortController().signal)) {
        assert.equal(event.type, 'ADDED');
        break;
      }
      await eventually('all closed', () => open === 0 && seen.length === 3);
    });

    it('tell of a connection that breaks, and of a refusal', async () => {
      handler = (_request, response) => void response.writeHead(200).write(line, () => response.destroy());
      const broken = await watch(connect(), new AbortController().signal);
      const iterate = async (): Promise<void> => {
        for await (const event of broken) assert.equal(event.type, 'ADDED');
      };
      await assert.rejects(within('the break', iterate()), { code: 'ERR_KUBE_CLIENT_CONNECTION' });
      handler = (_request, response) => json(response, status(410, 'Expired'), 410);
      await assert.rejects(watch(connect(), new AbortController().signal), { code: 'ERR_KUBE_EXPIRED' });
    });

    it('do not take the place of calls', async () => {
      handler = (request, response) => {
        if (request.url?.includes('watch') === true) response.writeHead(200).write(line);
        else json(response, '{}');
      };
      const client = connect({ maxConnections: 1 });
      const { signal } = new AbortController();
      const streams = await Promise.all([
        watch(client, signal),
        watch(client, signal),
        watch(client, signal),
      ]);
      await within('a call beside three streams', client.request(get));
      for (const stream of streams) stream.close();
    });
  });

  describe('tokens', () => {
    let dir: TempDir;
    beforeEach(async () => (dir = await makeTempDir()));
    afterEach(() => dir.remove());

    it('are read again after a 401, once, also for streams', async () => {
      const tokenFile = path.join(dir.path, 'token');
      await writeFile(tokenFile, 'old\n');
      handler = (request, response) => {
        if (request.headers.authorization === 'Bearer new') json(response, '{}');
        else json(response, status(401, 'Unauthorized'), 401);
      };
      const client = connect({ credentials: new FileCredentials({ tokenFile }) });
      await assert.rejects(client.request(get), { code: 'ERR_KUBE_UNAUTHORIZED' });
      assert.equal(seen.length, 2);
      await writeFile(tokenFile, 'new\n');
      await client.request(get);
      assert.deepEqual(
        seen.map(({ headers }) => headers.authorization),
        ['Bearer old', 'Bearer old', 'Bearer old', 'Bearer new'],
      );
      (await client.stream(get)).close();
    });

    it('stay while their file cannot be read, and must be there at first', async () => {
      const tokenFile = path.join(dir.path, 'token');
      const credentials = new FileCredentials({ tokenFile, refreshMs: 0 });
      await assert.rejects(credentials.get(), { code: 'ENOENT' });
      await writeFile(tokenFile, 'good');
      assert.deepEqual((await credentials.get()).headers, { authorization: 'Bearer good' });
      await dir.remove();
      assert.deepEqual((await credentials.get()).headers, { authorization: 'Bearer good' });
    });
  });

  it('makes paths', () => {
    assert.equal(resourcePath(RESOURCES.pods), '/api/v1/pods');
    assert.equal(resourcePath(RESOURCES.pods, { namespace: 'a' }), '/api/v1/namespaces/a/pods');
    const lease = { namespace: 'kube-system', name: 'x' };
    assert.equal(
      resourcePath(RESOURCES.leases, lease),
      '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x',
    );
    const node = { namespace: 'ignored', name: 'n', subresource: 'status' };
    assert.equal(resourcePath(RESOURCES.nodes, node), '/api/v1/nodes/n/status');
    assert.equal(resourcePath(RESOURCES.nodes, { name: '../secrets' }), '/api/v1/nodes/..%2Fsecrets');
    assert.throws(() => resourcePath(RESOURCES.nodes, { name: '..' }), { code: 'ERR_KUBE_CLIENT_CONFIG' });
  });
});
