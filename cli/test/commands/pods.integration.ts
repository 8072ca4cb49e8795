import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ContainerdKubelet, openContainerdSite, type ContainerdSite } from '@hawser/edgecore/testing';
import type { PodView } from '@hawser/edgecore/admin';
import { eventually, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { hawser, json, spawnHawser, type Run } from '../hawser.ts';
import { hasTerminals } from '../terminal.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

const WEB: PodView = {
  ...{ namespace: 'default', name: 'web-1', uid: 'u1', phase: 'Running', state: 'CrashLoopBackOff' },
  ...{ ready: 1, containers: 2, restarts: 7, createdAt: '2026-03-01T12:00:00Z', ip: '10.0.0.7' },
  images: ['registry.example/web:1', 'registry.example/sidecar:2'],
  node: 'shop-17',
  pod: {
    metadata: { name: 'web-1', namespace: 'default', uid: 'u1', labels: { app: 'web' } },
    spec: {
      containers: [
        {
          ...{ name: 'web', image: 'registry.example/web:1', command: ['web'] },
          env: [
            { name: 'A', value: 'b' },
            { name: 'P', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
          ],
          volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
          livenessProbe: { httpGet: { port: 80, path: '/healthz' } },
        },
        { name: 'sidecar', image: 'registry.example/sidecar:2' },
      ],
      volumes: [{ name: 'data', configMap: { name: 'settings' } }],
    },
  },
  status: {
    phase: 'Running',
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        lastTransitionTime: '2026-03-01T12:00:05Z',
        reason: 'ContainersNotReady',
      },
    ],
    startTime: '2026-03-01T12:00:01Z',
    containerStatuses: [
      {
        ...{ name: 'web', image: 'registry.example/web:1', imageID: 'sha256:1', restartCount: 7 },
        ...{ ready: false, started: false, containerID: 'containerd://c1' },
        state: {
          waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' },
        },
        lastState: { terminated: { exitCode: 3, reason: 'Error', finishedAt: '2026-03-01T12:30:00Z' } },
      },
    ],
    qosClass: 'BestEffort',
  },
  events: [
    {
      ...{ type: 'Warning', reason: 'BackOff', message: 'Back-off restarting failed container', count: 4 },
      fieldPath: 'spec.containers{web}',
      ...{ firstTimestamp: '2026-03-01T12:20:00Z', lastTimestamp: '2026-03-01T12:30:00Z' },
    },
  ],
};
const ROW = Object.fromEntries(
  Object.entries(WEB).filter(([key]) => !['node', 'pod', 'status', 'events'].includes(key)),
);

describe('hawser and pods', function () {
  this.timeout(30_000);

  describe('with an admin socket', () => {
    let dir: TempDir;
    let server: Server;
    let serve: (asked: string, response: ServerResponse) => void;
    const asked: string[] = [];
    beforeEach(async () => {
      dir = await makeTempDir();
      asked.length = 0;
      serve = (what, response) => {
        const answers: Record<string, unknown> = {
          '/v1/pods': {
            items: [ROW, { ...ROW, namespace: 'shop', name: 'till', state: 'Running', uid: 'u2' }],
          },
          '/v1/pods/default/web-1': WEB,
        };
        const answer = answers[what];
        const missing = {
          error: { code: 'ERR_EDGECORE_ADMIN', message: 'pod "x" in namespace "default" not found' },
        };
        response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? missing));
      };
      server = createServer({ keepAlive: false }, (request, response) => {
        asked.push(request.url ?? '');
        response.setHeader('connection', 'close');
        serve(request.url ?? '', response);
      });
      await new Promise<void>((resolve) => server.listen(path.join(dir.path, 'edge.sock'), resolve));
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await dir.remove();
    });

    const run = (...args: string[]): Promise<Run> =>
      hawser([...args, '--socket', path.join(dir.path, 'edge.sock'), '--config-dir', dir.path]);

    it('lists the pods of a namespace, or all', async () => {
      const some = await run('pods');
      assert.equal(some.code, 0, some.stderr);
      assert.match(
        some.stdout,
        /^NAME +READY +STATUS +RESTARTS +AGE\nweb-1 +1\/2 +CrashLoopBackOff +7 +\d+d/,
      );
      assert.doesNotMatch(some.stdout, /till/);
      const all = await run('pods', '-A', '-o', 'wide');
      assert.match(
        all.stdout,
        /^NAMESPACE +NAME .*IP +IMAGES\ndefault +web-1 .*10\.0\.0\.7 +registry\.example\/web:1,.*\nshop +till/,
      );
      const items = json(await run('pods', '-n', 'shop', '-o', 'json')) as { items: { name: string }[] };
      assert.deepEqual(
        items.items.map(({ name }) => name),
        ['till'],
      );
    });

    it('says where there are none', async () => {
      assert.match(
        (await run('pods', '-n', 'empty')).stdout,
        /no pods in namespace empty; with -A there are 2 pods/,
      );
      serve = (_what, response) => response.end('{"items":[]}');
      assert.equal((await run('pods')).stdout, 'The node has no pods.\n');
    });

    it('describes a pod', async () => {
      const { stdout, code } = await run('describe', 'pod', 'web-1');
      assert.equal(code, 0);
      for (const line of [
        /^Name: +web-1$/m,
        /^Status: +Running \(CrashLoopBackOff\)$/m,
        /^Node: +shop-17$/m,
        /^Labels: +app=web$/m,
        /^ {4}State: +Waiting: CrashLoopBackOff$/m,
        /^ +back-off 5m0s restarting failed container$/m,
        /^ {4}Last State: +Terminated: Error, exit code 3$/m,
        /^ {4}Liveness: +http-get http:\/\/:80\/healthz delay=0s timeout=1s period=10s #success=1 #failure=3$/m,
        /^ {4}Environment: +A=b\n +P from key k of Secret s$/m,
        /^ {4}Mounts: +\/data from data \(ro\)$/m,
        /^ {2}Ready +False +2026-03-01T12:00:05Z +ContainersNotReady$/m,
        /^ {2}data +ConfigMap +settings$/m,
        /^ {2}Warning +BackOff +\d+d \(x4 over \d+d\) +Back-off restarting failed container \[spec\.containers\{web\}\]$/m,
      ]) {
        assert.match(stdout, line);
      }
      assert.deepEqual(json(await run('describe', 'pod', 'web-1', '-o', 'json')), WEB);
    });

    it('says what there is not', async () => {
      const missing = await run('describe', 'pod', 'x');
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /pod "x" in namespace "default" not found \(ERR_EDGECORE_ADMIN\)/);
      const container = await run('logs', 'web-1', '-c', 'y');
      assert.equal(container.code, 1);
      assert.match(
        container.stderr,
        /container y is not in pod web-1: it has web, sidecar \(ERR_CLI_NOT_FOUND\)/,
      );
      assert.equal((await run('describe', 'node', 'x')).code, 2);
    });

    it('asks for logs as the API does, and writes them as they are', async () => {
      const bytes = Buffer.from([0x61, 0x0a, 0x00, 0xc3, 0xa9, 0x0a]);
      const before = serve;
      serve = (what, response) =>
        what.startsWith('/containerLogs') ? response.end(bytes) : before(what, response);
      const { stdout, stderr } = await run(
        ...[
          'logs',
          'web-1',
          '-f',
          '--tail',
          '0',
          '--since',
          '1m30s',
          '--timestamps',
          '-p',
          '--limit-bytes',
          '9',
        ],
      );
      assert.equal(stdout, bytes.toString());
      assert.equal(stderr, 'Container web of web, sidecar; -c chooses another one.\n');
      assert.equal(
        asked.at(-1),
        '/containerLogs/default/web-1/web?follow=true&tailLines=0&sinceSeconds=90&timestamps=true&previous=true&limitBytes=9',
      );
      await run('logs', 'web-1', '-c', 'sidecar', '--since-time', '2026-03-01T12:00:00Z');
      assert.equal(asked.at(-1), '/containerLogs/default/web-1/sidecar?sinceTime=2026-03-01T12%3A00%3A00Z');
    });

    it('passes on what a kubelet refuses', async () => {
      const before = serve;
      serve = (what, response) => {
        if (!what.startsWith('/containerLogs')) before(what, response);
        else
          response
            .writeHead(400)
            .end('container "web" in pod "web-1" is waiting to start: ContainerCreating');
      };
      const refused = await run('logs', 'web-1');
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        /400: container "web" in pod "web-1" is waiting to start: ContainerCreating/,
      );
    });

    it('says that a log was cut', async () => {
      const before = serve;
      serve = (what, response) => {
        if (!what.startsWith('/containerLogs')) before(what, response);
        else response.write('half', () => response.destroy());
      };
      const cut = await run('logs', 'web-1', '-f');
      assert.equal(cut.code, 1);
      assert.equal(cut.stdout, 'half');
      assert.match(cut.stderr, /ERR_CLI_LOG_CUT/);
    });

    it('refuses what cannot be understood, before it asks', async () => {
      for (const args of [
        ['logs', 'web-1', '--since', 'yesterday'],
        ['logs', 'web-1', '--since', '5m', '--since-time', '2026-03-01T12:00:00Z'],
        ['logs', 'web-1', '--tail', '-1'],
        ['logs'],
        ['exec', 'web-1'],
        ['pods', '-o', 'yaml'],
      ]) {
        assert.equal((await run(...args)).code, 2, args.join(' '));
      }
      assert.deepEqual(asked, []);
    });
  });

  describe('with containers', () => {
    let site: ContainerdSite | undefined;
    let kubelet: ContainerdKubelet;
    before(async function () {
      site = await openContainerdSite(this);
      kubelet = await ContainerdKubelet.open(site);
      await kubelet.run('web', {
        args: ['echo hello; echo trouble >&2; trap "exit 0" TERM; sleep 3600 & wait'],
      });
    });
    after(async () => {
      if (site === undefined) return; // skipped
      await kubelet.close();
      await site.close();
    });

    const at = (): string[] => ['--socket', kubelet.socket, '--config-dir', '/nonexistent'];
    const run = (...args: string[]): Promise<Run> => hawser([...args.slice(0, 1), ...at(), ...args.slice(1)]);

    /** Runs the command as a process with this input. */
    async function piped(input: Buffer, ...args: string[]): Promise<{ code: number; stdout: Buffer }> {
      const child = spawn(process.execPath, [MAIN, ...args.slice(0, 1), ...at(), ...args.slice(1)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      child.stdin.end(input);
      const [code] = (await within('the end', once(child, 'close'), 20_000)) as [number];
      return { code, stdout: Buffer.concat(chunks) };
    }

    it('runs a command, tells its outputs apart, and ends with its exit code', async () => {
      const done = await run('exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7');
      assert.equal(done.stdout, 'out\n');
      assert.equal(done.stderr, 'err\nThe command ended with exit code 7.\n');
      assert.equal(done.code, 7);
      assert.equal((await run('exec', 'web', '--', 'true')).code, 0);
    });

    it('says why a command could not be run', async () => {
      const missing = await run('exec', 'web', '--', 'no-such-program');
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /no-such-program.*\(ERR_CLI_EXEC\)/s);
    });

    it('passes input on, byte for byte, and its end', async () => {
      const input = Buffer.alloc(3_000_000, 'abc\n\x00\xff', 'latin1');
      const { code, stdout } = await piped(input, 'exec', '-i', 'web', '--', 'cat');
      assert.equal(code, 0);
      assert.ok(stdout.equals(input), `${stdout.length} bytes came back`);
    });

    it('gives a terminal, with its size', async function () {
      if (!hasTerminals()) this.skip();
      const words = [
        process.execPath,
        MAIN,
        'exec',
        ...at(),
        '-it',
        'web',
        '--',
        'sh',
        '-c',
        'tty; until stty size 2>/dev/null | grep 91; do usleep 50000; done; read x; echo "got $x"; exit 5',
      ];
      const command = `stty cols 91 rows 17; ${words.map((word) => `'${word}'`).join(' ')}`;
      const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
      let shown = '';
      child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
      await eventually('the size', () => shown.includes('17 91'), { deadlineMs: 15_000 });
      child.stdin.write('keys\r');
      const [code] = (await within('the end', once(child, 'close'), 15_000)) as [number];
      assert.equal(code, 5);
      assert.match(shown, /\/dev\/pts\/0/);
      assert.match(shown, /got keys/);
    });

    it('shows logs, and follows them until it is interrupted', async () => {
      const { stdout } = await run('logs', 'web');
      assert.deepEqual(stdout.trim().split('\n').toSorted(), ['hello', 'trouble']);
      const followed = await spawnHawser(['logs', ...at(), '-f', 'web', '--tail', '1'], {
        interruptAt: /hello|trouble/,
      });
      assert.equal(followed.code, 130);
    });
  });
});
