import assert from 'node:assert/strict';
import { containerIdForLogs } from '../../src/kubelet/log-container.ts';
import type { ContainerStatus, PodStatus } from '../../src/pods/pod-status-types.ts';

const TIMES = { exitCode: 1, reason: 'Error' };

function status(container: Partial<ContainerStatus>, isInit = false): PodStatus {
  const one: ContainerStatus = {
    ...{ name: 'c', state: {}, lastState: {}, ready: false, started: false, restartCount: 0 },
    ...{ image: 'i', imageID: '' },
    ...container,
  };
  return {
    phase: 'Running',
    conditions: [],
    startTime: '2026-03-01T12:00:00Z',
    containerStatuses: isInit ? [] : [one],
    ...(isInit && { initContainerStatuses: [one] }),
    qosClass: 'BestEffort',
  };
}

const terminated = (id: string): ContainerStatus['state'] => ({
  terminated: { ...TIMES, containerID: id === '' ? '' : `containerd://${id}` },
});

describe('containerIdForLogs', () => {
  const present = (container: Partial<ContainerStatus>): string =>
    containerIdForLogs('p', status(container), 'c', false);
  const previous = (container: Partial<ContainerStatus>): string =>
    containerIdForLogs('p', status(container), 'c', true);
  const running: Partial<ContainerStatus> = {
    state: { running: { startedAt: '2026-03-01T12:00:00Z' } },
    containerID: 'containerd://now',
  };

  it('is the one that runs', () => {
    assert.equal(present(running), 'now');
    assert.equal(present({ ...running, lastState: terminated('before') }), 'now');
    assert.equal(containerIdForLogs('p', status(running, true), 'c', false), 'now');
  });

  it('is the one that has ended, where none runs', () => {
    assert.equal(present({ state: terminated('ended') }), 'ended');
    assert.equal(present({ state: terminated(''), lastState: terminated('before') }), 'before');
    const waiting = { waiting: { reason: 'CrashLoopBackOff' } };
    assert.equal(present({ state: waiting, lastState: terminated('before') }), 'before');
  });

  it('is the one before, where that is asked for', () => {
    assert.equal(previous({ ...running, lastState: terminated('before') }), 'before');
    const waiting = { waiting: { reason: 'CrashLoopBackOff' } };
    assert.equal(previous({ state: waiting, lastState: terminated('before') }), 'before');
  });

  it('says why there is none, as a kubelet does', () => {
    const waiting = (reason: string): Partial<ContainerStatus> => ({ state: { waiting: { reason } } });
    const what = 'container "c" in pod "p"';
    const cases: readonly [() => string, string][] = [
      [() => containerIdForLogs('p', undefined, 'c', false), `${what} is not available`],
      [() => containerIdForLogs('p', status({ name: 'd' }), 'c', false), `${what} is not available`],
      [() => previous(running), `previous terminated ${what} not found`],
      [() => present(waiting('ContainerCreating')), `${what} is waiting to start: ContainerCreating`],
      [() => present(waiting('ErrImagePull')), `${what} is waiting to start: image can't be pulled`],
      [
        () => present(waiting('ImagePullBackOff')),
        `${what} is waiting to start: trying and failing to pull image`,
      ],
      [() => present({ state: {} }), `${what} is waiting to start - no logs yet`],
      [() => present({ state: terminated('') }), `${what} is terminated`],
    ];
    for (const [act, message] of cases) assert.throws(act, { message });
  });
});
