import assert from 'node:assert/strict';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { CriRuntime } from '../../../src/runtime/cri/cri-runtime.ts';
import type { RuntimeContainer, RuntimePod } from '../../../src/runtime/container-runtime.ts';
import type { ContainerConfig, SandboxConfig } from '../../../src/runtime/container-config.ts';
import { RuntimeError } from '../../../src/runtime/runtime-error.ts';
import { openContainerdSite, type ContainerdSite } from '../../../testing/containerd/containerd-site.ts';
import { TEST_IMAGES } from '../../../testing/containerd/test-images.ts';
import { sampleContainer, sampleSandbox } from './sample-configs.ts';

const NEVER = new AbortController().signal;

describe('CriRuntime with containerd', function () {
  this.timeout(30_000);
  let site: ContainerdSite | undefined;
  let temp: TempDir;
  let runtime: CriRuntime;
  let told: (string | undefined)[];

  before(async function () {
    site = await openContainerdSite(this);
    temp = await makeTempDir();
    runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
    await runtime.start();
  });
  beforeEach(() => {
    told = [];
    runtime.listen((uid) => told.push(uid));
  });
  afterEach(async () => {
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
    told.length = 0;
    await eventually('the pod is told of', () => told.includes('uid-1'), { deadlineMs: 5_000 });
    const container = await main();
    assert.equal(container.id, containerId);
    assert.equal(container.state, 'exited');
    assert.equal(container.exitCode, 7);
    assert.equal(container.reason, 'Error');
  });
});
