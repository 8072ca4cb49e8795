import assert from 'node:assert/strict';
import type { AccessSession } from '../../src/api-access/access-session.ts';
import { AccessSite, answerIn, caller, requestOf } from './access-site.ts';

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';

describe('what a hub carries of a request to the API server', () => {
  let site: AccessSite;
  let session: AccessSession;

  before(async () => {
    site = await AccessSite.open();
    await site.pod('web-1', 'edge-1', 'web');
    session = site.session('edge-1');
  });
  beforeEach(() => {
    site.seen.length = 0;
  });
  after(() => site.close());

  /** Sends a request, and expects that it is refused and was not seen. */
  async function refused(bytes: string, status: number): Promise<string> {
    const answer = answerIn(await site.exchange(session, bytes));
    assert.equal(answer.status, status, answer.head);
    assert.deepEqual(site.seen, []);
    return answer.body;
  }

  it('is method, path, query, headers and body as they came, with the token of the account', async () => {
    const query = '?labelSelector=a%3Db&limit=500';
    const headers = [
      'Content-Type: application/json',
      'User-Agent: app/1',
      'Content-Length: 9',
      'X-Own: 1',
      'X-Own: 2',
    ];
    const text = await site.exchange(
      session,
      requestOf(`POST ${CONFIGMAPS}${query}`, caller('web'), headers, '{"a":"b"}'),
    );
    assert.equal(answerIn(text).status, 200);
    const [request] = site.seen;
    assert.equal(request?.method, 'POST');
    assert.equal(request.url, `${CONFIGMAPS}${query}`);
    assert.equal(request.body, '{"a":"b"}');
    const lines = request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    assert.deepEqual([...new Set(lines)].sort(), [
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'x-own',
    ]);
    assert.equal(request.headers['x-own'], '1, 2');
    assert.match(request.headers.authorization ?? '', /^Bearer [\w-]+\.[\w-]+\.\d+$/);
    assert.equal(request.headers.authorization?.includes('of the hub'), false);
    assert.match(request.headers.host ?? '', /^127\.0\.0\.1:\d+$/);
  });

  it('is nothing that says who asks by another way', async () => {
    const headers = [
      ...['Authorization: Bearer stolen', 'Proxy-Authorization: Basic eDp5', 'Cookie: a=b'],
      ...['X-Remote-User: admin', 'X-Remote-Group: system:masters', 'X-Remote-Extra-Scopes: all'],
      ...['X-Forwarded-For: 1.2.3.4', 'Forwarded: for=1.2.3.4', 'X-Hawser-Secret: 1', 'Via: 1.1 x'],
      ...['Connection: X-Gone, keep-alive', 'X-Gone: 1', 'Keep-Alive: timeout=5', 'TE: trailers'],
      ...['Sec-WebSocket-Protocol: a.k8s.io, base64url.bearer.authorization.k8s.io.c3RvbGVu'],
    ];
    await site.exchange(session, requestOf(`GET ${CONFIGMAPS}`, caller('web'), headers));
    const [request] = site.seen;
    const { authorization = '', host, connection, ...rest } = request?.headers ?? {};
    assert.deepEqual(rest, { 'sec-websocket-protocol': 'a.k8s.io' });
    assert.ok(authorization.startsWith('Bearer ') && !authorization.includes('stolen'));
    assert.ok(host !== undefined && connection === 'keep-alive'); // of the hub's own connection
  });

  it('is no impersonation: left out, it would be carried out with other rights', async () => {
    for (const header of [
      'Impersonate-User: admin',
      'Impersonate-Group: system:masters',
      'Impersonate-Extra-A: b',
    ])
      assert.match(
        await refused(requestOf(`GET ${CONFIGMAPS}`, caller('web'), [header]), 403),
        /[Ii]mpersonate/,
      );
  });

  it('has one length', async () => {
    const two = ['Content-Length: 3', 'Content-Length: 30'];
    await refused(requestOf(`POST ${CONFIGMAPS}`, caller('web'), two, 'abc'), 400);
    const both = ['Content-Length: 3', 'Transfer-Encoding: chunked'];
    await refused(requestOf(`POST ${CONFIGMAPS}`, caller('web'), both, '0\r\n\r\n'), 400);
    const negative = ['Content-Length: -1'];
    await refused(requestOf(`POST ${CONFIGMAPS}`, caller('web'), negative), 400);
    const odd = ['Transfer-Encoding: gzip, chunked'];
    await refused(requestOf(`POST ${CONFIGMAPS}`, caller('web'), odd, '0\r\n\r\n'), 501);
    const obscure = ['Transfer-Encoding: chunked, identity'];
    await refused(requestOf(`POST ${CONFIGMAPS}`, caller('web'), obscure, '0\r\n\r\n'), 400);
    const folded = ['Content-Length: 3', ' 0'];
    await refused(requestOf(`POST ${CONFIGMAPS}`, caller('web'), folded, 'abc'), 400);
  });

  it('frames a body of whatever method, so that its bytes are no request of their own', async () => {
    const smuggled = 'GET /api/v1/secrets HTTP/1.1\r\nHost: api\r\n\r\n';
    const chunked = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
    for (const method of ['DELETE', 'GET', 'OPTIONS', 'POST']) {
      site.seen.length = 0;
      const text = await site.exchange(
        session,
        requestOf(`${method} ${CONFIGMAPS}/a`, caller('web'), ['Transfer-Encoding: chunked'], chunked),
      );
      assert.equal(answerIn(text).status, 200);
      assert.deepEqual(
        site.seen.map(({ method: seen, body }) => [seen, body]),
        [[method, smuggled]],
      );
    }
  });

  it('is one request for each stream', async () => {
    const second = requestOf('GET /api/v1/secrets', caller('web'));
    const text = await site.exchange(session, requestOf(`GET ${CONFIGMAPS}`, caller('web')) + second);
    assert.equal(answerIn(text).status, 200);
    assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 1);
    assert.deepEqual(
      site.seen.map(({ url }) => url),
      [CONFIGMAPS],
    );
  });

  it('has a path of the API server, and nothing that leads elsewhere', async () => {
    const targets = [
      ...['http://evil.example/api', 'https://127.0.0.1:6443/api', '//evil.example/api', '*', 'api/v1'],
      ...[
        '/api/../metrics',
        '/api/%2e%2e/metrics',
        '/api/.%2E/x',
        '/api/v1/a%2f..%2fb',
        '/./api',
        '/api\\..\\x',
      ],
      ...['/api/%00', '/api/%zz', '/api#fragment', '/api/\x80'],
    ];
    for (const target of targets) await refused(requestOf(`GET ${target}`, caller('web')), 400);
    await refused(requestOf(`GET /${'a'.repeat(20_000)}`, caller('web')), 400);
    await refused(requestOf('TRACE /api', caller('web')), 405);
    const escaped = '/api/v1/namespaces/a/services/https%3Aweb%3A443/proxy/x%2Fy?to=../../up&b={c}';
    assert.equal(
      answerIn(await site.exchange(session, requestOf(`GET ${escaped}`, caller('web')))).status,
      200,
    );
    assert.equal(site.seen[0]?.url, escaped);
  });

  it('is no tunnel to anywhere', async () => {
    const { near } = site.stream(session);
    await near.write(Buffer.from(requestOf('CONNECT evil.example:443', caller('web'))));
    const error = await near.closed;
    assert.equal((error as { code?: string } | undefined)?.code, 'ERR_TUNNEL_STREAM_RESET');
    const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAoAAA'];
    await refused(requestOf('GET /api', caller('web'), h2c), 400);
    const withBody = ['Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 3'];
    await refused(requestOf('GET /api', caller('web'), withBody, 'abc'), 400);
    assert.deepEqual(site.seen, []);
  });

  it('has a head of 64 KiB at most, and is HTTP/1.1', async () => {
    await refused(requestOf('GET /api', caller('web'), [`X-Long: ${'a'.repeat(70_000)}`]), 431);
    await refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400);
    await refused('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400);
  });

  it('gives back what the API server says, and nothing for its own connection', async () => {
    site.onRequest = (_request, response) => {
      const headers: [string, string][] = [
        ...[
          ['Content-Type', 'application/json'],
          ['Audit-Id', 'a1'],
          ['Warning', '299 - "old"'],
          ['Warning', '299 - "older"'],
        ],
        ...[
          ['Set-Cookie', 'session=1'],
          ['Connection', 'X-Hop'],
          ['X-Hop', '1'],
          ['Retry-After', '7'],
        ],
      ] as [string, string][];
      response.writeHead(429, headers.flat());
      response.end('{"kind":"Status"}');
    };
    const { status, head, body } = answerIn(
      await site.exchange(session, requestOf(`GET ${CONFIGMAPS}`, caller('web'))),
    );
    assert.equal(status, 429);
    assert.match(head, /Audit-Id: a1/i);
    assert.match(head, /Retry-After: 7/i);
    assert.deepEqual(head.match(/warning: .*/gi), ['Warning: 299 - "old"', 'Warning: 299 - "older"']);
    assert.doesNotMatch(head, /set-cookie|x-hop/i);
    assert.ok(body.includes('{"kind":"Status"}'));
  });
});
