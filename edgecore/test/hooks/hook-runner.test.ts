import assert from 'node:assert/strict';
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { silentLogger } from '@hawser/seams';
import { FakeClock, within } from '@hawser/seams/testing';
import { makePod } from '../../testing/pod-maker.ts';
import { HookRunner } from '../../src/hooks/hook-runner.ts';
import { ContainerError } from '../../src/pods/container-error.ts';
import type { LifecycleHandler, PodContainer } from '../../src/pods/pod.ts';
import type { ExecResult } from '../../src/runtime/container-runtime.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';

describe('HookRunner', () => {
  const pod = makePod('a');
  let clock: FakeClock;
  let hooks: HookRunner;
  let exec: (command: readonly string[], timeoutMs: number, signal: AbortSignal) => Promise<ExecResult>;
  const events: string[] = [];
  let signal: AbortSignal;
  let stop: AbortController;
  const servers: { close(): void }[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    stop = new AbortController();
    ({ signal } = stop);
    events.splice(0);
    exec = () => assert.fail('nothing is to be run');
    hooks = new HookRunner({
      runtime: {
        exec: (id, command, timeoutMs, given) => {
          assert.equal(id, 'c1');
          return exec(command, timeoutMs, given);
        },
      },
      events: {
        record: (_pod, type, reason, message, container) => {
          events.push([type, reason, container, message].join(' '));
        },
      },
      clock,
      log: silentLogger,
    });
  });
  afterEach(() => {
    assert.equal(clock.pendingTimers, 0);
    for (const server of servers.splice(0)) server.close();
  });

  const listen = async (server: Server): Promise<number> => {
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push({
      close: () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    });
    return (server.address() as AddressInfo).port;
  };
  const withHook = (name: 'postStart' | 'preStop', handler: LifecycleHandler): PodContainer => ({
    name: 'main',
    lifecycle: { [name]: handler },
  });
  const postStart = (handler: LifecycleHandler): Promise<void> =>
    hooks.postStart(pod, withHook('postStart', handler), 'c1', '127.0.0.1', signal);
  const preStop = (handler: LifecycleHandler, graceSeconds: number): Promise<number> =>
    hooks.preStop(pod, withHook('preStop', handler), 'c1', '127.0.0.1', graceSeconds, signal);
  /** Never answers, until it is told to stop. */
  const never = (_command: readonly string[], _timeoutMs: number, given: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => given.addEventListener('abort', () => reject(given.reason as Error)));
  const result = (exitCode: number): ExecResult => ({ exitCode, stdout: 'out', stderr: 'err' });

  it('has nothing to do without hooks', async () => {
    await hooks.postStart(pod, { name: 'main' }, 'c1', '', signal);
    assert.equal(await hooks.preStop(pod, { name: 'main' }, 'c1', '', 30, signal), 30);
    assert.equal(await hooks.preStop(pod, { name: 'main' }, 'c1', '', 0, signal), 2);
  });

  describe('postStart', () => {
    it('runs a command', async () => {
      let run: readonly string[] = [];
      exec = (command) => {
        run = command;
        return Promise.resolve(result(0));
      };
      await postStart({ exec: { command: ['touch', '/x'] } });
      assert.deepEqual(run, ['touch', '/x']);
    });

    it('fails with a command that fails', async () => {
      exec = () => Promise.resolve(result(3));
      await assert.rejects(postStart({ exec: { command: ['false'] } }), (error) => {
        assert.ok(error instanceof ContainerError);
        assert.equal(error.reason, 'PostStartHookError');
        assert.equal(
          error.message,
          'Exec lifecycle hook (["false"]) for Container "main" in Pod "a_default(uid-a)" failed - error: command ended with exit code 3, message: "outerr"',
        );
        return true;
      });
      exec = () => Promise.reject(new RuntimeError('ERR_EDGECORE_RUNTIME', 'no such file'));
      await assert.rejects(postStart({ exec: { command: ['x'] } }), /failed - error: no such file$/);
    });

    it('sends a request, and is content with any answer', async () => {
      const requests: IncomingMessage[] = [];
      const port = await listen(
        createHttp((request, response) => {
          requests.push(request);
          response.writeHead(500).end();
        }),
      );
      await postStart({ httpGet: { port, path: '/started' } });
      assert.equal(requests[0]?.url, '/started');
      assert.equal(requests[0].headers['user-agent'], 'kube-lifecycle/1.36');
    });

    it('does not take forever: not a command, nor a request, nor a sleep', async () => {
      const port = await listen(createTcp(() => {}));
      exec = never;
      const handlers: readonly [LifecycleHandler, string][] = [
        [{ exec: { command: ['wait'] } }, 'Exec lifecycle hook (["wait"])'],
        [{ httpGet: { port, path: '/x' } }, 'HTTP lifecycle hook (/x)'],
        [{ sleep: { seconds: 10 ** 9 } }, 'Sleep lifecycle hook (1000000000)'],
      ];
      for (const [handler, what] of handlers) {
        const started = postStart(handler);
        let isOver = false;
        started.then(
          () => (isOver = true),
          () => (isOver = true),
        );
        await clock.advance(24 * 3_600_000 - 1);
        assert.equal(isOver, false, what);
        const failed = assert.rejects(started, (error) => {
          assert.ok(error instanceof ContainerError);
          assert.equal(error.reason, 'PostStartHookError');
          assert.ok(error.message.startsWith(what), error.message);
          return error.message.endsWith('not done within 86400 s');
        });
        await clock.advance(1);
        await failed;
      }
    });

    it('fails with a request that nobody answers', async () => {
      const port = await listen(createTcp((socket) => socket.destroy()));
      await assert.rejects(
        postStart({ httpGet: { port, path: '/x' } }),
        /^ContainerError: HTTP lifecycle hook \(\/x\) for Container "main" in Pod "a_default\(uid-a\)" failed - error: /,
      );
    });

    it('asks without TLS where there is none, and says so', async () => {
      const requests: IncomingMessage[] = [];
      const port = await listen(
        createHttp((request, response) => {
          requests.push(request);
          response.end();
        }),
      );
      const httpHeaders = [
        { name: 'Authorization', value: 'Bearer secret' },
        { name: 'X-Other', value: 'sent' },
      ];
      await postStart({ httpGet: { port, scheme: 'HTTPS', httpHeaders } });
      assert.equal(requests[0]?.headers.authorization, undefined);
      assert.equal(requests[0]?.headers['x-other'], 'sent');
      assert.deepEqual(events, [
        `Warning LifecycleHTTPFallback main request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
      ]);
    });

    it('sleeps', async () => {
      let isDone = false;
      const sleeping = postStart({ sleep: { seconds: 5 } }).then(() => (isDone = true));
      await clock.advance(4_999);
      assert.equal(isDone, false);
      await clock.advance(1);
      await sleeping;
    });

    it('refuses tcpSocket, and what is nothing', async () => {
      for (const handler of [{ tcpSocket: { port: 1 } }, {}]) {
        await assert.rejects(postStart(handler), /^ContainerError: Cannot run handler: invalid handler/);
      }
    });

    it('ends with the reason of its signal', async () => {
      exec = never;
      const reason = new Error('enough');
      for (const handler of [{ exec: { command: ['x'] } }, { sleep: { seconds: 100 } }]) {
        const outcome = assert.rejects(postStart(handler), reason);
        stop.abort(reason);
        await outcome;
      }
    });
  });

  describe('preStop', () => {
    it('takes its time from the grace', async () => {
      exec = async () => {
        await new Promise<void>((done) => clock.setTimer(4_500, done));
        return result(0);
      };
      const left = preStop({ exec: { command: ['quit'] } }, 10);
      await clock.advance(5_000);
      assert.equal(await left, 6);
      assert.deepEqual(events, []);
    });

    it('leaves two seconds, whatever it took', async () => {
      for (const [seconds, grace] of [
        [9, 10],
        [100, 10],
        [1, 1],
      ] as const) {
        const left = preStop({ sleep: { seconds } }, grace);
        await clock.advance(grace * 1000);
        assert.equal(await left, 2);
      }
      assert.deepEqual(events, []);
    });

    it('gives up a hook that takes longer than the grace, and says so', async () => {
      exec = never;
      const left = preStop({ exec: { command: ['quit'] } }, 5);
      await clock.advance(5_000);
      assert.equal(await left, 2);
      assert.deepEqual(events, ['Warning FailedPreStopHook main PreStopHook failed']);
      const port = await listen(createTcp(() => {}));
      const asking = preStop({ httpGet: { port } }, 5);
      await clock.advance(5_000);
      assert.equal(await within('the answer', asking), 2);
      assert.equal(events.length, 2);
    });

    it('tells the runtime how long a command may take', async () => {
      const told: number[] = [];
      exec = (_command, timeoutMs) => {
        told.push(timeoutMs);
        return Promise.resolve(result(0));
      };
      await preStop({ exec: { command: ['quit'] } }, 7);
      assert.deepEqual(told, [7_000]);
    });

    it('goes on after a failure, and does not say what was answered', async () => {
      exec = () => Promise.resolve(result(1));
      assert.equal(await preStop({ exec: { command: ['quit'] } }, 10), 10);
      assert.equal(await preStop({ tcpSocket: { port: 1 } }, 10), 10);
      assert.deepEqual(events, Array(2).fill('Warning FailedPreStopHook main PreStopHook failed'));
    });

    it('does not run without grace', async () => {
      assert.equal(await preStop({ exec: { command: ['quit'] } }, 0), 2);
    });

    it('ends with the reason of its signal', async () => {
      const reason = new Error('enough');
      const outcome = assert.rejects(preStop({ sleep: { seconds: 5 } }, 10), reason);
      stop.abort(reason);
      await outcome;
      await assert.rejects(preStop({ sleep: { seconds: 5 } }, 10), reason);
      assert.deepEqual(events, []);
    });
  });
});
