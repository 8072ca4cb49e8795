// What the tables of statuses expect: builders of what differs from the usual.
import assert from 'node:assert/strict';
import type {
  ContainerStatus,
  PodCondition,
  PodStatus,
  TerminatedState,
} from '../../src/pods/pod-status-types.ts';
import { makePod } from '../../testing/index.ts';
import { exited, running, runtimePod } from './runtime-pods.ts';

export const NOW_TIME = '2026-01-01T12:00:00Z';
const STARTED = '2026-01-01T11:59:40Z';
const FINISHED = '2026-01-01T11:59:59Z';
export const BEFORE = '2026-01-01T11:00:00Z';

/** Condition by condition: `True`, or `False` with reason and message. */
export function conditions(
  verdicts: Readonly<Record<string, string>>,
  lastTransitionTime = NOW_TIME,
): readonly PodCondition[] {
  return Object.entries(verdicts).map(([type, text]) => {
    const [verdict = '', reason, ...words] = text.split(' ');
    const status = verdict === 'True' ? ('True' as const) : ('False' as const);
    const message = words.join(' ');
    return {
      type,
      status,
      lastTransitionTime,
      observedGeneration: 1,
      ...(reason !== undefined && { reason }),
      ...(message !== '' && { message }),
    };
  });
}

const UNREADY = (...names: string[]): string =>
  `False ContainersNotReady containers with unready status: [${names.join(' ')}]`;

export function status(wish: Partial<PodStatus>): PodStatus {
  return {
    phase: 'Running',
    observedGeneration: 1,
    conditions: [],
    hostIP: '192.0.2.1',
    hostIPs: [{ ip: '192.0.2.1' }],
    podIP: '10.88.0.7',
    podIPs: [{ ip: '10.88.0.7' }],
    startTime: NOW_TIME,
    containerStatuses: [],
    qosClass: 'BestEffort',
    ...wish,
  };
}

/** Without an address. */
export function unreached(wish: Partial<PodStatus>): PodStatus {
  const { podIP, podIPs, ...rest } = status(wish);
  assert.ok(podIP && podIPs);
  return rest;
}

/** Of a container that runs. */
export function up(name: string, wish: Partial<ContainerStatus> = {}): ContainerStatus {
  const { restartCount = 0 } = wish;
  return {
    name,
    state: { running: { startedAt: STARTED } },
    lastState: {},
    ready: true,
    started: true,
    restartCount,
    image: 'registry.example/app:1',
    imageID: 'registry.example/app@sha256:1',
    containerID: `containerd://${name}-${restartCount}`,
    resources: {},
    ...wish,
  };
}

/** Of a container that does not run. */
export function down(name: string, wish: Partial<ContainerStatus>): ContainerStatus {
  return up(name, { ready: false, started: false, ...wish });
}

/** Of a container that the runtime does not have. */
export function absent(name: string, wish: Partial<ContainerStatus> = {}): ContainerStatus {
  return {
    name,
    state: { waiting: { reason: 'ContainerCreating' } },
    lastState: {},
    ready: false,
    started: false,
    restartCount: 0,
    image: 'registry.example/app:1',
    imageID: '',
    ...wish,
  };
}

export function ended(name: string, exitCode: number, wish: Partial<TerminatedState> = {}): TerminatedState {
  return {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: STARTED,
    finishedAt: FINISHED,
    containerID: `containerd://${name}-0`,
    ...wish,
  };
}

export const ALL_WELL = {
  PodReadyToStartContainers: 'True',
  Initialized: 'True',
  Ready: 'True',
  ContainersReady: 'True',
  PodScheduled: 'True',
};
export const unready = (...names: string[]): typeof ALL_WELL => ({
  ...ALL_WELL,
  Ready: UNREADY(...names),
  ContainersReady: UNREADY(...names),
});
export const over = (reason: string, initialized = 'True'): typeof ALL_WELL => ({
  ...ALL_WELL,
  PodReadyToStartContainers: 'False',
  Initialized: initialized,
  Ready: `False ${reason}`,
  ContainersReady: `False ${reason}`,
});

export const image = 'registry.example/app:1';
export const always = makePod('a');
export const never = makePod('a', { spec: { restartPolicy: 'Never' } });
export const inits = makePod('a', {
  spec: {
    initContainers: [
      { name: 'setup', image },
      { name: 'side', image, restartPolicy: 'Always' },
    ],
  },
});
export const STOPPED = { isStopped: true };
export const BOTH_ATTEMPTS = runtimePod([
  running('main', { attempt: 1 }),
  exited('main', 137, { reason: 'OOMKilled' }),
]);
/** How `main` was running before. */
export const WAS_UP = status({
  conditions: conditions(ALL_WELL, BEFORE),
  startTime: BEFORE,
  containerStatuses: [up('main')],
});
