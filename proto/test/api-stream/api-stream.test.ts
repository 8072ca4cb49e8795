import assert from 'node:assert/strict';
import {
  answerHeaders,
  decodeCaller,
  encodeCaller,
  hasBody,
  headProblem,
  requestHeaders,
  wantedProtocol,
  type StreamCaller,
} from '../../src/index.ts';

describe('what travels on streams of kind api', () => {
  it('is a caller in a header, whatever letters it has', () => {
    const callers: StreamCaller[] = [
      { username: 'system:serviceaccount:a:b', uid: 'u', groups: [] },
      { username: 'grüße\r\nX: y', uid: '\u{1f6a2}', groups: ['"', '\\', '\u0000'] },
      { username: 'a', uid: '', groups: ['g'], podNamespace: 'n', podName: 'p', podUid: 'u' },
    ];
    for (const caller of callers) {
      const text = encodeCaller(caller);
      assert.match(text, /^[\x20-\x7e]+$/);
      assert.deepEqual(decodeCaller(text), caller);
    }
    assert.throws(() => encodeCaller({ username: 'a'.repeat(9000), uid: '', groups: [] }), TypeError);
    const pod = '"podNamespace":"n","podName":"p"';
    for (const text of ['', '[]', '1', '{"username":"a"}', `{"username":"a","uid":"","groups":[],${pod}}`])
      assert.equal(decodeCaller(text), undefined);
  });

  it('is a head with a path of the API, one length, and no other user', () => {
    const of = (url: string, headers: Record<string, string> = {}, method = 'GET'): number | undefined =>
      headProblem({ method, url, headers })?.status;
    const good = [
      ...[
        '/',
        '/api',
        '/apis/apps/v1/deployments?watch=1&fieldSelector=metadata.name%3Da',
        '/openapi/v3?hash=A%2FB',
      ],
      ...['/api/v1/nodes/a/proxy/a..b/.c/d.', '/api/v1/namespaces/a/services/https:b:c/proxy/%7Ed?e=../f'],
    ];
    for (const url of good) assert.equal(of(url), undefined, url);
    const bad = [
      '',
      'api',
      '*',
      'http://a/api',
      '//a/api',
      '/a b',
      '/..',
      '/a/..',
      '/a/%2E.',
      '/%2e/',
      '/a%2F..',
      '/a#b',
    ];
    for (const url of [...bad, '/\u00e4', '/%', '/%ff', '/%00', '/a\\b', `/${'a'.repeat(16_384)}`])
      assert.equal(of(url), 400, url);
    for (const method of ['CONNECT', 'TRACE', 'PRI', '', 'get'])
      assert.equal(of('/', {}, method), 405, method);
    assert.equal(of('/', { 'impersonate-user': 'a' }), 403);
    assert.equal(of('/', { 'Impersonate-Extra-scopes': 'a' }), 403);
    assert.equal(of('/', { 'transfer-encoding': 'gzip, chunked' }), 501);
    assert.equal(of('/', { 'transfer-encoding': 'chunked', 'content-length': '1' }), 400);
    for (const length of ['-1', '1e3', '0x1', '1, 1', '', ' 1'])
      assert.equal(of('/', { 'content-length': length }), 400, length);
    assert.equal(of('/', { 'content-length': '12' }), undefined);
  });

  it('is a body where the head says that there is one', () => {
    assert.equal(hasBody({ headers: {} }), false);
    assert.equal(hasBody({ headers: { 'content-length': '0' } }), false);
    assert.equal(hasBody({ headers: { 'content-length': '1' } }), true);
    assert.equal(hasBody({ headers: { 'transfer-encoding': 'chunked' } }), true);
  });

  it('is another protocol where Connection and Upgrade both ask for it', () => {
    assert.equal(wantedProtocol({ headers: { upgrade: 'websocket' } }), undefined);
    assert.equal(wantedProtocol({ headers: { connection: 'Upgrade' } }), undefined);
    const headers = { connection: 'keep-alive, Upgrade', upgrade: 'SPDY/3.1' };
    assert.equal(wantedProtocol({ headers }), 'SPDY/3.1');
  });

  it('is of headers what is neither of one connection nor says who asks', () => {
    const raw = [
      ...[
        'Accept',
        'a',
        'accept',
        'b',
        'X-Own',
        '1',
        'Host',
        'h',
        'Content-Length',
        '1',
        'Authorization',
        'Bearer x',
      ],
      ...[
        'Connection',
        'close, X-Hop',
        'X-Hop',
        '1',
        'X-Remote-Group',
        'g',
        'Impersonate-User',
        'u',
        'Cookie',
        'c',
      ],
      ...['Sec-WebSocket-Protocol', 'base64url.bearer.authorization.k8s.io.eA'],
      ...['Sec-WebSocket-Protocol', 'v5.channel.k8s.io, BASE64URL.bearer.authorization.k8s.io.eA'],
    ];
    assert.deepEqual(
      [...requestHeaders(raw)],
      [
        ['Accept', ['a', 'b']],
        ['X-Own', ['1']],
        ['Sec-WebSocket-Protocol', ['v5.channel.k8s.io']],
      ],
    );
    const answer = [
      'Content-Length',
      '2',
      'Set-Cookie',
      'a',
      'Transfer-Encoding',
      'chunked',
      'Audit-Id',
      'i',
      'Warning',
      '1',
      'Warning',
      '2',
    ];
    assert.deepEqual(
      [...answerHeaders(answer)],
      [
        ['Content-Length', ['2']],
        ['Audit-Id', ['i']],
        ['Warning', ['1', '2']],
      ],
    );
  });
});
