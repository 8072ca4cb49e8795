import assert from 'node:assert/strict';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import http2 from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { TestAuthority } from '@hawser/proto/testing';
import { systemClock } from '@hawser/seams';
import { frameOf } from '../../src/cri/grpc-frames.ts';
import type { PodContainer, Probe } from '../../src/pods/pod.ts';
import { runProbe, type ProbeRun } from '../../src/probes/probe-actions.ts';
import type { ProbeOutcome } from '../../src/probes/probe-outcome.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';

const container: PodContainer = {
  name: 'main',
  env: [{ name: 'WHO', value: 'world' }],
  ports: [{ name: 'web', containerPort: 1 }],
};

describe('runProbe', () => {
  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const each of open.splice(0)) each.close();
  });

  /** Listens on loopback; connections end with the test. */
  const listen = async (server: Server): Promise<number> => {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push({
      close: () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    });
    return (server.address() as AddressInfo).port;
  };
  const ask = (probe: Probe, options: Partial<ProbeRun> = {}): Promise<ProbeOutcome> =>
    runProbe({
      probe,
      container,
      containerId: 'c1',
      podIp: '127.0.0.1',
      runtime: { exec: () => assert.fail('nothing is to be run') },
      timeoutMs: 300,
      clock: systemClock,
      load: () => 0,
      signal: new AbortController().signal,
      ...options,
    });
  /** A port that nobody listens on. */
  const freePort = async (): Promise<number> => {
    const server = createTcp();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  };

  describe('httpGet', () => {
    const requests: IncomingMessage[] = [];
    beforeEach(() => requests.splice(0));
    const serve = (answer: RequestListener): Promise<number> =>
      listen(
        createHttp((request, response) => {
          requests.push(request);
          answer(request, response);
        }),
      );

    for (const [status, result, output] of [
      [200, 'success', 'ok'],
      [204, 'success', ''],
      [299, 'success', 'ok'],
      [304, 'warning', 'Probe terminated redirects, Response body: '],
      [399, 'warning', 'Probe terminated redirects, Response body: ok'],
      [400, 'failure', 'HTTP probe failed with statuscode: 400'],
      [404, 'failure', 'HTTP probe failed with statuscode: 404'],
      [503, 'failure', 'HTTP probe failed with statuscode: 503'],
    ] as const) {
      it(`takes ${status} for a ${result}`, async () => {
        const port = await serve((_request, response) => response.writeHead(status).end('ok'));
        assert.deepEqual(await ask({ httpGet: { port } }), { result, output });
      });
    }

    it('asks as a kubelet does', async () => {
      const port = await serve((_request, response) => response.end());
      await ask({ httpGet: { port, path: '/a/../b?c=d e#f' } });
      const [request] = requests;
      assert.equal(request?.method, 'GET');
      assert.equal(request.url, '/a/../b?c=d%20e');
      assert.equal(request.headers['user-agent'], 'kube-probe/1.36');
      assert.equal(request.headers.accept, '*/*');
      assert.equal(request.headers.connection, 'close');
      assert.equal(request.headers.host, `127.0.0.1:${port}`);
    });

    it('sends the headers that it is given, in place of its own', async () => {
      const port = await serve((_request, response) => response.end());
      const httpHeaders = [
        { name: 'X-Two', value: 'a' },
        { name: 'X-Two', value: 'b' },
        { name: 'host', value: 'example.org' },
        { name: 'User-Agent', value: 'me' },
        { name: 'Accept', value: '' },
      ];
      await ask({ httpGet: { port, path: 'no-slash/ä', httpHeaders } });
      const [request] = requests;
      assert.equal(request?.url, '/no-slash/%C3%A4');
      assert.equal(request.headers['x-two'], 'a, b');
      assert.equal(request.headers.host, 'example.org');
      assert.equal(request.headers['user-agent'], 'me');
      assert.equal(request.headers.accept, undefined);
    });

    it('goes to a port by its name, and to another host', async () => {
      const port = await serve((_request, response) => response.end());
      const named: PodContainer = { name: 'main', ports: [{ name: 'web', containerPort: port }] };
      assert.equal((await ask({ httpGet: { port: 'web' } }, { container: named })).result, 'success');
      assert.equal((await ask({ httpGet: { port: String(port) } })).result, 'success');
      const probe = { httpGet: { port, host: '127.0.0.1' } };
      assert.equal((await ask(probe, { podIp: '192.0.2.1' })).result, 'success');
    });

    it('follows redirects on the same host, ten at most', async () => {
      const port = await serve((request, response) => {
        const left = Number(request.url?.slice(1));
        if (left === 0) response.end('there');
        else response.writeHead(302, { location: `/${left - 1}` }).end();
      });
      assert.deepEqual(await ask({ httpGet: { port, path: '/10' } }), { result: 'success', output: 'there' });
      assert.equal(requests.length, 11);
      assert.deepEqual(await ask({ httpGet: { port, path: '/11' } }), {
        result: 'failure',
        output: `Get "http://127.0.0.1:${port}/11": stopped after 10 redirects`,
      });
    });

    it('does not follow redirects elsewhere, or to nowhere', async () => {
      for (const location of [
        'http://localhost:1/',
        'https://example.org/',
        'file:///etc/passwd',
        '//::::',
        undefined,
      ]) {
        const port = await serve((_request, response) =>
          response.writeHead(301, location === undefined ? {} : { location }).end('elsewhere'),
        );
        const output = 'Probe terminated redirects, Response body: elsewhere';
        assert.deepEqual(await ask({ httpGet: { port } }), { result: 'warning', output });
      }
    });

    it('follows a redirect to another port of the same host, under its own name', async () => {
      const other = await serve((_request, response) => response.end('other'));
      const port = await serve((_request, response) =>
        response.writeHead(307, { location: `http://127.0.0.1:${other}/x` }).end(),
      );
      const httpHeaders = [{ name: 'Host', value: 'example.org' }];
      assert.deepEqual(await ask({ httpGet: { port, httpHeaders } }), { result: 'success', output: 'other' });
      assert.deepEqual(
        requests.map(({ headers }) => headers.host),
        ['example.org', `127.0.0.1:${other}`],
      );
    });

    it('reads ten kibibytes of a body that never ends', async () => {
      const port = await serve((_request, response) => {
        const write = (): void => {
          while (!response.destroyed && response.write('x'.repeat(1000)));
        };
        response.on('drain', write);
        write();
      });
      const { result, output } = await ask({ httpGet: { port } });
      assert.equal(result, 'success');
      assert.equal(output, 'x'.repeat(10 * 1024));
    });

    it('fails where nobody answers, or too slowly, or not all', async () => {
      const url = (port: number): string => `Get "http://127.0.0.1:${port}/": `;
      const closed = await freePort();
      assert.equal(
        (await ask({ httpGet: { port: closed } })).output,
        `${url(closed)}dial tcp 127.0.0.1:${closed}: connect: connection refused`,
      );
      const late = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
      const silent = await listen(createTcp(() => {}));
      assert.deepEqual(await ask({ httpGet: { port: silent } }), {
        result: 'failure',
        output: `${url(silent)}${late}`,
      });
      const slow = await listen(
        createTcp((socket) => {
          const timer = setInterval(() => socket.write('H'), 20);
          socket.on('close', () => clearInterval(timer)).on('error', () => {});
          socket.write('HTTP/1.1 200 OK\r\nX-');
        }),
      );
      assert.equal((await ask({ httpGet: { port: slow } })).result, 'failure');
      const half = await serve((_request, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half');
      });
      assert.equal((await ask({ httpGet: { port: half } })).result, 'failure');
    });

    it('fails on resets, early ends and what is no HTTP', async () => {
      const reset = await listen(createTcp((socket) => socket.once('data', () => socket.resetAndDestroy())));
      const eof = await listen(createTcp((socket) => socket.once('data', () => socket.end()).resume()));
      const junk = await listen(createTcp((socket) => socket.end('220 mail ready\r\n')));
      const head = await listen(
        createTcp((socket) =>
          socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')),
        ),
      );
      assert.match((await ask({ httpGet: { port: reset } })).output, /connection reset by peer$/);
      assert.match((await ask({ httpGet: { port: eof } })).output, /EOF$/);
      for (const port of [junk, head]) assert.equal((await ask({ httpGet: { port } })).result, 'failure');
    });

    it('fails on headers that HTTP does not know', async () => {
      const httpHeaders = [{ name: 'a b', value: 'c' }];
      assert.equal((await ask({ httpGet: { port: 1, httpHeaders } })).result, 'failure');
    });

    it('asks over TLS, whoever it is', async () => {
      const { certificate, privateKey } = await (await TestAuthority.create()).hub();
      const cert = certificate.toString();
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
      const tls = await listen(createHttps({ cert, key }, (_request, response) => response.end('tls')));
      assert.deepEqual(await ask({ httpGet: { port: tls, scheme: 'HTTPS' } }, { timeoutMs: 2_000 }), {
        result: 'success',
        output: 'tls',
      });
      const plain = await serve((_request, response) => response.end());
      assert.equal((await ask({ httpGet: { port: plain, scheme: 'HTTPS' } })).result, 'failure');
      assert.equal((await ask({ httpGet: { port: tls } })).result, 'failure');
    });
  });

  describe('tcpSocket', () => {
    it('is content with a connection', async () => {
      const port = await listen(createTcp(() => {}));
      assert.deepEqual(await ask({ tcpSocket: { port } }), { result: 'success', output: '' });
      const probe = { tcpSocket: { port, host: '127.0.0.1' } };
      assert.equal((await ask(probe, { podIp: '' })).result, 'success');
    });

    it('fails without one', async () => {
      const port = await freePort();
      const output = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
      assert.deepEqual(await ask({ tcpSocket: { port } }), { result: 'failure', output });
    });

    it('never asks this machine in place of a pod without an address', async () => {
      const port = await listen(createTcp(() => assert.fail('it was asked')));
      for (const probe of [{ tcpSocket: { port } }, { httpGet: { port } }, { grpc: { port } }]) {
        await assert.rejects(async () => ask(probe, { podIp: '' }), /the pod has no address/);
      }
    });

    it('finds nothing out at a port that is not there', async () => {
      await assert.rejects(async () => ask({ tcpSocket: { port: 'nope' } }), /"nope" is none of the ports/);
      await assert.rejects(async () => ask({ tcpSocket: { port: 70_000 } }), /invalid port number: 70000/);
      await assert.rejects(async () => ask({}), /missing probe handler/);
    });
  });

  describe('grpc', () => {
    /** A server of the health protocol that answers as it is told; `undefined`: not at all. */
    const serve = (answer: (stream: http2.ServerHttp2Stream, service: string) => void): Promise<number> => {
      const server = http2.createServer();
      server.on('stream', (stream, headers) => {
        assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
        assert.equal(headers['content-type'], 'application/grpc');
        stream.on('error', () => {});
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => answer(stream, Buffer.concat(chunks).subarray(7).toString()));
      });
      return listen(server);
    };
    const reply = (
      stream: http2.ServerHttp2Stream,
      body: readonly number[],
      status: string,
      message = '',
    ): void => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'grpc-status': status, 'grpc-message': message }),
      );
      stream.end(status === '0' ? frameOf(Buffer.from(body)) : undefined);
    };

    for (const [what, body, result, output] of [
      ['SERVING', [8, 1], 'success', 'service healthy'],
      ['NOT_SERVING', [8, 2], 'failure', 'service unhealthy (responded with "NOT_SERVING")'],
      ['UNKNOWN', [], 'failure', 'service unhealthy (responded with "UNKNOWN")'],
    ] as const) {
      it(`takes ${what} for a ${result}`, async () => {
        const port = await serve((stream) => reply(stream, body, '0'));
        assert.deepEqual(await ask({ grpc: { port } }), { result, output });
      });
    }

    it('asks for the service that it is told', async () => {
      const port = await serve((stream, service) => reply(stream, [8, service === 'my-svc' ? 1 : 2], '0'));
      assert.equal((await ask({ grpc: { port, service: 'my-svc' } })).result, 'success');
      assert.equal((await ask({ grpc: { port } })).result, 'failure');
    });

    it('fails with what the server says', async () => {
      const without = await serve((stream) =>
        reply(stream, [], '12', 'unknown service grpc.health.v1.Health'),
      );
      assert.equal(
        (await ask({ grpc: { port: without } })).output,
        'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health',
      );
      const unknown = await serve((stream) => reply(stream, [], '5', 'no such service'));
      assert.equal(
        (await ask({ grpc: { port: unknown } })).output,
        'error: health rpc probe failed: no such service',
      );
    });

    it('fails where nobody answers, or something else', async () => {
      const closed = await freePort();
      assert.match(
        (await ask({ grpc: { port: closed } })).output,
        /^error: failed to connect service at "127\.0\.0\.1:\d+": .*refused/,
      );
      const silent = await listen(createTcp(() => {}));
      assert.match(
        (await ask({ grpc: { port: silent } })).output,
        /^timeout: failed to connect service "127.* within 0\.3s/,
      );
      const mute = await serve(() => {});
      assert.equal(
        (await ask({ grpc: { port: mute } })).output,
        'timeout: health rpc did not complete within 0.3s',
      );
      const http = await listen(createHttp((_request, response) => response.end()));
      const junk = await serve((stream) => reply(stream, [0xff, 0xff], '0'));
      const gone = await serve((stream) => stream.session?.destroy());
      for (const port of [http, junk, gone]) assert.equal((await ask({ grpc: { port } })).result, 'failure');
    });
  });

  describe('exec', () => {
    const exec = (result: unknown): Partial<ProbeRun> => ({
      runtime: {
        exec: (id, command, timeoutMs) => {
          assert.equal(id, 'c1');
          assert.deepEqual(command, ['echo', 'hello world', '$(NOBODY)']);
          assert.equal(timeoutMs, 300);
          return result instanceof Error ? Promise.reject(result) : Promise.resolve(result as never);
        },
      },
    });
    const probe: Probe = { exec: { command: ['echo', 'hello $(WHO)', '$(NOBODY)'] } };

    it('goes by the exit code', async () => {
      const output = { stdout: 'out', stderr: 'err' };
      assert.deepEqual(await ask(probe, exec({ exitCode: 0, ...output })), {
        result: 'success',
        output: 'outerr',
      });
      assert.deepEqual(await ask(probe, exec({ exitCode: 2, ...output })), {
        result: 'failure',
        output: 'outerr',
      });
    });

    it('fails when the command does not end in time', async () => {
      const error = new RuntimeError('ERR_EDGECORE_RUNTIME_TIMEOUT', 'too late');
      const output = 'command timed out: "echo hello world $(NOBODY)" timed out after 0.3s';
      assert.deepEqual(await ask(probe, exec(error)), { result: 'failure', output });
    });

    it('finds nothing out when the runtime cannot run it', async () => {
      for (const code of ['ERR_EDGECORE_RUNTIME', 'ERR_EDGECORE_RUNTIME_UNREACHABLE'] as const) {
        const error = new RuntimeError(code, 'no');
        await assert.rejects(ask(probe, exec(error)), error);
      }
    });
  });
});
