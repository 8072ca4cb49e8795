import assert from 'node:assert/strict';
import { podRow, podState } from '../../src/admin/pod-row.ts';
import type { ContainerState, ContainerStatus, PodStatus } from '../../src/pods/pod-status-types.ts';
import { makePod } from '../../testing/index.ts';

const RUNNING: ContainerState = { running: { startedAt: '2026-03-01T12:00:00Z' } };
const ended = (exitCode: number, reason: string): ContainerState => ({ terminated: { exitCode, reason } });
const waiting = (reason: string): ContainerState => ({ waiting: { reason } });

function container(
  name: string,
  state: ContainerState,
  wish: Partial<ContainerStatus> = {},
): ContainerStatus {
  const isRunning = state.running !== undefined;
  return {
    ...{ name, state, lastState: {}, ready: isRunning, started: isRunning, restartCount: 0 },
    ...{ image: '', imageID: '', ...wish },
  };
}

function status(containers: ContainerStatus[], wish: Partial<PodStatus> = {}): PodStatus {
  return {
    ...{ phase: 'Running', conditions: [], startTime: '2026-03-01T12:00:00Z', qosClass: 'BestEffort' },
    containerStatuses: containers,
    ...wish,
  };
}

describe('podState', () => {
  const pod = makePod('p', { spec: { containers: [{ name: 'a' }, { name: 'b' }] } });
  const withInit = makePod('p', {
    spec: {
      containers: [{ name: 'a' }],
      initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }],
    },
  });
  const init = (i: ContainerState, s: ContainerState = waiting('PodInitializing')): PodStatus =>
    status([container('a', waiting('PodInitializing'))], {
      phase: 'Pending',
      initContainerStatuses: [container('i', i), container('s', s)],
    });

  it('is what kubectl has under STATUS', () => {
    const cases: readonly [ReturnType<typeof podState>, string][] = [
      [podState(pod, undefined), 'Pending'],
      [podState(pod, status([container('a', RUNNING), container('b', RUNNING)])), 'Running'],
      [
        podState(pod, status([container('a', RUNNING), container('b', waiting('CrashLoopBackOff'))])),
        'CrashLoopBackOff',
      ],
      [
        podState(pod, status([container('a', ended(137, 'OOMKilled')), container('b', RUNNING)])),
        'OOMKilled',
      ],
      [podState(pod, status([container('a', ended(3, '')), container('b', RUNNING)])), 'ExitCode:3'],
      [podState(pod, status([container('a', ended(0, 'Completed')), container('b', RUNNING)])), 'NotReady'],
      [
        podState(
          pod,
          status([container('a', ended(0, 'Completed')), container('b', RUNNING)], {
            conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '' }],
          }),
        ),
        'Running',
      ],
      [podState(pod, status([], { phase: 'Failed', reason: 'DeadlineExceeded' })), 'DeadlineExceeded'],
      [podState(withInit, init(RUNNING)), 'Init:0/2'],
      [podState(withInit, init(ended(0, 'Completed'))), 'Init:1/2'],
      [podState(withInit, init(ended(1, 'Error'))), 'Init:Error'],
      [podState(withInit, init(waiting('CrashLoopBackOff'))), 'Init:CrashLoopBackOff'],
      [podState(withInit, init(ended(0, 'Completed'), RUNNING)), 'PodInitializing'],
    ];
    for (const [actual, expected] of cases) assert.equal(actual, expected);
  });

  it('is Terminating while a deleted pod ends', () => {
    const deleted = makePod('p', { metadata: { deletionTimestamp: '2026-03-01T12:00:00Z' } });
    assert.equal(podState(deleted, status([container('main', RUNNING)])), 'Terminating');
    assert.equal(
      podState(deleted, status([container('main', ended(0, 'Completed'))], { phase: 'Succeeded' })),
      'Completed',
    );
  });
});

describe('podRow', () => {
  it('counts what runs beside each other, sidecars among it', () => {
    const pod = makePod('p', {
      metadata: { creationTimestamp: '2026-03-01T11:00:00Z' },
      spec: {
        containers: [{ name: 'a', image: 'x' }],
        initContainers: [
          { name: 'i', image: 'y' },
          { name: 's', image: 'z', restartPolicy: 'Always' },
        ],
      },
    });
    const row = podRow(
      pod,
      status([container('a', waiting('CrashLoopBackOff'), { restartCount: 2 })], {
        podIP: '10.0.0.7',
        initContainerStatuses: [
          container('i', ended(0, 'Completed'), { restartCount: 9 }),
          container('s', RUNNING, { restartCount: 1 }),
        ],
      }),
    );
    assert.deepEqual(row, {
      ...{ namespace: 'default', name: 'p', uid: 'uid-p', phase: 'Running', state: 'CrashLoopBackOff' },
      ...{ ready: 1, containers: 2, restarts: 3, ip: '10.0.0.7', images: ['x', 'z'] },
      ...{ createdAt: '2026-03-01T11:00:00Z', startedAt: '2026-03-01T12:00:00Z' },
    });
  });
});
