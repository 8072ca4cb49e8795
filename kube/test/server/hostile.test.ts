import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { eventually, within } from '@hawser/seams/testing';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { send, type Reply } from './http.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

describe('server: hostile input', () => {
  let fixture: KubeFixture;
  let errors: Error[];

  before(async () => {
    errors = [];
    fixture = await startKubeFixture({ server: { onError: (error) => errors.push(error) } });
  });
  after(() => fixture.stop());
  afterEach(async () => {
    // Whatever was sent: it is nobody's fault but the client's, and the server goes on.
    assert.deepEqual(errors, []);
    assert.equal((await send(fixture.url, 'GET', '/healthz')).status, 200);
  });

  const post = (body: Buffer | object, headers: Record<string, string> = {}): Promise<Reply> =>
    send(fixture.url, 'POST', MAPS, { body, headers });

  it('answers 413 for a body over the limit that says so', async () => {
    const reply = await post(Buffer.alloc(3 * 1024 * 1024 + 1, 0x20));
    assert.equal(reply.status, 413);
    assert.equal(reply.body['message'], 'Request entity too large: limit is 3145728');
  });

  it('answers 413 for a body over the limit that does not say so, and closes', async () => {
    const socket = connect(fixture.server.port, '127.0.0.1');
    socket.on('error', () => {}); // the server may be done with it while we still write
    await once(socket, 'connect');
    socket.write(`POST ${MAPS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => (answer += data));
    for (let sent = 0; sent < 64 && answer === ''; sent += 1) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
    await eventually('the answer', () => answer.includes('Request entity too large'));
    assert.match(answer, /^HTTP\/1\.1 413 /);
    if (!socket.closed) await within('the connection ends', once(socket, 'close'));
  });

  for (const [what, body, expected] of [
    ['text that is no JSON', 'hello', "invalid character 'h' looking for beginning of value"],
    ['a string', '"x"', 'json: cannot unmarshal string into Go value'],
    ['a number', '7', 'json: cannot unmarshal number into Go value'],
    ['an object cut short', '{"metadata":{"name":"a"', 'unexpected end of JSON input'],
    ['a second value', '{} {}', "invalid character '{' after top-level value"],
    ['a control character', '{"a":"\u0001"}', 'in string literal'],
    ['half an escape', '{"a":"\\u12"}', 'in \\u hexadecimal character escape'],
    ['no comma', '{"a":1 "b":2}', 'after object key:value pair'],
  ] as const) {
    it(`answers 400 for ${what}`, async () => {
      const reply = await post(Buffer.from(body));
      assert.equal(reply.status, 400);
      assert.equal(reply.body['reason'], 'BadRequest');
      assert.ok(String(reply.body['message']).includes(expected), String(reply.body['message']));
    });
  }

  it('survives JSON as deep as a body may be', async () => {
    const depth = 1_000_000;
    const reply = await post(Buffer.from(`{"data":${'['.repeat(depth)}${']'.repeat(depth)}}`));
    assert.equal(reply.status, 400);
    assert.match(String(reply.body['message']), /exceeded max depth/);
    const shallow = await post(Buffer.from(`{"data":${'['.repeat(4000)}${']'.repeat(4000)}}`));
    assert.equal(shallow.status, 400);
  });

  it('keeps __proto__ a key like others', async () => {
    const body = Buffer.from(
      '{"metadata":{"name":"proto","labels":{"__proto__":"x"}},"data":{"__proto__":"evil"}}',
    );
    const reply = await post(body);
    assert.equal(reply.status, 422); // no label begins with an underscore
    const data = await post(Buffer.from('{"metadata":{"name":"proto"},"data":{"__proto__":"evil"}}'));
    assert.equal(data.status, 201);
    assert.ok(data.text.includes('"__proto__":"evil"'));
    assert.equal(({} as Record<string, unknown>)['evil'], undefined);
  });

  it('refuses YAML that grows', async () => {
    const levels = Array.from({ length: 12 }, (_, index) =>
      index === 0
        ? 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
        : `a${index}: &a${index} [${Array(9)
            .fill(`*a${index - 1}`)
            .join(', ')}]`,
    );
    const reply = await post(Buffer.from(levels.join('\n')), { 'content-type': 'application/yaml' });
    assert.equal(reply.status, 400);
    assert.match(String(reply.body['message']), /excessive aliasing/);
  });

  it('refuses bytes that only claim to be protobuf', async () => {
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    for (const bytes of [
      '',
      'k8s\0',
      'nope',
      'k8s\0\x12\xff\xff\xff\xff\x0f',
      'k8s\0\x0f',
      'k8s\0\x12\x02\x0a\x7f',
    ]) {
      const reply = await post(Buffer.from(bytes, 'latin1'), headers);
      assert.ok(reply.status === 400 || reply.status === 422, `${reply.status} for ${JSON.stringify(bytes)}`);
    }
  });

  it('refuses bad selectors, versions, limits and tokens of lists with 400', async () => {
    for (const query of [
      'labelSelector=a+in+(',
      'labelSelector=%2F%2F%2F',
      'fieldSelector=metadata.name%3D%5C',
      'fieldSelector=nonsense%3Dx',
      'resourceVersion=-1',
      'resourceVersion=99x',
      'limit=ten',
      'limit=2&continue=%00',
      'limit=2&continue=e30',
      `limit=2&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":5,"start":"../../x"}').toString('base64url')}`,
      `limit=2&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":0,"start":"/a"}').toString('base64url')}`,
      `limit=2&continue=${'A'.repeat(20_000)}`,
    ]) {
      const reply = await send(fixture.url, 'GET', `${MAPS}?${query}`);
      assert.equal(reply.status, 400, `${query.slice(0, 60)}: ${reply.text.slice(0, 200)}`);
    }
  });

  it('answers broken URLs and methods', async () => {
    for (const [method, path, status] of [
      ['GET', '/api/v1/namespaces/%zz/configmaps', 400],
      ['GET', '/api/v1/namespaces/default/configmaps/..%2f..%2fsecrets', 404],
      ['GET', `/api/v1/namespaces/default/configmaps/${'a'.repeat(8000)}`, 404],
      ['GET', '/api/v1/namespaces/default/configmaps/a/nosuch', 404],
      ['OPTIONS', MAPS, 405],
      ['PATCH', MAPS, 405],
      ['DELETE', '/api/v1/configmaps', 405],
      ['POST', '/api/v1/configmaps', 405],
      ['GET', '/api/v1/configmaps/a', 404],
      ['GET', '/api/v1/namespaces/default/nodes', 404],
      ['GET', '//', 200],
      ['GET', '/nosuch', 404],
    ] as const) {
      const reply = await send(fixture.url, method, path);
      assert.equal(reply.status, status, `${method} ${path.slice(0, 60)}: ${reply.text.slice(0, 200)}`);
    }
  });

  it('answers 431 for headers over the limit', async () => {
    const socket = connect(fixture.server.port, '127.0.0.1');
    socket.on('error', () => {}); // as above
    await once(socket, 'connect');
    socket.setEncoding('latin1');
    let answer = '';
    socket.on('data', (data: string) => (answer += data));
    socket.write(`GET ${MAPS} HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(70_000)}\r\n\r\n`);
    await within('the connection ends', once(socket, 'close'));
    assert.match(answer, /^HTTP\/1\.1 (400|431) /);
  });

  it('survives clients that leave in the middle of a body', async () => {
    for (let index = 0; index < 20; index += 1) {
      const socket = connect(fixture.server.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`POST ${MAPS} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"metadata"`);
      socket.destroy();
    }
    const list = await send(fixture.url, 'GET', MAPS);
    assert.equal(list.status, 200);
  });

  it('refuses names that would be paths, and patches that are none', async () => {
    assert.equal((await post({ metadata: { name: 'a/b' } })).status, 422);
    assert.equal((await post({ metadata: { name: '..' } })).status, 422);
    await post({ metadata: { name: 'patched' } });
    for (const [type, body] of [
      ['application/json-patch+json', '[{"op":"add","path":"/metadata/labels/x","value":1}]'],
      ['application/json-patch+json', '[{"op":"move","from":"/nope","path":"/data"}]'],
      ['application/json-patch+json', '{}'],
      ['application/merge-patch+json', '[]'],
      ['application/merge-patch+json', '{"metadata":{"labels":[]}}'],
      ['application/merge-patch+json', '{"data":7}'],
      ['application/strategic-merge-patch+json', '7'],
      ['application/apply-patch+yaml', '{}'],
      ['text/plain', 'x'],
    ] as const) {
      const reply = await send(fixture.url, 'PATCH', `${MAPS}/patched`, {
        body: Buffer.from(body),
        headers: { 'content-type': type },
      });
      assert.ok(reply.status >= 400 && reply.status < 500, `${type} ${body}: ${reply.status} ${reply.text}`);
    }
    const unchanged = await send(fixture.url, 'GET', `${MAPS}/patched`);
    assert.equal(unchanged.body['data'], undefined);
  });
});
