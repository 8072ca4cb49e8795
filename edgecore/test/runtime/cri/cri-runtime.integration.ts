import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { CriRuntime } from '../../../src/runtime/cri/cri-runtime.ts';
import type { RuntimeContainer, RuntimePod } from '../../../src/runtime/container-runtime.ts';
import type { ContainerConfig, SandboxConfig } from '../../../src/runtime/container-config.ts';
import { RuntimeError } from '../../../src/runtime/runtime-error.ts';
import { openContainerdSite, type ContainerdSite } from '../../../testing/containerd/containerd-site.ts';
import { TEST_IMAGES } from '../../../testing/containerd/test-images.ts';
import { describeContainerRuntime } from '../../../testing/runtime-compliance.ts';
import { overWebSocket } from './over-web-socket.ts';
import { sampleContainer, sampleSandbox } from './sample-configs.ts';

const NEVER = new AbortController().signal;

describe('CriRuntime with containerd', function () {
  this.timeout(30_000);
  let site: ContainerdSite | undefined;
  let temp: TempDir;
  let runtime: CriRuntime;
  let told: (string | undefined)[];
  let stopListening: () => void;

  before(async function () {
    site = await openContainerdSite(this);
    temp = await makeTempDir();
    runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
    await runtime.start();
  });
  beforeEach(() => {
    told = [];
    stopListening = runtime.listen((uid) => told.push(uid));
  });
  afterEach(async () => {
    stopListening();
    for (const pod of await runtime.list()) {
      for (const { id } of pod.sandboxes) await runtime.removeSandbox(id, NEVER);
    }
  });
  after(async () => {
    if (site === undefined) return; // skipped
    await runtime.stop();
    await site.close();
    await temp.remove();
  });

  const endpoint = (): string => site?.endpoint ?? '';

  const sandbox = (change: Partial<SandboxConfig> = {}): SandboxConfig =>
    sampleSandbox({ logDirectory: path.join(temp.path, change.uid ?? 'uid-1'), ...change });

  /** A running pod with one container. */
  async function run(
    change: Partial<SandboxConfig> = {},
    container: Partial<ContainerConfig> = {},
  ): Promise<{ readonly sandboxId: string; readonly containerId: string }> {
    const config = sandbox(change);
    const sandboxId = await runtime.createSandbox(config, NEVER);
    const containerId = await runtime.createContainer(sandboxId, config, sampleContainer(container), NEVER);
    await runtime.startContainer(containerId, NEVER);
    return { sandboxId, containerId };
  }

  const get = async (uid = 'uid-1'): Promise<RuntimePod> => {
    const pod = await runtime.get(uid);
    assert.ok(pod);
    return pod;
  };
  const main = async (uid?: string): Promise<RuntimeContainer> => {
    const [container] = (await get(uid)).containers;
    assert.ok(container);
    return container;
  };

  it('knows its version and that it is ready', async () => {
    assert.equal(runtime.name, 'containerd');
    assert.match(runtime.version, /^containerd:\/\/\d+\.\d+\.\d+/);
    const conditions = await runtime.conditions();
    assert.deepEqual(conditions.map(({ type, ok }) => [type, ok]).sort(), [
      ['NetworkReady', true],
      ['RuntimeReady', true],
    ]);
  });

  it('runs a pod, and shows it as it is', async () => {
    const { sandboxId, containerId } = await run();
    const pod = await get();
    assert.deepEqual([pod.uid, pod.namespace, pod.name], ['uid-1', 'default', 'web']);
    const [present] = pod.sandboxes;
    assert.ok(present);
    assert.equal(present.id, sandboxId);
    assert.ok(present.ready);
    assert.match(present.ips[0] ?? '', /^\d+\.\d+\.\d+\.\d+$/);
    const container = await main();
    assert.equal(container.id, containerId);
    assert.equal(container.state, 'running');
    assert.equal(container.image, TEST_IMAGES.busybox);
    assert.match(container.imageId, /sha256:[0-9a-f]{64}$/);
    assert.equal(container.logPath, path.join(temp.path, 'uid-1', 'main', '0.log'));
    assert.ok((container.startedAtMs ?? 0) >= container.createdAtMs);
    assert.deepEqual(container.notes, sampleContainer().notes);
    assert.equal(container.exitCode, undefined);
    assert.deepEqual(await runtime.list(), [pod]);
  });

  it('stops a container within its grace, and tells how it ended', async () => {
    const { containerId } = await run();
    await runtime.stopContainer(containerId, 10, NEVER);
    const container = await main();
    assert.equal(container.state, 'exited');
    assert.equal(container.exitCode, 0);
    assert.equal(container.reason, 'Completed');
    assert.ok((container.finishedAtMs ?? 0) >= (container.startedAtMs ?? Infinity));
    await runtime.stopContainer(containerId, 10, NEVER); // again: nothing to do
  });

  it('runs commands inside', async () => {
    const { containerId } = await run();
    const result = await runtime.exec(
      containerId,
      ['sh', '-c', 'echo out; echo err >&2; exit 3'],
      5_000,
      NEVER,
    );
    assert.deepEqual(result, { exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
    await assert.rejects(
      runtime.exec(containerId, ['sleep', '30'], 1_000, NEVER),
      (error) => error instanceof RuntimeError && error.code === 'ERR_EDGECORE_RUNTIME_TIMEOUT',
    );
    const big = await runtime.exec(containerId, ['sh', '-c', 'yes | head -c 200000'], 5_000, NEVER);
    assert.equal(big.stdout.length, 64 * 1024);
  });

  it('tells of the end of a container when the runtime shows it', async () => {
    const { containerId } = await run({}, { args: ['sleep 0.5; exit 7'] });
    const seen: RuntimeContainer[] = [];
    const unlisten = runtime.listen(() => {
      void main().then((container) => seen.push(container));
    });
    try {
      const isOver = (): boolean => seen.at(-1)?.state === 'exited' && seen.at(-1)?.ended === undefined;
      await eventually('its state is told of', isOver, { deadlineMs: 5_000 });
    } finally {
      unlisten();
    }
    const ended = seen.find((each) => each.ended !== undefined)?.ended;
    const container = await main();
    assert.equal(container.id, containerId);
    assert.equal(container.state, 'exited');
    assert.equal(container.exitCode, 7);
    assert.equal(container.reason, 'Error');
    assert.deepEqual(ended, { exitCode: 7, finishedAtMs: container.finishedAtMs }, 'told of before');
  });

  it('has no address on the network of the host', async () => {
    await run({ hostname: '', namespaces: { network: 'node', pid: 'container', ipc: 'pod' } });
    const [present] = (await get()).sandboxes;
    assert.ok(present?.ready);
    assert.deepEqual(present.ips, []);
  });

  it('leaves alone what is another one’s', async () => {
    const other = new CriRuntime({ endpoint: endpoint(), log: silentLogger, owner: 'other' });
    try {
      await run();
      assert.deepEqual(await other.list(), []);
      assert.equal(await other.get('uid-1'), undefined);
      assert.deepEqual(await other.usage(NEVER), []);
    } finally {
      await other.stop();
    }
  });

  it('makes a sandbox after an attempt that was given up at any moment', async () => {
    for (const afterMs of [1, 20, 50, 80]) {
      const config = sandbox({ uid: `uid-${afterMs}`, name: `web-${afterMs}` });
      const abort = new AbortController();
      const reason = new Error('given up');
      const timer = setTimeout(() => abort.abort(reason), afterMs);
      await runtime
        .createSandbox(config, abort.signal)
        .catch((error: unknown) => assert.equal(error, reason));
      clearTimeout(timer);
      let id = '';
      await eventually(
        'the name is free again',
        async () => {
          id = await runtime.createSandbox(config, NEVER).catch((error: unknown) => {
            assert.match((error as Error).message, /is reserved for/);
            return '';
          });
          return id !== '';
        },
        { deadlineMs: 10_000, intervalMs: 50 },
      );
      const { sandboxes } = await get(config.uid);
      assert.deepEqual(
        sandboxes.map((present) => [present.id, present.ready]),
        [[id, true]],
      );
    }
  });

  it('says which containers are not there', async () => {
    const missing = 'f'.repeat(64);
    for (const call of [
      () => runtime.exec(missing, ['true'], 1_000, NEVER),
      () => runtime.startContainer(missing, NEVER),
      () => runtime.reopenLog(missing, NEVER),
    ]) {
      await assert.rejects(call, (error) => error instanceof RuntimeError && error.notFound);
    }
    await runtime.stopContainer(missing, 0, NEVER);
    await runtime.removeContainer(missing, NEVER);
    await runtime.removeSandbox(missing, NEVER);
  });

  it('says why a container could not be started', async () => {
    const config = sandbox();
    const sandboxId = await runtime.createSandbox(config, NEVER);
    const wrong = sampleContainer({ command: ['/not/there'], args: [] });
    const id = await runtime.createContainer(sandboxId, config, wrong, NEVER);
    await assert.rejects(runtime.startContainer(id, NEVER), /\/not\/there.*no such file/);
    const container = await main();
    assert.deepEqual([container.state, container.exitCode, container.reason], ['exited', 128, 'StartError']);
  });

  it('tells that a container was out of memory, to whoever looks at news only', async () => {
    const seen: (string | number | undefined)[][] = [];
    const unlisten = runtime.listen(() => {
      void runtime.get('uid-1').then((pod) => {
        const [container] = pod?.containers ?? [];
        if (container?.state === 'exited') seen.push([container.exitCode, container.reason]);
      });
    });
    try {
      const resources = { memoryLimitBytes: 16 * 1024 * 1024 };
      // At once it may be out of memory before containerd has begun to watch its cgroup, and is never told of it.
      await run({}, { args: ['sleep 0.3; exec memory-hog 64'], resources });
      await eventually('it is seen', () => seen.at(-1)?.[1] === 'OOMKilled', { deadlineMs: 10_000 });
      assert.equal(seen.at(-1)?.[0], 137);
    } finally {
      unlisten();
    }
  });

  it('tells that a sandbox has died', async () => {
    const { sandboxId } = await run();
    await eventually('news of the start are over', () => told.filter((uid) => uid === 'uid-1').length > 0);
    told.length = 0;
    await site?.ctr(['tasks', 'kill', '--signal', 'SIGKILL', sandboxId]);
    await eventually('the pod is told of', () => told.includes('uid-1'), { deadlineMs: 5_000 });
    const [present] = (await get()).sandboxes;
    assert.deepEqual([present?.id, present?.ready, present?.ips], [sandboxId, false, []]);
  });

  it('says nothing of commands that ran inside', async () => {
    const { containerId } = await run();
    await eventually('news of the start are over', () => told.includes('uid-1'));
    told.length = 0;
    for (let round = 0; round < 5; round++) await runtime.exec(containerId, ['true'], 5_000, NEVER);
    // The next news of the pod come after all of these.
    await runtime.stopContainer(containerId, 0, NEVER);
    await eventually('the pod is told of', () => told.includes('uid-1'));
    assert.deepEqual(told, ['uid-1']);
  });

  it('goes on in a new log', async () => {
    const { containerId } = await run({}, { args: ['while true; do echo line; sleep 0.05; done'] });
    const file = (await main()).logPath;
    await eventually('there is a log', async () => (await readFile(file, 'utf8')).includes('line'));
    await rename(file, `${file}.old`);
    await runtime.reopenLog(containerId, NEVER);
    await eventually('there is a new one', async () => (await readFile(file, 'utf8')).includes('line'));
  });

  it('says what its containers and images use', async () => {
    const { containerId } = await run(
      {},
      { args: ['dd if=/dev/zero of=/file bs=1024 count=64; sleep 3600'] },
    );
    await eventually('there are figures', async () => {
      const [usage] = await runtime.usage(NEVER);
      return usage !== undefined && usage.cpuNanos > 0 && usage.memoryWorkingSetBytes > 0;
    });
    const [usage] = await runtime.usage(NEVER);
    assert.deepEqual([usage?.podUid, usage?.name, usage?.id], ['uid-1', 'main', containerId]);
    assert.ok(Math.abs((usage?.atMs ?? 0) - Date.now()) < 60_000);
    const [fileSystem] = await runtime.images.fileSystems();
    assert.ok(fileSystem?.mountpoint.startsWith(site?.dir ?? '?'));
  });

  it('gives the way in to a container and to a port', async () => {
    const { sandboxId, containerId } = await run();
    const all = { stdin: false, stdout: true, stderr: true, tty: false } as const;
    const command = ['sh', '-c', 'echo hello'];
    const exec = await runtime.streamUrl({ kind: 'exec', containerId, command, ...all }, NEVER);
    assert.equal(exec.hostname, '127.0.0.1');
    assert.match(await overWebSocket(exec), /hello/);
    const onTerminal = { kind: 'exec', containerId, command, ...all, stdin: true, tty: true } as const;
    assert.match(await overWebSocket(await runtime.streamUrl(onTerminal, NEVER)), /hello\r\n/);
    const attach = await runtime.streamUrl({ kind: 'attach', containerId, ...all }, NEVER);
    assert.match(attach.pathname, /^\/attach\//);
    const forward = await runtime.streamUrl({ kind: 'port-forward', sandboxId, ports: [80] }, NEVER);
    assert.match(forward.pathname, /^\/portforward\//);
  });

  it('loses nothing while containerd is killed and started again', async () => {
    const { containerId } = await run({}, { args: ['sleep 1; exit 9'] });
    await run({ uid: 'uid-2', name: 'stays' });
    const before = await get('uid-2');
    await site?.kill();
    await eventually('it is known to be away', async () =>
      (await runtime.conditions()).every(({ ok }) => !ok),
    );
    await assert.rejects(runtime.list(), { code: 'ERR_EDGECORE_RUNTIME_UNREACHABLE' });
    await eventually(
      'the container has ended unseen',
      () => Date.now() > (before.sandboxes[0]?.createdAtMs ?? 0) + 1_000,
    );
    told.length = 0;
    await site?.start();
    await eventually('all pods are to be looked at', () => told.includes(undefined), { deadlineMs: 10_000 });
    const ended = await main();
    assert.deepEqual([ended.id, ended.state, ended.exitCode], [containerId, 'exited', 9]);
    assert.deepEqual(await get('uid-2'), before);
    told.length = 0;
    await runtime.stopContainer((await main('uid-2')).id, 0, NEVER);
    await eventually('news come again', () => told.includes('uid-2'), { deadlineMs: 5_000 });
  });

  describeContainerRuntime('CriRuntime', () => {
    const open = (): CriRuntime => new CriRuntime({ endpoint: endpoint(), log: silentLogger });
    const opened: CriRuntime[] = [];
    const reopen = (): Promise<CriRuntime> => {
      const next = open();
      opened.push(next);
      return Promise.resolve(next);
    };
    return reopen().then((first) => ({
      runtime: first,
      imageRef: TEST_IMAGES.busybox,
      pause: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'],
      succeed: ['true'],
      fail: ['false'],
      deaf: ['ignore-term'],
      exec: { hello: ['sh', '-c', 'echo hello; exit 3'], exitCode: 3, hour: ['sleep', '3600'] },
      logDirectory: temp.path,
      reopen,
      close: async () => {
        for (const one of opened) await one.stop();
      },
    }));
  });
});
