import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { eventually, within } from '@hawser/seams/testing';
import {
  requestCertificate,
  TunnelServer,
  tunnelLimits,
  verifyPeer,
  WsTransport,
  type Credentials,
  type RequestHandler,
} from '../../src/index.ts';
import { SessionSite, TestAuthority, wsUnderTest } from '../../testing/index.ts';
import { rawTls, readToEnd } from './raw-tls.ts';

const HANDSHAKE_MS = 600;

describe('Plain HTTPS requests on the port of the tunnel', () => {
  let authority: TestAuthority;
  let server: TunnelServer;
  let port: number;
  let answer: RequestHandler;

  before(async () => {
    authority = await TestAuthority.create();
  });

  beforeEach(async () => {
    const hub = await authority.hub();
    const limits = tunnelLimits({
      handshakeTimeoutMs: HANDSHAKE_MS,
      maxHandshakes: 3,
      maxHandshakesPerAddress: 3,
    });
    server = new TunnelServer({
      welcome: { software: 'hub/test', clusterUid: 'cluster-1', incarnation: '1' },
      limits,
      onTunnel: () => () => {},
    });
    const transport = new WsTransport({ credentials: () => hub, limits });
    const listener = await server.listen(transport, {
      host: '127.0.0.1',
      port: 0,
      onRequest: (request, response) => answer(request, response),
    });
    port = listener.port;
  });

  afterEach(() => server.stop());

  async function ask(
    options: RequestOptions & { credentials?: Credentials; body?: string } = {},
  ): Promise<{ response: IncomingMessage; text: string }> {
    const { credentials, body = '', ...rest } = options;
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      path: '/',
      rejectUnauthorized: false,
      agent: false,
      ...(credentials === undefined
        ? {}
        : {
            key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }),
            cert: credentials.certificate.toString(),
          }),
      ...rest,
    });
    request.end(body);
    const [response] = (await within('the answer', once(request, 'response'))) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { response, text };
  }

  const placesFree = (): Promise<void> =>
    eventually('all places are free', () => server.gate.handshakes === 0 && server.gate.connections === 0);

  it('reach the handler, body and all, and close the connection', async () => {
    answer = (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(`${request.method ?? ''} ${request.url ?? ''} ${body}`));
    };
    const { response, text } = await ask({ method: 'POST', path: '/v1/join', body: 'please' });
    assert.equal(response.statusCode, 200);
    assert.equal(text, 'POST /v1/join please');
    assert.equal(response.headers.connection, 'close');
    await placesFree();
  });

  it('show the handler the certificate of the client, unverified, and none where there is none', async () => {
    const seen: (Uint8Array | undefined)[] = [];
    answer = (request, response) => {
      seen.push(requestCertificate(request));
      response.end();
    };
    const expired = await authority.edge('edge-9', { notAfter: new Date(Date.now() - 3_600_000) });
    await ask({ credentials: expired });
    await ask();
    assert.deepEqual(seen[0], expired.certificate.raw);
    assert.equal(seen[1], undefined);
    const verify = { role: 'edge', authorities: expired.authorities } as const;
    assert.throws(() => verifyPeer(seen[0], verify), { code: 'ERR_TUNNEL_CERT_EXPIRED' });
  });

  it('hold a place in the gate until they are answered', async () => {
    const waiting: (() => void)[] = [];
    answer = (_request, response) => {
      waiting.push(() => response.end('done'));
    };
    const asked = [ask(), ask(), ask()];
    await eventually('three requests are with the handler', () => waiting.length === 3);
    assert.equal(server.gate.handshakes, 3);
    asked.push(ask());
    await eventually('the fourth waits at the gate', () => server.gate.waiting === 1);
    assert.equal(waiting.length, 3);
    waiting[0]?.();
    await eventually('it has its turn', () => waiting.length === 4);
    for (const finish of waiting) finish();
    for (const { text } of await Promise.all(asked)) assert.equal(text, 'done');
    await placesFree();
  });

  it('end with the time of a handshake, whatever the handler or the client does', async () => {
    answer = () => {};
    const startedMs = performance.now();
    await assert.rejects(ask(), { code: 'ECONNRESET' });
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs > HANDSHAKE_MS / 2, `ended after ${tookMs} ms`);
    await placesFree();

    let arrived = false;
    answer = () => (arrived = true);
    const slow = await rawTls(port);
    slow.tls.write('POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000\r\n\r\nabc');
    await within('the end', readToEnd(slow));
    assert.ok(arrived);
    await placesFree();
  });

  it('are answered with 500 where the handler throws, and the hub goes on', async () => {
    answer = () => {
      throw new Error('a bug');
    };
    const { response } = await ask();
    assert.equal(response.statusCode, 500);
    answer = (_request, response) => {
      response.write('half');
      throw new Error('a bug, later');
    };
    await assert.rejects(ask(), { code: 'ECONNRESET' });
    answer = (_request, response) => response.end('fine');
    assert.equal((await ask()).text, 'fine');
    await placesFree();
  });

  it('get two answers for each connection', async () => {
    let requests = 0;
    answer = (_request, response) => response.end(`answer ${++requests}\n`);
    const raw = await rawTls(port);
    const one = 'GET / HTTP/1.1\r\nHost: hub\r\n\r\n';
    raw.tls.write(one + one + one);
    const text = await within('the answers', readToEnd(raw));
    assert.equal(requests, 2);
    assert.match(
      text,
      /^HTTP\/1\.1 200 OK\r\n[^]*answer 1\nHTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n[^]*answer 2\n/i,
    );
    await placesFree();
  });

  it('leave tunnels on the same port alone', async () => {
    answer = (_request, response) => response.end();
    const site = await SessionSite.open(wsUnderTest, { onRequest: answer });
    try {
      await site.connect();
    } finally {
      await site.close();
    }
  });
});
