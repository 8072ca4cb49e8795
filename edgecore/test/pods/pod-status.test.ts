import assert from 'node:assert/strict';
import type { Pod } from '../../src/pods/pod.ts';
import { podStatus, type PodStatusInput } from '../../src/pods/pod-status.ts';
import type { PodStatus } from '../../src/pods/pod-status-types.ts';
import { qosClass } from '../../src/pods/qos-class.ts';
import { quantityOf } from '../../src/pods/quantity.ts';
import type { RuntimeContainer, RuntimePod } from '../../src/runtime/container-runtime.ts';
import { makePod } from '../../testing/index.ts';
import { running as runningContainer, runtimePod } from './runtime-pods.ts';

const T0 = Date.UTC(2026, 0, 1, 12, 0, 0, 700);
const T1 = T0 + 5_000;

function running(name = 'main', attempt = 0): RuntimeContainer {
  return runningContainer(name, { id: `${name}-${attempt}`, attempt, startedAtMs: T0 });
}

function exited(name: string, exitCode: number, attempt = 0): RuntimeContainer {
  return { ...running(name, attempt), state: 'exited', exitCode, finishedAtMs: T1 };
}

function runtime(...containers: RuntimeContainer[]): RuntimePod {
  return runtimePod(containers);
}

function status(pod: Pod, present: RuntimePod | undefined, more: Partial<PodStatusInput> = {}): PodStatus {
  return podStatus({
    pod,
    runtime: present,
    previous: undefined,
    runtimeName: 'null',
    verdict: () => ({ started: true, ready: true }),
    waiting: new Map(),
    messages: new Map(),
    needsAddress: true,
    end: undefined,
    hostIps: ['192.0.2.1'],
    nowMs: T0,
    ...more,
  });
}

const STOPPED = { isStopped: true };

function condition(of: PodStatus, type: string): unknown {
  const found = of.conditions.find((each) => each.type === type);
  return found && [found.status, found.reason, found.message].filter((part) => part !== undefined).join(' ');
}

describe('status of a pod', () => {
  it('is that of a kubelet while nothing has begun', () => {
    const of = status(makePod('a'), undefined);
    assert.equal(of.phase, 'Pending');
    assert.equal(of.startTime, '2026-01-01T12:00:00Z');
    assert.equal(of.podIP, undefined);
    assert.equal(of.hostIP, '192.0.2.1');
    assert.deepEqual(of.hostIPs, [{ ip: '192.0.2.1' }]);
    assert.equal(of.observedGeneration, 1);
    assert.deepEqual(of.containerStatuses[0]?.state, { waiting: { reason: 'ContainerCreating' } });
    assert.equal(condition(of, 'Ready'), 'False ContainersNotReady containers with unready status: [main]');
    assert.equal(condition(of, 'PodReadyToStartContainers'), 'False');
    assert.equal(condition(of, 'PodScheduled'), 'True');
    assert.equal(condition(of, 'Initialized'), 'True');
  });

  it('is Running and Ready when all containers run', () => {
    const of = status(makePod('a'), runtime(running()));
    assert.equal(of.phase, 'Running');
    assert.equal(condition(of, 'Ready'), 'True');
    assert.equal(condition(of, 'ContainersReady'), 'True');
    assert.equal(condition(of, 'PodReadyToStartContainers'), 'True');
    assert.deepEqual(of.podIPs, [{ ip: '10.88.0.7' }]);
    assert.deepEqual(of.containerStatuses, [
      {
        name: 'main',
        state: { running: { startedAt: '2026-01-01T12:00:00Z' } },
        lastState: {},
        ready: true,
        started: true,
        restartCount: 0,
        image: 'registry.example/app:1',
        imageID: 'registry.example/app@sha256:1',
        containerID: 'null://main-0',
        resources: {},
      },
    ]);
  });

  it('keeps the start, and the times of conditions that have not changed', () => {
    const first = status(makePod('a'), undefined);
    const second = status(makePod('a'), runtime(running()), { previous: first, nowMs: T1 });
    assert.equal(second.startTime, first.startTime);
    const times = new Map(
      second.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    );
    assert.equal(times.get('PodScheduled'), '2026-01-01T12:00:00Z');
    assert.equal(times.get('Ready'), '2026-01-01T12:00:05Z');
    const third = status(makePod('a'), runtime(running()), { previous: second, nowMs: T1 + 60_000 });
    assert.deepEqual(third, second);
  });

  it('counts restarts, and keeps how the one before ended', () => {
    const before = status(makePod('a'), runtime(exited('main', 3)));
    assert.equal(before.phase, 'Running');
    const of = status(makePod('a'), runtime(running('main', 1)), { previous: before });
    const [container] = of.containerStatuses;
    assert.equal(container?.restartCount, 1);
    assert.equal(container.lastState.terminated?.exitCode, 3);
    assert.equal(container.lastState.terminated.reason, 'Error');
    const again = status(makePod('a'), runtime(running('main', 1)), { previous: of });
    assert.equal(again.containerStatuses[0]?.lastState.terminated?.exitCode, 3);
  });

  it('tells of init containers until they are done', () => {
    const pod = makePod('a', { spec: { initContainers: [{ name: 'setup' }] } });
    const before = status(pod, runtime());
    assert.equal(before.phase, 'Pending');
    assert.deepEqual(before.containerStatuses[0]?.state, { waiting: { reason: 'PodInitializing' } });
    assert.equal(
      condition(before, 'Initialized'),
      'False ContainersNotInitialized containers with incomplete status: [setup]',
    );
    const after = status(pod, runtime(exited('setup', 0), running()));
    assert.equal(after.phase, 'Running');
    assert.equal(condition(after, 'Initialized'), 'True');
    assert.equal(after.initContainerStatuses?.[0]?.ready, true);
  });

  it('is Succeeded or Failed when all has ended and stays so', () => {
    const never = makePod('a', { spec: { restartPolicy: 'Never' } });
    const done = status(never, runtime(exited('main', 0)), { end: STOPPED });
    assert.equal(done.phase, 'Succeeded');
    assert.equal(condition(done, 'Ready'), 'False PodCompleted');
    const failed = status(never, runtime(exited('main', 1)), { end: STOPPED });
    assert.equal(failed.phase, 'Failed');
    assert.equal(condition(failed, 'Ready'), 'False PodFailed');
    const initFailed = makePod('a', {
      spec: { restartPolicy: 'Never', initContainers: [{ name: 'setup' }] },
    });
    assert.equal(status(initFailed, runtime(exited('setup', 2)), { end: STOPPED }).phase, 'Failed');
  });

  it('is final once a deleted pod has ended: its containers stay as they ended', () => {
    const before = status(makePod('a'), runtime(exited('main', 0)), { end: STOPPED });
    assert.equal(before.phase, 'Succeeded');
    const after = status(makePod('a'), undefined, { end: STOPPED, previous: before });
    assert.equal(after.phase, 'Succeeded');
    assert.equal(after.containerStatuses[0]?.state.terminated?.exitCode, 0);
    assert.equal(status(makePod('a'), undefined, { end: STOPPED }).phase, 'Failed');
  });

  it('has the addresses of the node for a pod on its network', () => {
    const of = status(makePod('a', { spec: { hostNetwork: true } }), undefined, {
      hostIps: ['192.0.2.1', '2001:db8::1'],
    });
    assert.equal(of.podIP, '192.0.2.1');
    assert.deepEqual(of.podIPs, [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }]);
  });
});

describe('quality of service', () => {
  const of = (resources: NonNullable<Pod['spec']['containers'][number]['resources']>): string =>
    qosClass(makePod('a', { spec: { containers: [{ name: 'main', resources }] } }));

  it('is BestEffort without requests and limits', () => {
    assert.equal(of({}), 'BestEffort');
    assert.equal(of({ requests: { 'ephemeral-storage': '1Gi' } }), 'BestEffort');
    assert.equal(of({ requests: { cpu: '0' } }), 'BestEffort');
  });

  it('is Guaranteed where limits are set and requests equal them, however they are written', () => {
    assert.equal(of({ limits: { cpu: 1, memory: '1Gi' } }), 'Guaranteed');
    assert.equal(
      of({ limits: { cpu: '1', memory: '1024Mi' }, requests: { cpu: '1000m', memory: '1Gi' } }),
      'Guaranteed',
    );
  });

  it('is Burstable otherwise', () => {
    assert.equal(of({ requests: { cpu: '100m' } }), 'Burstable');
    assert.equal(of({ limits: { cpu: '1' } }), 'Burstable');
    assert.equal(
      of({ limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }),
      'Burstable',
    );
  });
});

describe('quantities', () => {
  it('are read as Kubernetes writes them', () => {
    const samples: [string | number, number | undefined][] = [
      ['0', 0],
      ['1', 1],
      [2, 2],
      ['100m', 0.1],
      ['1.5', 1.5],
      ['1Ki', 1024],
      ['1k', 1000],
      ['2Gi', 2 ** 31],
      ['1e3', 1000],
      ['1E', 1e18],
      ['.5', 0.5],
      ['', undefined],
      ['1 Gi', undefined],
      ['1Kb', undefined],
    ];
    for (const [text, value] of samples) assert.equal(quantityOf(text), value, String(text));
  });
});
