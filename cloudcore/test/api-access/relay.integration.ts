import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { CALLER_HEADER, encodeCaller, StreamDuplex } from '@hawser/proto';
import { streamPair } from '@hawser/proto/testing';
import { eventually, within } from '@hawser/seams/testing';
import type { AccessSession } from '../../src/api-access/access-session.ts';
import { AccessSite, answerIn, caller, requestOf, type SeenRequest } from './access-site.ts';

const PODS = '/api/v1/namespaces/default/pods';
const WATCH = `${PODS}?watch=1`;
const MIB = 2 ** 20;
/** What is on its way to a reader that does not read: most of it in the buffers of a loopback socket. */
const AHEAD_BYTES = 16 * MIB;

describe('requests of programs at edges', () => {
  let site: AccessSite;
  let session: AccessSession;
  let duplexes: StreamDuplex[];

  async function open(options: Parameters<typeof AccessSite.open>[0] = {}): Promise<void> {
    site = await AccessSite.open(options);
    await site.pod('web-1', 'edge-1', 'web');
    session = site.session('edge-1');
    duplexes = [];
  }

  afterEach(async () => {
    for (const duplex of duplexes) duplex.destroy();
    await site.close();
  });

  /** A request over a stream of its own. */
  function ask(
    path: string,
    options: {
      method?: string;
      headers?: Readonly<Record<string, string | number>>;
      of?: AccessSession;
    } = {},
  ): ClientRequest {
    const { near, far } = streamPair({ kind: 'api' });
    const duplex = new StreamDuplex(near);
    duplexes.push(duplex);
    duplex.on('error', () => {});
    (options.of ?? session).take(far);
    const { method = 'GET' } = options;
    const outgoing = httpRequest({ method, path, createConnection: () => duplex, setHost: false });
    outgoing.on('error', () => {});
    const headers = { host: 'api', [CALLER_HEADER]: encodeCaller(caller('web')), ...options.headers };
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    return outgoing;
  }

  async function answer(outgoing: ClientRequest): Promise<IncomingMessage> {
    const [response] = (await within('an answer', once(outgoing, 'response'))) as [IncomingMessage];
    response.on('error', () => {});
    return response;
  }

  async function whole(
    outgoing: ClientRequest,
  ): Promise<{ status: number; text: string; response: IncomingMessage }> {
    outgoing.end();
    const response = await answer(outgoing);
    let text = '';
    for await (const chunk of response as AsyncIterable<Buffer>) text += chunk.toString();
    return { status: response.statusCode ?? 0, text, response };
  }

  function status(text: string): { code: number; reason: string; message: string; kind: string } {
    const parsed = JSON.parse(text) as { code: number; reason: string; message: string; kind: string };
    assert.equal(parsed.kind, 'Status');
    return parsed;
  }

  it('are told at once that the hub has them, and share one token', async () => {
    await open();
    const outgoing = ask(PODS);
    const informed = once(outgoing, 'information');
    const first = await whole(outgoing);
    assert.equal(((await informed)[0] as { statusCode: number }).statusCode, 102);
    assert.equal(first.status, 200);
    await Promise.all(Array.from({ length: 20 }, () => whole(ask(PODS))));
    assert.equal(site.orders.length, 1);
    assert.equal(new Set(site.seen.map(({ headers }) => headers.authorization)).size, 1);
    assert.equal(await site.metric('requests_total', { method: 'GET', code: '200' }), 21);
    assert.equal(await site.metric('open_requests'), 0);
    assert.equal(await site.metric('tokens'), 1);
    assert.equal(getEventListeners(session.signal, 'abort').length, 0);
    assert.ok((await site.metric('bytes_total', { direction: 'to-edge' })) > 1000);
  });

  it('see each event of a watch as it comes, the head before the first', async () => {
    await open();
    let watch: ServerResponse | undefined;
    site.onRequest = (_request, response) => {
      watch = response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
    };
    const outgoing = ask(WATCH);
    outgoing.end();
    const response = await answer(outgoing);
    for (const event of ['{"type":"ADDED"}\n', '{"type":"MODIFIED"}\n']) {
      watch?.write(event);
      const [chunk] = (await within('the event', once(response, 'data'))) as [Buffer];
      assert.equal(chunk.toString(), event);
    }
    assert.equal(await site.metric('open_requests'), 1);
    response.destroy();
    await eventually('the watch ends at the API server', () => watch?.destroyed === true);
    await eventually('the place is free', async () => (await site.metric('open_requests')) === 0);
  });

  it('that are not read hold up the API server for themselves, and nobody else', async () => {
    await open();
    let sent = 0;
    site.onRequest = (request, response) => {
      if (request.url !== WATCH) return void response.end('{}');
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024, 97);
      const more = (): void => {
        while (sent < 64 * MIB) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    };
    const outgoing = ask(WATCH);
    outgoing.end();
    const response = await answer(outgoing); // and is not read
    response.pause();
    let before = -1;
    await eventually('it stands still', async () => {
      before = sent;
      await whole(ask(PODS));
      return sent === before;
    });
    assert.ok(sent < AHEAD_BYTES, `${sent} bytes ahead of a reader that does not read`);
    const startedMs = performance.now();
    for (let times = 0; times < 50; times++) assert.equal((await whole(ask(PODS))).status, 200);
    assert.ok(performance.now() - startedMs < 5000);
    assert.ok(sent < AHEAD_BYTES);
  });

  it('bring bodies of up to 3 MiB, whole, and none beyond', async () => {
    await open();
    const fits = Buffer.alloc(3 * MIB, 98);
    const outgoing = ask(PODS, { method: 'POST', headers: { 'content-length': fits.length } });
    outgoing.write(fits);
    assert.equal((await whole(outgoing)).status, 200);
    assert.equal(site.seen[0]?.body.length, fits.length);
    site.seen.length = 0;
    const announced = ask(PODS, { method: 'POST', headers: { 'content-length': fits.length + 1 } });
    announced.flushHeaders();
    const refused = await answer(announced);
    assert.equal(refused.statusCode, 413);
    const chunked = ask(PODS, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
    chunked.write(fits);
    chunked.write('c');
    const cut = await answer(chunked);
    assert.equal(cut.statusCode, 413);
    let text = '';
    for await (const chunk of cut as AsyncIterable<Buffer>) text += chunk.toString();
    assert.equal(status(text).reason, 'RequestEntityTooLarge');
    assert.deepEqual(site.seen, []);
    assert.equal(await site.metric('refused_total', { reason: 'too-large' }), 2);
  });

  it('are so many at a time, of a node and of all, and the next one hears when to come again', async () => {
    await open({ maxRequestsPerNode: 3, maxRequests: 4 });
    await site.pod('web-2', 'edge-2', 'web');
    const held: ServerResponse[] = [];
    site.onRequest = (_request, response) => void held.push(response);
    const second = site.session('edge-2');
    for (let times = 0; times < 3; times++) ask(PODS).end();
    await eventually('three are under way', () => held.length === 3);
    const ofNode = await whole(ask(PODS));
    assert.equal(ofNode.status, 429);
    assert.equal(ofNode.response.headers['retry-after'], '1');
    assert.match(status(ofNode.text).message, /node edge-1 has 3 requests .*apiAccess\.maxRequestsPerNode/);
    ask(PODS, { of: second }).end();
    await eventually('four are under way', () => held.length === 4);
    const ofAll = await whole(ask(PODS, { of: second }));
    assert.equal(ofAll.status, 429);
    assert.match(status(ofAll.text).message, /the hub has 4 requests .*apiAccess\.maxRequests\b/);
    held[0]?.end('{}');
    site.onRequest = (_request, response) => void response.end('{}');
    await eventually('a place is free', async () => (await whole(ask(PODS))).status === 200);
  });

  it('without rights get what the API server says', async () => {
    await open();
    const text = '{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}\n';
    site.onRequest = (_request, response) =>
      void response
        .writeHead(403, { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' })
        .end(text);
    const refused = await whole(ask(PODS));
    assert.equal(refused.status, 403);
    assert.equal(refused.text, text);
    assert.equal(refused.response.headers['x-content-type-options'], 'nosniff');
  });

  it('get another token where the API server does not take the first', async () => {
    await open();
    const refusing = new Set<string>();
    site.onRequest = (request, response) => {
      const { authorization = '' } = request.headers;
      if (refusing.size === 0) refusing.add(authorization);
      void response.writeHead(refusing.has(authorization) ? 401 : 200).end('{}');
    };
    assert.equal((await whole(ask(PODS))).status, 200);
    assert.equal(site.orders.length, 2);
    assert.equal(site.seen.length, 2);
    // With a body nothing is repeated here: the program is told to.
    site.onRequest = (_request, response) => void response.writeHead(401).end('{}');
    site.seen.length = 0;
    const outgoing = ask(PODS, { method: 'POST', headers: { 'content-length': 2 } });
    outgoing.write('{}');
    const refused = await whole(outgoing);
    assert.equal(refused.status, 503);
    assert.equal(refused.response.headers['retry-after'], '1');
    assert.equal(site.seen.length, 1);
    // And not for ever.
    assert.equal((await whole(ask(PODS))).status, 503);
    assert.equal(site.seen.length, 3);
  });

  it('say that an API server does not answer: in time, at all, or any more', async () => {
    await open({ headerMs: 100 });
    site.onRequest = () => {};
    const late = await whole(ask(PODS));
    assert.equal(late.status, 504);
    assert.match(status(late.text).message, /node edge-1: the API server did not answer within 0\.1 s/);
    site.onRequest = (request) => void request.socket.destroy();
    const read = await whole(ask(PODS));
    assert.equal(read.status, 503); // a read may be repeated
    assert.equal(read.response.headers['retry-after'], '1');
    const written = await whole(ask(PODS, { method: 'DELETE' }));
    assert.equal(written.status, 504); // nobody knows whether it was deleted
    assert.equal(written.response.headers['retry-after'], undefined);
    assert.match(status(written.text).message, /Whether the request was carried out is not known/);
  });

  it('break off where the API server breaks off: half an answer is none', async () => {
    await open();
    site.onRequest = (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"items":[');
      setImmediate(() => void request.socket.destroy());
    };
    const outgoing = ask(PODS);
    outgoing.end();
    const response = await answer(outgoing);
    await assert.rejects(async () => {
      for await (const chunk of response as AsyncIterable<Buffer>) assert.ok(chunk.length > 0);
    });
  });

  it('change to WebSocket and SPDY, and pass bytes both ways until both have ended', async () => {
    await open();
    site.onUpgrade = (request, socket, head) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade ?? ''}\r\nConnection: Upgrade\r\n` +
          'X-Stream-Protocol-Version: v4\r\n\r\nhello ',
      );
      socket.write(head);
      socket.pipe(socket);
    };
    for (const protocol of ['websocket', 'SPDY/3.1']) {
      const outgoing = ask(`${PODS}/web-1/exec?command=sh`, {
        method: protocol === 'websocket' ? 'GET' : 'POST',
        headers: { connection: 'Upgrade', upgrade: protocol, authorization: 'Bearer stolen' },
      });
      outgoing.end();
      const [response, socket, head] = (await within('the upgrade', once(outgoing, 'upgrade'))) as [
        IncomingMessage,
        Duplex,
        Buffer,
      ];
      assert.equal(response.headers.upgrade, protocol);
      assert.equal(response.headers['x-stream-protocol-version'], 'v4');
      let text = head.toString();
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.write('world');
      await eventually('the echo', () => text === 'hello world');
      socket.end('!');
      await within('the end', once(socket, 'end'));
      assert.equal(text, 'hello world!');
    }
    for (const { headers } of site.seen) assert.doesNotMatch(headers.authorization ?? '', /stolen/);
    await eventually('the places are free', async () => (await site.metric('open_requests')) === 0);
  });

  it('that may not be upgraded get the answer as it is', async () => {
    await open();
    site.onUpgrade = (_request, socket) =>
      void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-A: b\r\n\r\nnone');
    const outgoing = ask(`${PODS}/web-1/exec`, { headers: { connection: 'Upgrade', upgrade: 'websocket' } });
    const refused = await whole(outgoing);
    assert.equal(refused.status, 403);
    assert.equal(refused.text, 'none');
    assert.equal(refused.response.headers['x-a'], 'b');
  });

  it('of others are refused, and a log line says so once in a while', async () => {
    const lines: string[] = [];
    const log = { ...silent(), child: () => log, warn: (_: object, text: string) => void lines.push(text) };
    await open({ log });
    for (let times = 0; times < 20; times++) {
      const text = await site.exchange(session, requestOf(`GET ${PODS}`, caller('other')));
      assert.equal(answerIn(text).status, 403);
    }
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /refused: node edge-1: no pod of it runs as default\/other/);
    assert.equal(await site.metric('refused_total', { reason: 'caller' }), 20);
    assert.deepEqual(site.seen, []);
    assert.deepEqual(site.orders, []);
  });

  it('end with the session, with the pod go its tokens, and a session that was replaced begins none', async () => {
    await open();
    const held: SeenRequest[] = [];
    site.onRequest = (_request, response) => {
      held.push(...site.seen.slice(-1));
      response.flushHeaders();
    };
    const watch = ask(WATCH);
    watch.end();
    const response = await answer(watch);
    site.view.pods.delete('default/web-1');
    site.view.setPod('default', 'web-1', { uid: 'another', nodeName: 'edge-1', serviceAccountName: 'web' });
    assert.equal(await site.metric('tokens'), 0);
    const closed = new Promise((resolve) => response.once('close', resolve));
    session.end();
    await within('the watch ends', closed);
    assert.equal(response.complete, false);
    site.current = false;
    const next = site.session('edge-1');
    const refused = await whole(ask(PODS, { of: next }));
    assert.equal(refused.status, 503);
    assert.match(refused.text, /has a newer session/);
  });

  it('of a revoked node end at once, and begin no more', async () => {
    await open();
    site.onRequest = (_request, response) => {
      response.flushHeaders();
    };
    const watch = ask(WATCH);
    watch.end();
    const response = await answer(watch);
    const closed = new Promise((resolve) => response.once('close', resolve));
    site.revoke('edge-1');
    await within('the watch ends', closed);
    const next = await whole(ask(PODS, { of: site.session('edge-1') }));
    assert.equal(next.status, 403);
    assert.match(next.text, /node edge-1 was revoked/);
    // The former session takes no streams.
    const { near } = site.stream(session);
    assert.equal(((await near.closed) as { code?: string } | undefined)?.code, 'ERR_TUNNEL_STREAM_RESET');
  });

  it('that wait hear that the hub stops', async () => {
    await open();
    site.onRequest = () => {};
    const outgoing = ask(PODS, { method: 'POST' });
    outgoing.end();
    await eventually('it is under way', () => site.seen.length === 1);
    site.access.stop();
    const response = await answer(outgoing);
    assert.equal(response.statusCode, 503);
    const [chunk] = (await once(response, 'data')) as [Buffer];
    assert.match(chunk.toString(), /the hub is stopping/);
    // Nothing more is begun, in sessions that begin meanwhile neither.
    const { near } = site.stream(site.session('edge-1'));
    assert.equal(((await near.closed) as { code?: string } | undefined)?.code, 'ERR_TUNNEL_STREAM_RESET');
  });

  it('that are lost on the way are given up at the API server', async () => {
    await open();
    let closed = false;
    site.onRequest = (request) => void request.socket.once('close', () => (closed = true));
    const { near, lose } = site.stream(session);
    await near.write(Buffer.from(requestOf(`GET ${PODS}`, caller('web'))));
    await eventually('it is under way', () => site.seen.length === 1);
    lose();
    await eventually('it is given up', () => closed);
    await eventually('its place is free', async () => (await site.metric('open_requests')) === 0);
  });
});

function silent(): Record<'debug' | 'info' | 'error' | 'fatal' | 'trace' | 'warn', () => void> {
  const none = (): void => {};
  return { debug: none, info: none, error: none, fatal: none, trace: none, warn: none };
}
