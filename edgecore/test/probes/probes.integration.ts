import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import { ContainerCollector } from '../../src/collection/container-collector.ts';
import { ContainerEnd } from '../../src/container-logs/container-end.ts';
import { ContainerLog } from '../../src/container-logs/container-log.ts';
import { LogRotator } from '../../src/container-logs/log-rotator.ts';
import { tailOfLog } from '../../src/container-logs/tail-of-log.ts';
import { HookRunner } from '../../src/hooks/hook-runner.ts';
import type { Pod, PodContainer } from '../../src/pods/pod.ts';
import { ProbeManager } from '../../src/probes/probe-manager.ts';
import type { RuntimeContainer, RuntimePod } from '../../src/runtime/container-runtime.ts';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import { openContainerdSite, type ContainerdSite } from '../../testing/containerd/containerd-site.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { Follower } from '../container-logs/log-site.ts';
import { sampleContainer, sampleSandbox } from '../runtime/cri/sample-configs.ts';

const NEVER = new AbortController().signal;
const UID = 'uid-1';

describe('Probes, hooks and logs with containerd', function () {
  this.timeout(30_000);
  let site: ContainerdSite | undefined;
  let temp: TempDir;
  /** Of the logs of one test. */
  let logs = '';
  let tests = 0;
  let runtime: CriRuntime;
  const events: string[] = [];
  const recorder = {
    record: (_pod: Pod, _type: string, reason: string, message: string): void => {
      events.push(`${reason} ${message}`);
    },
  };

  before(async function () {
    site = await openContainerdSite(this);
    temp = await makeTempDir();
    runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
    await runtime.start();
  });
  beforeEach(() => {
    logs = path.join(temp.path, String(++tests));
    events.splice(0);
  });
  afterEach(async () => {
    for (const { sandboxes } of await runtime.list()) {
      for (const { id } of sandboxes) await runtime.removeSandbox(id, NEVER);
    }
  });
  after(async () => {
    if (site === undefined) return; // skipped
    await runtime.stop();
    await site.close();
    await temp.remove();
  });

  /** Runs a script in a container; a second one with the same sandbox is the next attempt. */
  const run = async (script: string, attempt = 0): Promise<RuntimeContainer> => {
    const sandbox = sampleSandbox({ uid: UID, logDirectory: logs });
    const sandboxId = await runtime.createSandbox(sandbox, NEVER);
    const config = sampleContainer({
      name: 'main',
      attempt,
      command: ['sh', '-c', script],
      args: [],
      logPath: `main/${attempt}.log`,
    });
    const id = await runtime.createContainer(sandboxId, sandbox, config, NEVER);
    await runtime.startContainer(id, NEVER);
    const container = (await get()).containers.find((one) => one.id === id);
    assert.ok(container);
    return container;
  };
  const get = async (): Promise<RuntimePod> => {
    const pod = await runtime.get(UID);
    assert.ok(pod);
    return pod;
  };
  const podWith = (container: Partial<PodContainer>): Pod =>
    makePod('web', { uid: UID, spec: { containers: [{ name: 'main', ...container }] } });

  it('probes by commands and by the network of the pod', async () => {
    const manager = new ProbeManager({
      runtime,
      events: recorder,
      hostIps: () => [],
      clock: systemClock,
      log: silentLogger,
    });
    try {
      const { id } = await run('httpd -p 8080 -h /www; sleep 2; touch /tmp/ready; sleep 100');
      const shell = (script: string): PodContainer['livenessProbe'] => ({
        exec: { command: ['sh', '-c', script] },
        periodSeconds: 1,
        timeoutSeconds: 1,
      });
      const pod = podWith({
        startupProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1, failureThreshold: 20 },
        readinessProbe: { ...shell('test -e /tmp/ready') },
        livenessProbe: { ...shell('test ! -e /tmp/dead || sleep 10'), failureThreshold: 1 },
      });
      manager.update(pod, await get());
      const has = (what: string): Promise<void> =>
        eventually(what, () => JSON.stringify(manager.verdict(pod, 'main', id)).includes(what), {
          deadlineMs: 10_000,
        });
      await has('"started":true');
      await has('"ready":true');
      assert.ok(
        events.every((event) => event.startsWith('Unhealthy Readiness probe failed')),
        events.join(),
      );
      await runtime.exec(id, ['touch', '/tmp/dead'], 5_000, NEVER);
      await has('Container main failed liveness probe');
      assert.match(
        events.at(-1) ?? '',
        /^Unhealthy Liveness probe failed: command timed out: "sh -c .*" timed out after 1s$/,
      );
    } finally {
      await manager.stop();
    }
  });

  it('runs hooks', async () => {
    const hooks = new HookRunner({ runtime, events: recorder, clock: systemClock, log: silentLogger });
    const { id } = await run('sleep 100');
    const hook = (script: string): PodContainer => ({
      name: 'main',
      lifecycle: {
        postStart: { exec: { command: ['sh', '-c', script] } },
        preStop: { exec: { command: ['sh', '-c', script] } },
      },
    });
    await hooks.postStart(podWith({}), hook('echo hello > /tmp/hook'), id, '', NEVER);
    assert.equal((await runtime.exec(id, ['cat', '/tmp/hook'], 5_000, NEVER)).stdout, 'hello\n');
    await assert.rejects(
      hooks.postStart(podWith({}), hook('echo secret; exit 4'), id, '', NEVER),
      /exit code 4/,
    );
    const startedMs = performance.now();
    assert.equal(await hooks.preStop(podWith({}), hook('sleep 60'), id, '', 2, NEVER), 2);
    assert.ok(performance.now() - startedMs < 10_000);
    assert.deepEqual(events, ['FailedPreStopHook PreStopHook failed']);
  });

  it('follows a log over rotations until the container ends, and loses no line', async () => {
    const script =
      'i=0; while [ $i -lt 6000 ]; do echo "this is the line with the number $i"; i=$((i+1)); [ $((i%500)) = 0 ] && sleep 0.2; done';
    const { id, logPath } = await run(script);
    const end = new ContainerEnd({ runtime, uid: UID, containerId: id });
    const rotator = new LogRotator({
      runtime,
      maxBytes: 60_000,
      maxFiles: 3,
      clock: systemClock,
      log: silentLogger,
    });
    end.start();
    try {
      const log = await ContainerLog.open({
        path: logPath,
        query: { follow: true },
        ended: end.signal,
        signal: NEVER,
      });
      const follower = new Follower(log);
      let isDone = false;
      void follower.done.then(() => (isDone = true));
      await eventually(
        'it has ended',
        async () => {
          await rotator.look();
          return isDone;
        },
        { deadlineMs: 20_000, intervalMs: 100 },
      );
      assert.equal(follower.error, undefined);
      const expected = Array.from(
        { length: 6000 },
        (_, line) => `this is the line with the number ${line}\n`,
      ).join('');
      assert.equal(follower.text, expected);
      assert.ok(rotator.rotations >= 2, String(rotator.rotations));
      const names = (await readdir(path.dirname(logPath))).sort();
      assert.equal(names.length, 3, names.join());
      assert.ok(names[1]?.endsWith('.gz') === true || rotator.rotations < 3, names.join());
      assert.equal(
        await tailOfLog(logPath),
        expected.slice(expected.indexOf('this is the line with the number 5920')).slice(-2048),
      );
    } finally {
      end.stop();
      await rotator.stop();
    }
  });

  it('shows a line of several pieces as one, and both streams', async () => {
    const { id, logPath } = await run('head -c 40000 /dev/zero | tr "\\0" x; echo; echo problem >&2; exit 1');
    await eventually(
      'it has ended',
      async () => (await get()).containers.find((one) => one.id === id)?.state === 'exited',
    );
    assert.match(await readFile(logPath, 'latin1'), / stdout P x/);
    const read = async (query: object): Promise<string> => {
      let text = '';
      for await (const piece of await ContainerLog.open({ path: logPath, query, signal: NEVER }))
        text += Buffer.from(piece).toString();
      return text;
    };
    assert.equal(await read({ stream: 'Stdout' }), `${'x'.repeat(40_000)}\n`);
    assert.equal(await read({ stream: 'Stderr' }), 'problem\n');
    assert.match(
      await read({ stream: 'Stderr', timestamps: true }),
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) problem\n$/,
    );
  });

  it('removes dead containers with their logs', async () => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const { id } = await run('exit 0', attempt);
      await eventually(
        'it has ended',
        async () => (await get()).containers.find((one) => one.id === id)?.state === 'exited',
      );
    }
    await run('sleep 100', 3);
    const collector = new ContainerCollector({
      runtime,
      periodMs: 60_000,
      clock: systemClock,
      log: silentLogger,
    });
    await collector.collect();
    await within('the end', collector.stop());
    const pod = await get();
    assert.deepEqual(
      pod.containers.map(({ attempt }) => attempt),
      [3, 2],
    );
    assert.deepEqual((await readdir(path.join(logs, 'main'))).sort(), ['2.log', '3.log']);
  });
});
