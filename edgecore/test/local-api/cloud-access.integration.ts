import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { asStatusError, StatusError } from '@hawser/kube';
import { CALLER_HEADER, decodeCaller, StreamDuplex, TunnelError, type Stream } from '@hawser/proto';
import { streamPair } from '@hawser/proto/testing';
import { systemClock } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import type { ApiCaller } from '../../src/local-api/cloud-access-types.ts';
import { TunnelCloudAccess, type CloudAccessLimits } from '../../src/local-api/cloud-access.ts';

const PODS = '/api/v1/namespaces/default/pods';
const MIB = 2 ** 20;

const WEB: ApiCaller = {
  user: {
    username: 'system:serviceaccount:default:web',
    uid: 'a1',
    groups: ['system:serviceaccounts', 'grüße'],
    extra: {},
  },
  account: { namespace: 'default', name: 'web', uid: 'a1', pod: { name: 'web-1', uid: 'u1' } },
  isNode: false,
};

/** Programs of a node, its local end of the way, and a hub at the other end of streams that answers as a test says. */
class Way {
  readonly seen: IncomingMessage[] = [];
  readonly hub: Server;
  readonly local: Server;
  /** The node's ends of streams, by which a test cuts the session. */
  readonly cuts: (() => void)[] = [];
  usable = true;
  /** Whether the hub takes streams of this kind. */
  takes: 'yes' | 'resets' | 'silent' = 'yes';
  caller = WEB;
  onRequest: RequestListener = (_request, response) => void response.end('{}');
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void = (_request, socket) => {
    socket.destroy();
  };
  readonly cloud: TunnelCloudAccess;

  constructor(limits: Partial<CloudAccessLimits> = {}) {
    const isUsable = (): boolean => this.usable;
    this.cloud = new TunnelCloudAccess({
      hub: {
        get usable() {
          return isUsable();
        },
        openStream: (kind) => this.#open(kind),
      },
      clock: systemClock,
      limits,
    });
    this.hub = createServer((request, response) => {
      this.seen.push(request);
      response.shouldKeepAlive = false;
      response.writeProcessing();
      this.onRequest(request, response);
    });
    this.hub.on('upgrade', (request, socket, head) => {
      this.seen.push(request);
      socket.write('HTTP/1.1 102 Processing\r\n\r\n');
      this.onUpgrade(request, socket, head);
    });
    this.local = createServer((request, response) => {
      this.cloud.forward(request, response, this.caller).catch((error: unknown) => {
        const { status } = asStatusError(error);
        response.writeHead(status.code, { 'content-type': 'application/json', connection: 'close' });
        response.end(JSON.stringify(status));
      });
    });
    this.local.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      this.cloud.upgrade(request, socket, head, this.caller).catch((error: unknown) => {
        const { status } = asStatusError(error);
        socket.end(`HTTP/1.1 ${status.code} Refused\r\nConnection: close\r\n\r\n${JSON.stringify(status)}`);
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.local.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.local.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const cut of this.cuts) cut();
    this.local.closeAllConnections();
    await new Promise<void>((resolve) => this.local.close(() => resolve()));
  }

  /** A request of a program; resolves with the head of its answer. */
  async ask(
    path: string,
    options: { method?: string; headers?: OutgoingHttpHeaders; body?: string | Buffer } = {},
  ): Promise<IncomingMessage> {
    const { method = 'GET', headers = {}, body } = options;
    const outgoing = httpRequest({ host: '127.0.0.1', port: this.port, method, path, headers, agent: false });
    outgoing.on('error', () => {}); // awaited below
    outgoing.end(body);
    const [response] = (await within('an answer', once(outgoing, 'response'))) as [IncomingMessage];
    response.on('error', () => {});
    return response;
  }

  async whole(
    path: string,
    options: Parameters<Way['ask']>[1] = {},
  ): Promise<{
    code: number;
    text: string;
    status: { reason?: string; message?: string };
    headers: IncomingMessage['headers'];
  }> {
    const response = await this.ask(path, options);
    let text = '';
    for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
    const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : {};
    return {
      code: response.statusCode ?? 0,
      text,
      status: parsed as { reason?: string; message?: string },
      headers: response.headers,
    };
  }

  #open(kind: string): Promise<Stream> {
    assert.equal(kind, 'api');
    if (!this.usable) return Promise.reject(new TunnelError('ERR_TUNNEL_CLOSED', 'no session'));
    const { near, far, lose } = streamPair({ kind });
    this.cuts.push(lose);
    if (this.takes === 'resets') setImmediate(() => far.reset());
    if (this.takes === 'yes') {
      const duplex = new StreamDuplex(far);
      duplex.on('error', () => {});
      this.hub.emit('connection', duplex);
    }
    return Promise.resolve(near);
  }
}

describe('the way of programs to the API server', () => {
  let way: Way;

  async function open(limits: Partial<CloudAccessLimits> = {}): Promise<void> {
    way = new Way(limits);
    await way.start();
  }

  afterEach(() => way.stop());

  it('carries method, path and headers, and who asks in place of what proves it', async () => {
    await open();
    const { code } = await way.whole(`${PODS}?limit=1`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer secret',
        cookie: 'a=b',
        'x-remote-user': 'admin',
        'x-hawser-caller': '{"username":"admin"}',
        'proxy-authorization': 'Basic eDp5',
        connection: 'x-gone',
        'x-gone': '1',
        'content-type': 'application/json',
        'x-own': ['1', '2'],
        'sec-websocket-protocol': 'a, base64url.bearer.authorization.k8s.io.c2VjcmV0',
      },
      body: '{}',
    });
    assert.equal(code, 200);
    const [request] = way.seen;
    assert.equal(request?.method, 'POST');
    assert.equal(request.url, `${PODS}?limit=1`);
    const { host, connection, [CALLER_HEADER]: said, ...rest } = request.headers;
    assert.deepEqual(rest, {
      ...{ 'content-type': 'application/json', 'content-length': '2', 'x-own': '1, 2' },
      'sec-websocket-protocol': 'a',
    });
    assert.ok(host === 'api' && connection !== undefined);
    assert.deepEqual(decodeCaller(String(said)), {
      ...{ username: 'system:serviceaccount:default:web', uid: 'a1' },
      groups: ['system:serviceaccounts', 'grüße'],
      ...{ podNamespace: 'default', podName: 'web-1', podUid: 'u1' },
    });
    assert.doesNotMatch(JSON.stringify(request.rawHeaders), /secret|admin/);
  });

  it('is open to accounts of pods only, and does not impersonate', async () => {
    await open();
    const impersonating = await way.whole(PODS, { headers: { 'impersonate-user': 'admin' } });
    assert.equal(impersonating.code, 403);
    assert.match(impersonating.status.message ?? '', /impersonation/);
    for (const username of ['system:node:edge-1', 'admin', 'system:anonymous']) {
      way.caller = { user: { username, uid: '', groups: [], extra: {} }, isNode: true };
      const refused = await way.whole(PODS);
      assert.equal(refused.code, 403);
      assert.match(refused.status.message ?? '', /does not reach the API server from here/);
    }
    assert.deepEqual(way.seen, []);
  });

  it('carries nothing that is none of the API: other paths, methods, framings, sizes', async () => {
    await open();
    const raw = async (text: string): Promise<string> => {
      const socket: Socket = connect(way.port, '127.0.0.1');
      socket.end(text);
      let answer = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString();
      return answer.split('\r\n')[0] ?? '';
    };
    const rest = 'HTTP/1.1\r\nHost: x\r\n';
    assert.match(await raw(`GET http://evil.example/api ${rest}\r\n`), / 400 /);
    assert.match(await raw(`GET //evil.example/api ${rest}\r\n`), / 400 /);
    assert.match(await raw(`GET /api/../x ${rest}\r\n`), / 400 /);
    assert.match(await raw(`GET /api/%2E%2E/x ${rest}\r\n`), / 400 /);
    assert.match(await raw(`TRACE /api ${rest}\r\n`), / 405 /);
    assert.match(await raw(`POST /api ${rest}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`), / 400 /);
    assert.match(
      await raw(`POST /api ${rest}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
      / 400 /,
    );
    assert.match(await raw(`POST /api ${rest}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`), / 501 /);
    assert.equal(await raw(`CONNECT evil.example:443 ${rest}\r\n`), '');
    const large = await way.whole(PODS, { method: 'POST', body: Buffer.alloc(3 * MIB + 1) });
    assert.equal(large.code, 413);
    assert.deepEqual(way.seen, []);
    way.onRequest = (request, response) => void request.resume().on('end', () => response.end('{}'));
    const chunked = await way.whole(PODS, {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(4 * MIB),
    });
    assert.equal(chunked.code, 413);
    assert.equal(chunked.status.reason, 'RequestEntityTooLarge');
  });

  it('frames bodies of whatever method', async () => {
    await open();
    const bodies: string[] = [];
    way.onRequest = (request, response) => {
      request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
      request.on('end', () => void response.end('{}'));
    };
    const smuggled = 'GET /api/v1/secrets HTTP/1.1\r\n\r\n';
    for (const method of ['DELETE', 'GET', 'POST', 'PATCH'])
      await way.whole(PODS, { method, headers: { 'transfer-encoding': 'chunked' }, body: smuggled });
    assert.deepEqual(bodies, [smuggled, smuggled, smuggled, smuggled]);
    assert.deepEqual(
      way.seen.map(({ method }) => method),
      ['DELETE', 'GET', 'POST', 'PATCH'],
    );
  });

  it('gives a refusal before a body has been sent, and keeps the connection straight', async () => {
    await open();
    way.onRequest = (_request, response) => void response.writeHead(403).end('{"reason":"Forbidden"}');
    const refused = await way.whole(PODS, { method: 'POST', body: Buffer.alloc(3 * MIB) });
    assert.equal(refused.code, 403);
    assert.equal(refused.status.reason, 'Forbidden');
  });

  it('passes the head of a watch before there is an event, and each event as it comes', async () => {
    await open();
    let write: (text: string) => void = () => {};
    let ended = false;
    way.onRequest = (request, response) => {
      response.flushHeaders();
      write = (text) => void response.write(text);
      request.socket.on('close', () => (ended = true));
    };
    const response = await way.ask(`${PODS}?watch=true`);
    for (const event of ['{"type":"ADDED"}\n', '{"type":"DELETED"}\n']) {
      write(event);
      const [chunk] = (await within('the event', once(response, 'data'))) as [Buffer];
      assert.equal(chunk.toString(), event);
    }
    response.destroy();
    await eventually('the stream ends with its program', () => ended);
  });

  it('ends watches where the session ends, breaks off what is not whole, and goes on with the next session', async () => {
    await open();
    way.onRequest = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"items":[');
    };
    const watch = await way.ask(`${PODS}?watch=1`);
    const list = await way.ask(PODS);
    const read = async (response: IncomingMessage): Promise<void> => {
      for await (const chunk of response as AsyncIterable<Buffer>) assert.ok(chunk.length > 0);
    };
    const both = [read(watch), read(list)];
    way.usable = false;
    for (const cut of way.cuts) cut();
    const [watched, listed] = await within('both end', Promise.allSettled(both));
    assert.equal(watched?.status, 'fulfilled');
    assert.equal(listed?.status, 'rejected');
    const without = await way.whole(`${PODS}?watch=1`);
    assert.equal(without.code, 503);
    assert.equal(without.status.reason, 'ServiceUnavailable');
    assert.match(
      without.status.message ?? '',
      /does not reach the API server now: it has no session with a hub/,
    );
    assert.equal(way.cloud.available, false);
    way.usable = true;
    way.onRequest = (_request, response) => void response.end('{}');
    assert.equal((await way.whole(PODS)).code, 200);
  });

  it('says whether something may have been done when the session ends before an answer', async () => {
    await open();
    way.onRequest = () => {
      for (const cut of way.cuts.splice(0)) cut();
    };
    const read = await way.whole(PODS);
    assert.equal(read.code, 503);
    assert.match(read.text, /the session with the hub ended/);
    const written = await way.whole(PODS, { method: 'POST', body: '{}' });
    assert.equal(written.code, 504);
    assert.match(written.text, /whether the request was carried out is not known/);
  });

  it('says that a hub of a release before does not carry requests', async () => {
    await open({ takenMs: 50 });
    for (const takes of ['resets', 'silent'] as const) {
      way.takes = takes;
      for (const method of ['GET', 'POST']) {
        const refused = await way.whole(PODS, { method });
        assert.equal(refused.code, 503, `${takes} ${method}`);
        assert.match(refused.text, /earlier release, or apiAccess\.enabled is false/);
        assert.equal(refused.headers['retry-after'], undefined);
      }
    }
  });

  it('gives up an answer that does not come, and too many at a time', async () => {
    await open({ headerMs: 50, maxRequests: 2 });
    way.onRequest = () => {};
    const [first, second, third] = await Promise.all([way.whole(PODS), way.whole(PODS), way.whole(PODS)]);
    assert.deepEqual([first.code, second.code, third.code].sort(), [429, 504, 504]);
    way.onRequest = (_request, response) => void response.end('{}');
    assert.equal((await way.whole(PODS)).code, 200);
  });

  it('changes protocols, both ways until both have ended', async () => {
    await open();
    way.onUpgrade = (request, socket, head) => {
      const { upgrade = '' } = request.headers;
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${upgrade}\r\nConnection: Upgrade\r\nX-A: b\r\n\r\nhi `,
      );
      socket.write(head);
      socket.pipe(socket);
    };
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', authorization: 'Bearer secret' };
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port: way.port,
      method: 'POST',
      path: `${PODS}/a/exec`,
      headers,
    });
    outgoing.end();
    const [response, socket, head] = (await within('the upgrade', once(outgoing, 'upgrade'))) as [
      IncomingMessage,
      Duplex,
      Buffer,
    ];
    assert.equal(response.headers['x-a'], 'b');
    let text = head.toString();
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.end('there');
    await within('the end', once(socket, 'end'));
    assert.equal(text, 'hi there');
    assert.equal(way.seen[0]?.headers.authorization, undefined);
    way.onUpgrade = (_request, refusing) =>
      void refusing.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const refused = await way.whole(`${PODS}/a/exec`, {
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    });
    assert.equal(refused.code, 403);
    assert.equal(refused.text, 'no');
    way.usable = false;
    const without = await way.whole(`${PODS}/a/exec`, {
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    });
    assert.equal(without.code, 503);
  });

  it('reads an answer as a whole, within a limit', async () => {
    await open();
    way.onRequest = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-a': ['1', '2'], 'set-cookie': 'a' });
      response.end(Buffer.alloc(1000, 'x'));
    };
    const order = {
      ...{ path: '/openapi/v3', headers: { accept: 'application/json', authorization: 'Bearer secret' } },
      ...{ caller: WEB, limitBytes: 1000, signal: new AbortController().signal },
    };
    const { code, headers, body } = await way.cloud.read(order);
    assert.equal(code, 200);
    assert.equal(body.length, 1000);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['set-cookie'], undefined);
    const [request] = way.seen;
    assert.equal(request?.headers.accept, 'application/json');
    assert.equal(request.headers.authorization, undefined);
    await assert.rejects(
      way.cloud.read({ ...order, limitBytes: 999 }),
      (error: unknown) => error instanceof StatusError && error.status.code === 500,
    );
    const leaving = new AbortController();
    const reason = new Error('nobody wants it any more');
    way.onRequest = () => leaving.abort(reason);
    await assert.rejects(way.cloud.read({ ...order, signal: leaving.signal }), reason);
    await assert.rejects(way.cloud.read({ ...order, path: '/../x' }), { name: 'StatusError' });
  });
});
