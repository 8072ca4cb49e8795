import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { makePod } from '../../testing/pod-maker.ts';
import type { Pod, PodContainer } from '../../src/pods/pod.ts';
import { ProbeManager, type ProbeManagerOptions } from '../../src/probes/probe-manager.ts';
import type { ExecResult, RuntimeContainer, RuntimePod } from '../../src/runtime/container-runtime.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';

const OK: ExecResult = { exitCode: 0, stdout: '', stderr: '' };
const command = { exec: { command: ['check'] } };

describe('ProbeManager', () => {
  let clock: FakeClock;
  let manager: ProbeManager;
  /** What the command answers. */
  let answer: (id: string, signal: AbortSignal) => Promise<ExecResult>;
  const events: string[] = [];
  const told: string[] = [];

  const make = (options: Partial<ProbeManagerOptions> = {}): ProbeManager => {
    const made = new ProbeManager({
      runtime: { exec: (id, _command, _timeoutMs, signal) => answer(id, signal) },
      events: {
        record: (_pod, type, reason, message, container) => {
          events.push([type, reason, container, message].join(' '));
        },
      },
      hostIps: () => ['127.0.0.1'],
      clock,
      log: silentLogger,
      random: { next: () => 0 },
      load: () => 0,
      ...options,
    });
    made.listen((uid) => told.push(uid));
    return made;
  };
  beforeEach(() => {
    clock = new FakeClock();
    answer = () => Promise.resolve(OK);
    events.splice(0);
    told.splice(0);
    manager = make();
  });
  afterEach(async () => {
    await manager.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  const podOf = (container: Partial<PodContainer>, spec: Partial<Pod['spec']> = {}): Pod =>
    makePod('a', { spec: { containers: [{ name: 'main', ...container }], ...spec } });
  const inRuntime = (
    id: string,
    state: RuntimeContainer['state'] = 'running',
    more: Partial<RuntimeContainer> = {},
  ): RuntimePod =>
    ({
      uid: 'uid-a',
      sandboxes: [{ id: 's', ready: true, ips: ['127.0.0.1'] }],
      containers: [
        { id, name: 'main', state, createdAtMs: clock.wallMs(), startedAtMs: clock.wallMs(), ...more },
      ],
    }) as unknown as RuntimePod;

  it('probes what runs, and tells when a verdict is another one', async () => {
    const pod = podOf({ readinessProbe: { ...command, initialDelaySeconds: 3 } });
    manager.update(pod, inRuntime('c1'));
    assert.deepEqual(manager.verdict(pod, 'main', 'c1'), { started: true, ready: false });
    await clock.advance(2_900);
    assert.deepEqual(told, []);
    await clock.advance(200);
    assert.deepEqual(told, ['uid-a']);
    assert.deepEqual(manager.verdict(pod, 'main', 'c1'), { started: true, ready: true });
    await clock.advance(60_000);
    assert.deepEqual(told, ['uid-a']);
    assert.deepEqual(events, []);
  });

  it('begins anew with a new container, and forgets the old one', async () => {
    const pod = podOf({ readinessProbe: command });
    manager.update(pod, inRuntime('c1'));
    await clock.advance(1_000);
    assert.equal(manager.verdict(pod, 'main', 'c1').ready, true);
    manager.update(pod, inRuntime('c1', 'exited'));
    assert.equal(manager.verdict(pod, 'main', 'c1').ready, false);
    assert.equal(clock.pendingTimers, 0);
    manager.update(pod, inRuntime('c2'));
    assert.equal(manager.verdict(pod, 'main', 'c2').ready, false);
    assert.equal(manager.verdict(pod, 'main', 'c1').ready, false);
    await clock.advance(1_000);
    assert.equal(manager.verdict(pod, 'main', 'c2').ready, true);
  });

  it('says why a probe failed, in the words of a kubelet', async () => {
    answer = () => Promise.resolve({ exitCode: 1, stdout: 'not yet', stderr: '' });
    const pod = podOf({
      livenessProbe: {
        ...command,
        initialDelaySeconds: 1,
        periodSeconds: 1,
        terminationGracePeriodSeconds: 7,
      },
      readinessProbe: { ...command, initialDelaySeconds: 5 },
    });
    manager.update(pod, inRuntime('c1'));
    await clock.advance(20_000);
    assert.deepEqual(events, Array(3).fill('Warning Unhealthy main Liveness probe failed: not yet'));
    assert.deepEqual(manager.verdict(pod, 'main', 'c1').kill, {
      message: 'Container main failed liveness probe',
      graceSeconds: 7,
    });
  });

  it('counts what it could not find out neither way, and says so', async () => {
    answer = () => Promise.reject(new RuntimeError('ERR_EDGECORE_RUNTIME', 'no such shell'));
    const pod = podOf({ livenessProbe: { ...command, initialDelaySeconds: 1, failureThreshold: 1 } });
    manager.update(pod, inRuntime('c1'));
    await clock.advance(5_000);
    assert.deepEqual(events, [
      'Warning Unhealthy main Liveness probe errored and resulted in unknown state: no such shell',
    ]);
    assert.equal(manager.verdict(pod, 'main', 'c1').kill, undefined);
    answer = () => Promise.reject(new RuntimeError('ERR_EDGECORE_RUNTIME_UNREACHABLE', 'away'));
    await clock.advance(60_000);
    assert.equal(events.length, 1);
    assert.equal(manager.verdict(pod, 'main', 'c1').kill, undefined);
  });

  it('does not let commands that take their time keep others from being run', async () => {
    const slow = { ...command, initialDelaySeconds: 1, timeoutSeconds: 3_600 };
    answer = (id, signal) =>
      id.startsWith('slow')
        ? new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
          )
        : Promise.resolve(OK);
    for (let n = 0; n < 40; n++) {
      const pod = makePod(`p${n}`, { spec: { containers: [{ name: 'main', livenessProbe: slow }] } });
      manager.update(pod, inRuntime(`slow${n}`));
    }
    await clock.advance(2_000);
    const pod = podOf({ readinessProbe: command });
    manager.update(pod, inRuntime('c1'));
    await clock.advance(30_000);
    assert.equal(manager.verdict(pod, 'main', 'c1').ready, true);
  });

  it('takes over what was said before a restart of the edge core', async () => {
    const lastStatus = { containerID: 'containerd://c1', started: true, ready: true };
    manager = make({
      lastStatus: (uid, name) => (uid === 'uid-a' && name === 'main' ? lastStatus : undefined),
    });
    answer = () => Promise.resolve({ exitCode: 1, stdout: '', stderr: '' });
    const pod = podOf({ startupProbe: command, readinessProbe: { ...command, failureThreshold: 2 } });
    const old = { startedAtMs: clock.wallMs() - 3_600_000 };
    // Asked before it was told of anything, too.
    assert.deepEqual(manager.verdict(pod, 'main', 'c1'), { started: true, ready: true });
    assert.deepEqual(manager.verdict(pod, 'main', 'c2'), { started: false, ready: false });
    manager.update(pod, inRuntime('c1', 'running', old));
    assert.deepEqual(manager.verdict(pod, 'main', 'c1'), { started: true, ready: true });
    await clock.advance(9_000);
    assert.deepEqual(manager.verdict(pod, 'main', 'c1'), { started: true, ready: true });
    await clock.advance(2_000);
    assert.deepEqual(manager.verdict(pod, 'main', 'c1'), { started: true, ready: false });
  });

  it('probes sidecars, but no init containers that end', async () => {
    const asked: string[] = [];
    answer = (id) => {
      asked.push(id);
      return Promise.resolve(OK);
    };
    const pod = podOf(
      {},
      {
        initContainers: [
          { name: 'side', restartPolicy: 'Always', startupProbe: command, readinessProbe: command },
          { name: 'init' },
        ],
      },
    );
    const runtime = inRuntime('c1');
    const [main] = runtime.containers;
    assert.ok(main !== undefined);
    manager.update(pod, {
      ...runtime,
      containers: [main, { ...main, name: 'side', id: 'c2' }, { ...main, name: 'init', id: 'c3' }],
    });
    assert.deepEqual(manager.verdict(pod, 'side', 'c2'), { started: false, ready: false });
    await clock.advance(1_000);
    assert.deepEqual(manager.verdict(pod, 'side', 'c2'), { started: true, ready: true });
    assert.deepEqual([...new Set(asked)], ['c2']);
  });

  it('asks pods on the network of the host at the address of the node', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const pod = podOf({ readinessProbe: { tcpSocket: { port } } }, { hostNetwork: true });
    manager.update(pod, { ...inRuntime('c1'), sandboxes: [] });
    await clock.advance(300);
    await eventually('it is ready', () => manager.verdict(pod, 'main', 'c1').ready);
    await new Promise((resolve) => server.close(resolve));
  });

  it('has no more than eight commands on their way', async () => {
    let atOnce = 0;
    let most = 0;
    let total = 0;
    answer = async () => {
      most = Math.max(most, ++atOnce);
      await new Promise<void>((done) => clock.setTimer(300, done));
      atOnce -= 1;
      total += 1;
      return OK;
    };
    for (let index = 0; index < 40; index++) {
      const pod = makePod(`p${index}`, {
        spec: { containers: [{ name: 'main', livenessProbe: { ...command, initialDelaySeconds: 1 } }] },
      });
      manager.update(pod, inRuntime(`c${index}`));
    }
    await clock.advance(8_000);
    assert.equal(total, 40);
    assert.equal(most, 8);
  });

  it('ends what is on its way with its container, and says nothing of it', async () => {
    const aborted: string[] = [];
    answer = (id, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          aborted.push(id);
          reject(signal.reason as Error);
        }),
      );
    const pod = podOf({ livenessProbe: { ...command, initialDelaySeconds: 1, failureThreshold: 1 } });
    manager.update(pod, inRuntime('c1'));
    await clock.advance(2_000);
    manager.remove('uid-a');
    manager.remove('uid-a');
    await clock.advance(0);
    assert.deepEqual(aborted, ['c1']);
    manager.update(pod, inRuntime('c2'));
    await clock.advance(2_000);
    await manager.stop();
    assert.deepEqual(aborted, ['c1', 'c2']);
    assert.deepEqual([events, told], [[], []]);
    manager.update(pod, inRuntime('c3'));
    assert.equal(clock.pendingTimers, 0);
  });
});
