import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { TestAuthority } from '@hawser/proto/testing';
import { eventually, within } from '@hawser/seams/testing';
import { EndpointSite } from './endpoint-site.ts';
import type { FakeEdge } from '../../testing/fake-edge.ts';

const LOGS = '/containerLogs/default/web/app';
/** What tells where a kubelet is. */
function pick(status: unknown): object {
  const { addresses, daemonEndpoints } = status as Record<string, unknown>;
  return { addresses, daemonEndpoints };
}
const EXEC = '/exec/default/web/app?command=sh&input=1&output=1';

describe("the kubelet's HTTPS at the hub", () => {
  let site: EndpointSite;
  let edge: FakeEdge;
  let other: FakeEdge;

  before(async () => {
    site = await EndpointSite.open({ maxStreamsPerNode: 4, headerSeconds: 0.5 });
    edge = await site.edge('edge-1');
    other = await site.edge('edge-2');
    await site.pod('web', 'edge-1');
  });
  after(() => site.close());
  beforeEach(() => {
    edge.asked.length = 0;
    edge.onRequest = (_request, response) => void response.end('2026-01-02T03:04:05.000000001Z hello\n');
  });

  it('says in the Node where it is, and keeps what the edge has said of its addresses', async () => {
    const { status } = (await site.getNode('edge-1')) as { status?: unknown };
    const port = await site.port('edge-1');
    assert.ok(port >= 21_000 && port <= 21_999);
    assert.deepEqual(pick(status), {
      addresses: [
        { type: 'InternalIP', address: '10.9.8.7' },
        { type: 'Hostname', address: '127.0.0.1' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    });
    assert.notEqual(await site.port('edge-2'), port);
  });

  it('passes a request on to the node of its port, and the answer back', async () => {
    edge.onRequest = (incoming, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-inside': 'edge' });
      response.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }));
    };
    const headers = { authorization: 'Bearer secret', cookie: 'a=b', accept: 'application/json' };
    const answer = await site.call('edge-1', '/stats/summary?only_cpu_and_memory=true', { headers });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['x-inside'], undefined);
    assert.deepEqual(JSON.parse(answer.text), {
      url: '/stats/summary?only_cpu_and_memory=true',
      headers: { host: 'edge-1', accept: 'application/json', connection: 'close' },
    });
    assert.deepEqual(edge.asked, ['GET /stats/summary?only_cpu_and_memory=true']);
    assert.deepEqual(other.asked, []);
  });

  it('asks the API server as a kubelet does, once for a while', async () => {
    const user = await site.client('O=readers, O=others, CN=metrics');
    site.reviews.length = 0;
    for (const path of ['/stats/summary', '/stats/summary', '/metrics/resource', '/pods']) {
      assert.equal((await site.call('edge-1', path, { client: user })).status, 200);
    }
    const asked = site.reviews.map(({ user: { username, groups }, verb, resource, subresource, name }) => ({
      ...{ username, groups: groups.join(), verb, resource, subresource, name },
    }));
    const by = {
      username: 'metrics',
      groups: 'readers,others,system:authenticated',
      verb: 'get',
      name: 'edge-1',
    };
    assert.deepEqual(asked, [
      { ...by, resource: 'nodes', subresource: 'stats' },
      { ...by, resource: 'nodes', subresource: 'metrics' },
      { ...by, resource: 'nodes', subresource: 'pods' },
    ]);
  });

  describe('refuses', () => {
    const refused = async (
      status: number,
      text: RegExp,
      path: string,
      options: Parameters<EndpointSite['call']>[2] = {},
    ): Promise<void> => {
      const answer = await site.call('edge-1', path, options);
      assert.equal(answer.status, status);
      assert.match(answer.text, text);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.deepEqual(edge.asked, []);
    };

    it('who shows no certificate', () =>
      refused(401, /node edge-1: a client certificate .* is needed/, LOGS, { client: null }));

    it('a certificate of another authority, be it of the same name', async () => {
      const forger = await TestAuthority.create('CN=clients-of-the-cluster');
      const client = await site.client('O=system:masters, CN=kubernetes-admin', forger);
      await refused(401, /a client certificate .* is needed/, LOGS, { client });
    });

    it("a certificate of the hub's own authority, such as a node's", async () => {
      const { privateKey, certificate } = await site.credentials('edge-2');
      const client = {
        key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
        cert: certificate.toString(),
      };
      await refused(401, /a client certificate .* is needed/, LOGS, { client });
    });

    it('a certificate that is for servers', async () => {
      const { privateKey, certificate } = await site.clients.issue({ subject: 'CN=x', usages: ['server'] });
      const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
      await refused(401, /a client certificate/, LOGS, { client: { key, cert: certificate.toString() } });
    });

    it('whom the API server does not let', async () => {
      const client = await site.client('CN=nobody');
      await refused(403, /user "nobody" may not get nodes\/proxy.*system:kubelet-api-admin/s, LOGS, {
        client,
      });
      await refused(403, /user "nobody" may not get nodes\/stats/, '/stats/summary', { client });
      await refused(403, /user "nobody" may not get nodes\/proxy/, '/pods', { client });
    });

    it('a pod of another node, and one that is not there', async () => {
      await site.pod('elsewhere', 'edge-2');
      await refused(
        404,
        /default\/elsewhere is not bound to node edge-1/,
        '/containerLogs/default/elsewhere/app',
      );
      await refused(404, /default\/none is not bound to node edge-1/, '/containerLogs/default/none/app');
      const { response } = await site.upgrade('edge-1', '/exec/default/elsewhere/app?command=sh');
      assert.equal(response.statusCode, 404);
    });

    it('paths that are none, and what tries to look like one', async () => {
      for (const path of [
        '/',
        '/logs/',
        '/run/default/web/app',
        '/configz',
        '/debug/pprof',
        '/metrics',
        '/containerLogs/default/web',
        '/containerLogs/default/web/app/more',
        '/containerLogs/default/..%2f..%2fpods/app',
        '/stats/summary/..',
        '/containerLogs/default/web%20x/app',
        '/containerLogs//web/app',
        '/%63ontainerLogs/default/web/app',
      ]) {
        await refused(404, /edge-1/, path);
      }
      await refused(405, /stats takes GET/, '/stats/summary', { method: 'DELETE' });
      await refused(400, /exec needs an upgrade/, EXEC, { method: 'POST' });
      const { response } = await site.upgrade('edge-1', '/stats/summary', { method: 'GET' });
      assert.equal(response.statusCode, 400);
    });

    it('a body, which might be taken for another request', async () => {
      await refused(400, /no body/, '/stats/summary', { headers: { 'content-length': '3' } });
    });

    it('more requests of a node than there may be', async () => {
      edge.onRequest = (_request, response) => {
        response.writeHead(200);
        response.flushHeaders();
      };
      const open = await Promise.all([1, 2, 3, 4].map(() => site.begin('edge-1', `${LOGS}?follow=true`)));
      edge.asked.length = 0;
      await refused(429, /node edge-1: 4 requests are under way.*maxStreamsPerNode/, LOGS);
      assert.equal(await site.metric('hawser_kubelet_open_requests'), 4);
      for (const response of open) response.destroy();
      await eventually(
        'they are given back',
        async () => (await site.metric('hawser_kubelet_open_requests')) === 0,
      );
    });
  });

  it('answers for a node without a session: 502 for logs, of which kubectl shows the text, else 503', async () => {
    const away = await site.edge('edge-away');
    await site.pod('far', 'edge-away');
    const port = await site.port('edge-away');
    await away.disconnect();
    await eventually('it is away', () => !site.core.nodes.includes('edge-away'));
    const logs = await site.call('edge-away', '/containerLogs/default/far/app');
    assert.equal(logs.status, 502);
    assert.match(logs.text, /node edge-away has no session with this hub/);
    assert.equal((await site.call('edge-away', '/stats/summary')).status, 503);
    const { response } = await site.upgrade('edge-away', '/exec/default/far/app?command=sh');
    assert.equal(response.statusCode, 503);
    await away.connect();
    await eventually('it is back', () => site.core.nodes.includes('edge-away'));
    away.onRequest = (_request, answer) => void answer.end('back\n');
    assert.equal((await site.call('edge-away', '/stats/summary')).text, 'back\n');
    assert.equal(await site.port('edge-away'), port);
  });

  it('tells when the edge does not answer, fails, or breaks off', async () => {
    edge.onRequest = () => {};
    const late = await site.call('edge-1', '/stats/summary');
    assert.equal(late.status, 504);
    assert.match(late.text, /node edge-1 did not begin to answer within 0.5 s/);
    edge.onRequest = (_request, response) => void response.socket?.destroy();
    const failed = await site.call('edge-1', '/stats/summary');
    assert.equal(failed.status, 502);
    assert.match(failed.text, /node edge-1 did not answer/);
    edge.onRequest = (_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345');
      setImmediate(() => response.socket?.destroy());
    };
    const broken = await site.begin('edge-1', '/stats/summary');
    const [error] = (await once(broken.resume(), 'error')) as [Error & { code?: string }];
    assert.equal(error.code, 'ECONNRESET');
  });

  it('does not switch to another protocol that nobody has asked for', async () => {
    edge.onRequest = ({ socket }) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\nHTTP/1.1 200 OK',
      );
    };
    for (const path of ['/stats/summary', LOGS]) {
      const answer = await within(path, site.call('edge-1', path));
      assert.equal(answer.status, 502, path);
    }
  });

  it('passes refusals of the edge on', async () => {
    edge.onRequest = (_request, response) => {
      response.writeHead(400, { 'content-type': 'text/plain' });
      response.end('container "app" in pod "web" is waiting to start: ContainerCreating\n');
    };
    const answer = await site.call('edge-1', LOGS);
    assert.equal(answer.status, 400);
    assert.equal(answer.text, 'container "app" in pod "web" is waiting to start: ContainerCreating\n');
    edge.onUpgrade = (_request, socket) => {
      socket.end(
        'HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nso: never\n',
      );
    };
    const { response } = await site.upgrade('edge-1', EXEC);
    assert.equal(response.statusCode, 403);
    assert.equal(response.headers.connection, 'close');
    // As a Status: kubectl would take this text for YAML, and show nothing of it.
    const status = JSON.parse(String(await once(response, 'data'))) as Record<string, unknown>;
    assert.deepEqual(
      [status['kind'], status['status'], status['reason'], status['code'], status['message']],
      ['Status', 'Failure', 'Forbidden', 403, 'so: never'],
    );
  });

  describe('joins upgraded connections', () => {
    const echo = (edgeOf: FakeEdge): void => {
      edgeOf.onUpgrade = (incoming, socket) => {
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade ?? ''}\r\n` +
            `X-Stream-Protocol-Version: ${[incoming.headersDistinct['x-stream-protocol-version'] ?? []].flat().join('+')}\r\n\r\n`,
        );
        socket.on('data', (chunk: Buffer) => void socket.write(chunk));
        socket.on('end', () => void socket.end('the end'));
      };
    };

    it('byte for byte, with its head, and each direction ends by itself', async () => {
      echo(edge);
      const headers = { 'x-stream-protocol-version': ['v4.channel.k8s.io', 'v3.channel.k8s.io'] };
      const { response, socket } = await site.upgrade('edge-1', EXEC, { headers });
      assert.equal(response.statusCode, 101);
      assert.equal(response.headers.upgrade, 'SPDY/3.1');
      assert.equal(response.headers['x-stream-protocol-version'], 'v4.channel.k8s.io+v3.channel.k8s.io');
      assert.deepEqual(edge.asked, [`POST ${EXEC}`]);
      assert.ok(socket);
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
      socket.write('hello');
      await eventually('the echo', () => received === 'hello');
      socket.end(' and bye');
      await within('the end', once(socket, 'end'), 5000);
      assert.equal(received, 'hello and byethe end');
      await eventually('it is over', async () => (await site.metric('hawser_kubelet_open_requests')) === 0);
    });

    it('and a reset of one end is one of the other', async () => {
      let atEdge: Promise<unknown> = Promise.resolve();
      edge.onUpgrade = (_incoming, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
        socket.on('error', () => {});
        atEdge = new Promise((resolve) => socket.resume().once('close', resolve));
      };
      const nodePort = await site.port('edge-1');
      const legs: Socket[] = [];
      const relay = createServer((inbound) => {
        const leg = connect(nodePort, '127.0.0.1');
        legs.push(inbound, leg);
        for (const socket of [inbound, leg]) socket.on('error', () => {});
        inbound.pipe(leg).pipe(inbound);
      });
      await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
      const { port } = relay.address() as AddressInfo;
      const first = await site.upgrade('edge-1', EXEC, { port });
      first.socket?.on('error', () => {});
      for (const leg of legs) leg.resetAndDestroy();
      await within('the edge hears of it', atEdge, 5000);
      relay.close();
      edge.onUpgrade = (_incoming, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
        setImmediate(() => socket.destroy());
      };
      const second = await site.upgrade('edge-1', EXEC);
      assert.ok(second.socket);
      await within('the client hears of it', once(second.socket.resume(), 'close'), 5000);
    });

    it('of WebSockets, which need the right to create though they are a GET', async () => {
      echo(edge);
      site.reviews.length = 0;
      const client = await site.client('CN=web-user');
      const headers = { upgrade: 'websocket', 'sec-websocket-key': 'x', 'sec-websocket-version': '13' };
      const { response, socket } = await site.upgrade('edge-1', EXEC, { method: 'GET', headers, client });
      assert.equal(response.statusCode, 101);
      assert.deepEqual(
        site.reviews.map(({ verb, subresource }) => `${verb} ${subresource}`),
        ['create proxy'],
      );
      socket?.destroy();
    });
  });

  it('takes another authority of clients as soon as it is published', async () => {
    const next = await TestAuthority.create('CN=next');
    const client = await site.client('CN=kube-apiserver-kubelet-client', next);
    assert.equal((await site.call('edge-1', '/stats/summary', { client })).status, 401);
    await site.publish(next);
    await eventually(
      'it counts',
      async () => (await site.call('edge-1', '/stats/summary', { client })).status === 200,
    );
    assert.equal((await site.call('edge-1', '/stats/summary')).status, 401);
    await site.publish(site.clients);
    await eventually(
      'it counts again',
      async () => (await site.call('edge-1', '/stats/summary')).status === 200,
    );
  });

  it('does not let in whose handshake had begun before its authority was taken away', async () => {
    const { key, cert } = await site.client('CN=kube-apiserver-kubelet-client');
    const wire = connect(await site.port('edge-1'), '127.0.0.1');
    wire.on('error', () => {});
    // What the client says after its hello waits.
    const held: Buffer[] = [];
    let passes = 1;
    const slow = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        passes -= 1;
        if (passes < 0) held.push(chunk);
        else wire.write(chunk);
        done();
      },
    });
    wire.on('data', (chunk: Buffer) => slow.push(chunk));
    wire.on('close', () => void slow.destroy());
    const closed = once(wire, 'close').then(() => 'closed');
    const client = connectTls({ socket: slow, key, cert, rejectUnauthorized: false });
    client.on('error', () => {});
    await eventually('the client has said who it is', () => held.length > 0);
    const next = await TestAuthority.create('CN=next');
    try {
      await site.publish(next);
      await eventually(
        'the other one counts',
        async () => (await site.call('edge-1', '/stats/summary')).status === 401,
      );
      passes = Infinity;
      for (const chunk of held.splice(0)) wire.write(chunk);
      client.write('GET /stats/summary HTTP/1.1\r\nHost: edge-1\r\n\r\n');
      const answer = await within('an answer', Promise.race([once(client, 'data').then(String), closed]));
      assert.doesNotMatch(answer, /^HTTP\/1\.1 200/);
    } finally {
      wire.destroy();
      client.destroy();
      await site.publish(site.clients);
      await eventually(
        'the first one counts again',
        async () => (await site.call('edge-1', '/stats/summary')).status === 200,
      );
    }
  });

  it('closes connections that say nothing, or not enough', async () => {
    const port = await site.port('edge-1');
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path: '/',
      ...site.apiServer,
      rejectUnauthorized: false,
    });
    outgoing.on('error', () => {});
    outgoing.setHeader('x-a', 'b');
    const [socket] = (await once(outgoing, 'socket')) as [NodeJS.Socket];
    await once(socket, 'secureConnect');
    socket.write('GET / HTTP/1.1\r\n'); // and no more
    await within('it is closed', once(socket, 'close'), 5_000);
  });
});
