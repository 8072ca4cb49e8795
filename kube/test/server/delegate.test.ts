import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from '@hawser/seams/testing';
import { serviceUnavailable } from '../../src/status/status-errors.ts';
import type { KubeObject } from '../../src/meta/object.ts';
import { builtInResources } from '../../src/server/builtin/index.ts';
import { privilegedGroupAuthorizer } from '../../src/server/auth/authorizer.ts';
import { MASTERS, userInfo } from '../../src/server/auth/user.ts';
import type { AnsweredRequest } from '../../src/server/http/api-handler.ts';
import type { DelegatedRequest, RequestDelegate } from '../../src/server/http/delegate.ts';
import { Registry } from '../../src/server/registry/registry.ts';
import { KubeServer } from '../../src/server/server.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { names, send, watch } from './http.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

function configMap(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } };
}

async function put(store: MemoryStore, name: string): Promise<void> {
  await store.create({ group: '', resource: 'configmaps', namespace: 'default', name }, configMap(name));
}

describe('server: a delegate, and a store for each request', () => {
  let fixture: KubeFixture;
  let other: MemoryStore;
  let answered: AnsweredRequest[];
  let asked: DelegatedRequest[];

  const delegate: RequestDelegate = {
    async take(request, respond) {
      asked.push(request);
      const { info } = request;
      if (info.resource === 'secrets') throw serviceUnavailable('there is no cloud');
      if (info.resource === 'services') await request.authorize();
      if (info.resource !== 'widgets' && info.path !== '/far') return false;
      await respond.text(200, `taken for ${request.user.username} by ${request.self.username}`);
      return true;
    },
    takeUpgrade({ info }, socket) {
      if (info.subresource !== 'exec') return Promise.resolve(false);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nfar away');
      return Promise.resolve(true);
    },
  };

  before(async () => {
    const store = new MemoryStore();
    other = new MemoryStore();
    await put(store, 'plain');
    await put(other, 'special');
    fixture = await startKubeFixture({
      store,
      server: {
        delegate,
        storeOf: ({ headers }, { verb }) =>
          headers['x-store'] === 'other' && verb !== 'create' ? other : store,
        onAnswered: (record) => answered.push(record),
        authorizer: privilegedGroupAuthorizer(MASTERS),
        authenticators: [
          {
            authenticate: ({ headers }) =>
              headers['x-user'] === undefined
                ? userInfo('root', [MASTERS])
                : userInfo(String(headers['x-user'])),
          },
        ],
      },
    });
  });

  beforeEach(() => {
    asked = [];
    answered = [];
  });

  after(async () => {
    await fixture.stop();
    await other.close();
  });

  it('lets the delegate answer resources and paths, whoever may not do that here', async () => {
    const headers = { 'x-user': 'alice' };
    const resource = await send(fixture.url, 'GET', '/apis/far.example/v1/widgets', { headers });
    assert.deepEqual([resource.status, resource.text], [200, 'taken for alice by alice']);
    assert.equal((await send(fixture.url, 'GET', '/far', { headers })).status, 200);
    assert.deepEqual(
      answered.map(({ verb, resource: name, code, request }) => [verb, name, code, request.url]),
      [
        ['list', '', 200, '/apis/far.example/v1/widgets'],
        ['get', '', 200, '/far'],
      ],
    );
  });

  it('authorizes and answers what the delegate leaves, and what it asks for', async () => {
    const headers = { 'x-user': 'alice' };
    const refused = await send(fixture.url, 'GET', MAPS, { headers });
    assert.equal(refused.status, 403);
    assert.equal(asked.length, 1, 'it was offered before that');
    assert.equal((await send(fixture.url, 'GET', MAPS)).status, 200);
    const service = await send(fixture.url, 'GET', '/api/v1/services', { headers });
    assert.equal(
      service.body['message'],
      'services is forbidden: User "alice" cannot list resource "services" in API group "" at the cluster scope',
    );
  });

  it('answers an error of the delegate as a Status', async () => {
    const { status, body } = await send(fixture.url, 'GET', '/api/v1/secrets');
    assert.equal(status, 503);
    assert.equal(body['reason'], 'ServiceUnavailable');
    assert.equal(body['message'], 'there is no cloud');
  });

  it('tells who impersonates whom, and offers nothing of those who may not', async () => {
    const headers = { 'impersonate-user': 'bob' };
    const { text } = await send(fixture.url, 'GET', '/far', { headers });
    assert.equal(text, 'taken for bob by root');
    const refused = await send(fixture.url, 'GET', '/far', { headers: { ...headers, 'x-user': 'alice' } });
    assert.equal(refused.status, 403);
    assert.equal(asked.length, 1);
  });

  it('gives the delegate requests that change the protocol', async () => {
    const text = await upgraded('/api/v1/namespaces/default/pods/p/exec');
    assert.match(text, /^HTTP\/1\.1 101 [^]*far away$/);
    assert.match(await upgraded('/api/v1/namespaces/default/pods/p/attach'), /^HTTP\/1\.1 400 /);
  });

  it('reads from the store that belongs to the request', async () => {
    const headers = { 'x-store': 'other' };
    assert.deepEqual(names((await send(fixture.url, 'GET', MAPS)).body), ['plain']);
    assert.deepEqual(names((await send(fixture.url, 'GET', MAPS, { headers })).body), ['special']);
    assert.equal((await send(fixture.url, 'GET', `${MAPS}/plain`, { headers })).status, 404);
    assert.equal((await send(fixture.url, 'GET', `${MAPS}/special`, { headers })).status, 200);
    const watching = await watch(fixture.url, `${MAPS}?watch=1&resourceVersion=0`, { headers });
    await eventually('an event', () => watching.events.length === 1);
    await put(other, 'later');
    await eventually('an event', () => watching.events.length === 2);
    assert.deepEqual(
      watching.events.map(({ type, object }) => [type, (object['metadata'] as { name: string }).name]),
      [
        ['ADDED', 'special'],
        ['ADDED', 'later'],
      ],
    );
    watching.close();
    await watching.ended;
  });

  async function upgraded(path: string): Promise<string> {
    const socket = connect(fixture.server.port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n`);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    await once(socket, 'close');
    return Buffer.concat(chunks).toString('utf8');
  }
});

describe('server: connections that somebody else accepts', () => {
  let listener: Server;
  let server: KubeServer;
  let store: MemoryStore;
  let url: string;

  beforeEach(async () => {
    store = new MemoryStore();
    await put(store, 'a');
    const registry = new Registry();
    registry.add(builtInResources());
    server = new KubeServer({
      store,
      registry,
      authorizer: { authorize: () => ({ decision: 'allow', reason: '' }) },
      limits: { stopMs: 50 },
    });
    listener = createServer((socket) => server.accept(socket));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    listener.close();
    await server.stop();
    await store.close();
  });

  it('answers them, and says in discovery where it is', async () => {
    server.open('node:1234');
    server.open('another:1');
    assert.deepEqual(names((await send(url, 'GET', MAPS)).body), ['a']);
    const { body } = await send(url, 'GET', '/api');
    const [address] = body['serverAddressByClientCIDRs'] as { serverAddress: string }[];
    assert.equal(address?.serverAddress, 'node:1234');
  });

  it('ends idle and busy ones when it stops, and takes no more', async () => {
    server.open('node:1234');
    const agent = new Agent({ keepAlive: true });
    const idle = httpRequest(`${url}${MAPS}`, { agent });
    idle.end();
    const [response] = (await once(idle, 'response')) as [NodeJS.ReadableStream & { socket: Socket }];
    const { socket } = response;
    response.resume();
    await once(response, 'end');
    const silent = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    const watching = await watch(url, `${MAPS}?watch=1`);
    const closed = [once(socket, 'close'), once(silent, 'close'), watching.ended];
    await server.stop();
    await Promise.all(closed);
    agent.destroy();
    await assert.rejects(send(url, 'GET', MAPS));
  });

  it('aborts what waits when it stops, and when the client leaves', async () => {
    const reasons: string[] = [];
    let isWaiting = false;
    server = new KubeServer({
      store,
      registry: new Registry(),
      authorizer: { authorize: () => ({ decision: 'allow', reason: '' }) },
      delegate: {
        async take({ signal }) {
          isWaiting = true;
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          reasons.push((signal.reason as Error).message);
          throw signal.reason;
        },
        takeUpgrade: () => Promise.resolve(false),
      },
    });
    server.open('node:1234');
    const leaving = httpRequest(`${url}/wait`);
    leaving.once('error', () => {}); // we end it ourselves
    leaving.end();
    await eventually('the request', () => isWaiting);
    leaving.destroy();
    await eventually('its end', () => reasons.length === 1);
    isWaiting = false;
    const stopped = send(url, 'GET', '/wait');
    await eventually('the request', () => isWaiting);
    await server.stop();
    assert.equal((await stopped).status, 503);
    assert.deepEqual(reasons, ['the client left', 'the server is stopping']);
  });

  it('ends a connection that comes before it is open', async () => {
    await assert.rejects(send(url, 'GET', MAPS));
  });
});
