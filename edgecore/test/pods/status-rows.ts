import type { PodStatusInput } from '../../src/pods/pod-status.ts';
import type { PodStatus } from '../../src/pods/pod-status-types.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/index.ts';
import { created, exited, running, runtimePod, sandbox } from './runtime-pods.ts';
import {
  NOW_TIME,
  BEFORE,
  conditions,
  status,
  unreached,
  up,
  down,
  absent,
  ended,
  ALL_WELL,
  unready,
  over,
  always,
  never,
  inits,
  STOPPED,
  BOTH_ATTEMPTS,
  WAS_UP,
} from './wanted-status.ts';

/** One case: what a status is made from beside the usual, and what it is to be. */
export interface StatusRow {
  readonly title: string;
  readonly pod: Pod;
  readonly given: Partial<PodStatusInput>;
  readonly wanted: PodStatus;
}

/** From a pod that has not begun to one that has ended. */
export const STATUS_ROWS: readonly StatusRow[] = [
  {
    title: 'nothing yet',
    pod: always,
    given: {},
    wanted: unreached({
      phase: 'Pending',
      conditions: conditions({ ...unready('main'), PodReadyToStartContainers: 'False' }),
      containerStatuses: [absent('main')],
    }),
  },
  {
    title: 'success: it runs and is ready',
    pod: makePod('a', {
      spec: {
        containers: [
          {
            name: 'main',
            resources: { requests: { cpu: '100m' }, limits: { cpu: '200m' } },
            volumeMounts: [
              { name: 'v', mountPath: '/v' },
              { name: 'w', mountPath: '/w', readOnly: true },
            ],
          },
        ],
      },
    }),
    given: { runtime: runtimePod([running('main')]) },
    wanted: status({
      conditions: conditions(ALL_WELL),
      qosClass: 'Burstable',
      containerStatuses: [
        up('main', {
          allocatedResources: { cpu: '100m' },
          resources: { requests: { cpu: '100m' }, limits: { cpu: '200m' } },
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'w', mountPath: '/w', readOnly: true, recursiveReadOnly: 'Disabled' },
          ],
        }),
      ],
    }),
  },
  {
    title: 'made, and not started',
    pod: always,
    given: { runtime: runtimePod([created('main')]) },
    wanted: status({
      phase: 'Pending',
      conditions: conditions(unready('main')),
      containerStatuses: [down('main', { state: { waiting: { reason: 'ContainerCreating' } } })],
    }),
  },
  {
    title: 'completed',
    pod: never,
    given: { runtime: runtimePod([exited('main', 0)]), end: STOPPED, previous: WAS_UP },
    wanted: status({
      phase: 'Succeeded',
      conditions: conditions(over('PodCompleted', 'True PodCompleted')).map((condition) =>
        condition.status === 'True' ? { ...condition, lastTransitionTime: BEFORE } : condition,
      ),
      startTime: BEFORE,
      containerStatuses: [down('main', { state: { terminated: ended('main', 0) } })],
    }),
  },
  {
    title: 'failed',
    pod: never,
    given: {
      runtime: runtimePod([exited('main', 3)]),
      messages: new Map([['main-0', 'no licence']]),
      end: STOPPED,
    },
    wanted: status({
      phase: 'Failed',
      conditions: conditions(over('PodFailed')),
      containerStatuses: [
        down('main', { state: { terminated: ended('main', 3, { message: 'no licence' }) } }),
      ],
    }),
  },
  {
    title: 'crash loop',
    pod: always,
    given: {
      runtime: runtimePod([exited('main', 1)]),
      waiting: new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]]),
    },
    wanted: status({
      phase: 'Running',
      conditions: conditions(unready('main')),
      containerStatuses: [
        down('main', {
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
          lastState: { terminated: ended('main', 1) },
        }),
      ],
    }),
  },
  {
    title: 'killed for its memory, and started again',
    pod: always,
    given: { runtime: BOTH_ATTEMPTS },
    wanted: status({
      conditions: conditions(ALL_WELL),
      containerStatuses: [
        up('main', {
          restartCount: 1,
          lastState: { terminated: ended('main', 137, { reason: 'OOMKilled' }) },
        }),
      ],
    }),
  },
  {
    title: 'no image',
    pod: always,
    given: {
      runtime: runtimePod([]),
      waiting: new Map([['main', { reason: 'ErrImagePull', message: 'no such host' }]]),
    },
    wanted: status({
      phase: 'Pending',
      conditions: conditions(unready('main')),
      containerStatuses: [
        absent('main', { state: { waiting: { reason: 'ErrImagePull', message: 'no such host' } } }),
      ],
    }),
  },
  {
    title: 'not ready, says its probe',
    pod: always,
    given: {
      runtime: runtimePod([running('main')]),
      verdict: () => ({ started: true, ready: false }),
      previous: WAS_UP,
    },
    wanted: status({
      conditions: conditions(unready('main')).map((condition) =>
        condition.status === 'True' ? { ...condition, lastTransitionTime: BEFORE } : condition,
      ),
      startTime: BEFORE,
      containerStatuses: [up('main', { ready: false })],
    }),
  },
  {
    title: 'not started, says its probe',
    pod: always,
    given: {
      runtime: runtimePod([running('main')]),
      verdict: () => ({ started: false, ready: true }),
    },
    wanted: status({
      conditions: conditions(unready('main')),
      containerStatuses: [up('main', { ready: false, started: false })],
    }),
  },
  {
    title: 'readiness gates: what others say does not come to edges',
    pod: makePod('a', { spec: { readinessGates: [{ conditionType: 'example.com/lb' }] } }),
    given: { runtime: runtimePod([running('main')]) },
    wanted: status({
      conditions: conditions({
        ...ALL_WELL,
        Ready:
          'False ReadinessGatesNotReady corresponding condition of pod readiness gate "example.com/lb" does not exist.',
      }),
      containerStatuses: [up('main')],
    }),
  },
  {
    title: 'in preStop: it runs while it is deleted',
    pod: makePod('a', { metadata: { deletionTimestamp: NOW_TIME } }),
    given: { runtime: runtimePod([running('main')]), end: { isStopped: false } },
    wanted: status({ conditions: conditions(ALL_WELL), containerStatuses: [up('main')] }),
  },
  {
    title: 'deleted, and ended by its signal',
    pod: makePod('a', { metadata: { deletionTimestamp: NOW_TIME } }),
    given: { runtime: runtimePod([exited('main', 143)]), end: STOPPED },
    wanted: status({
      phase: 'Failed',
      conditions: conditions(over('PodFailed')),
      containerStatuses: [down('main', { state: { terminated: ended('main', 143) } })],
    }),
  },
  {
    title: 'deleted before it started',
    pod: makePod('a', { metadata: { deletionTimestamp: NOW_TIME } }),
    given: { end: STOPPED },
    wanted: unreached({
      phase: 'Failed',
      conditions: conditions(over('PodFailed')),
      containerStatuses: [
        absent('main', {
          state: {
            terminated: {
              exitCode: 137,
              reason: 'ContainerStatusUnknown',
              message: 'The container could not be located when the pod was terminated',
            },
          },
        }),
      ],
    }),
  },
  {
    title: 'its deadline has passed, and it still runs',
    pod: always,
    given: {
      runtime: runtimePod([running('main')]),
      previous: { ...WAS_UP, conditions: [] },
      end: { isStopped: false, failure: { reason: 'DeadlineExceeded', message: 'too long' } },
    },
    wanted: status({
      conditions: conditions({ ...over('PodFailed'), PodReadyToStartContainers: 'True' }),
      startTime: BEFORE,
      containerStatuses: [up('main')],
    }),
  },
  {
    title: 'its deadline has passed, and it has ended',
    pod: always,
    given: {
      runtime: runtimePod([exited('main', 0)]),
      end: { isStopped: true, failure: { reason: 'DeadlineExceeded', message: 'too long' } },
    },
    wanted: status({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'too long',
      conditions: conditions(over('PodFailed')),
      containerStatuses: [down('main', { state: { terminated: ended('main', 0) } })],
    }),
  },
  {
    title: 'the machine was restarted: the runtime has lost it',
    pod: always,
    given: { previous: { ...WAS_UP, conditions: [] } },
    wanted: unreached({
      phase: 'Running',
      conditions: conditions({ ...unready('main'), PodReadyToStartContainers: 'False' }),
      startTime: BEFORE,
      containerStatuses: [
        absent('main', {
          restartCount: 1,
          lastState: {
            terminated: {
              exitCode: 137,
              reason: 'ContainerStatusUnknown',
              message:
                'The container could not be located when the pod was deleted.  The container used to be Running',
            },
          },
        }),
      ],
    }),
  },
  {
    title: 'the machine was restarted, and it runs once: the runtime has lost it',
    pod: never,
    given: { previous: { ...WAS_UP, conditions: [] }, end: STOPPED },
    wanted: unreached({
      phase: 'Failed',
      conditions: conditions(over('PodFailed')),
      startTime: BEFORE,
      containerStatuses: [
        down('main', {
          state: {
            terminated: {
              exitCode: 137,
              reason: 'ContainerStatusUnknown',
              message: 'The container could not be located when the pod was terminated',
            },
          },
        }),
      ],
    }),
  },
  {
    title: 'the runtime does not know its state',
    pod: always,
    given: {
      runtime: runtimePod([running('main', { state: 'unknown' })]),
      previous: { ...WAS_UP, conditions: [] },
    },
    wanted: status({
      phase: 'Running',
      conditions: conditions(unready('main')),
      startTime: BEFORE,
      containerStatuses: [
        down('main', {
          state: {
            terminated: {
              exitCode: 137,
              reason: 'ContainerStatusUnknown',
              message: 'The container could not be located when the pod was terminated',
            },
          },
        }),
      ],
    }),
  },
  {
    title: 'init container failing',
    pod: inits,
    given: {
      runtime: runtimePod([exited('setup', 2)]),
      waiting: new Map([['setup', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]]),
    },
    wanted: status({
      phase: 'Pending',
      conditions: conditions({
        ...unready('side', 'main'),
        Initialized: 'False ContainersNotInitialized containers with incomplete status: [setup side]',
      }),
      containerStatuses: [absent('main', { state: { waiting: { reason: 'PodInitializing' } } })],
      initContainerStatuses: [
        down('setup', {
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
          lastState: { terminated: ended('setup', 2) },
        }),
        absent('side', { state: { waiting: { reason: 'PodInitializing' } } }),
      ],
    }),
  },
  {
    title: 'init container failed for good',
    pod: { ...inits, spec: { ...inits.spec, restartPolicy: 'Never' } },
    given: { runtime: runtimePod([exited('setup', 2)]), end: STOPPED },
    wanted: status({
      phase: 'Failed',
      conditions: conditions(
        over('PodFailed', 'False ContainersNotInitialized containers with incomplete status: [setup side]'),
      ),
      containerStatuses: [absent('main', { state: { waiting: { reason: 'PodInitializing' } } })],
      initContainerStatuses: [
        down('setup', { state: { terminated: ended('setup', 2) } }),
        absent('side', { state: { waiting: { reason: 'PodInitializing' } } }),
      ],
    }),
  },
  {
    title: 'a sidecar beside the container',
    pod: inits,
    given: {
      runtime: runtimePod([exited('setup', 0), running('side'), running('main')]),
      verdict: (name) => ({ started: true, ready: name !== 'side' }),
    },
    wanted: status({
      conditions: conditions(unready('side')),
      containerStatuses: [up('main')],
      initContainerStatuses: [
        down('setup', { state: { terminated: ended('setup', 0) }, ready: true }),
        up('side', { ready: false }),
      ],
    }),
  },
  {
    title: 'a sidecar that starts, before the container',
    pod: inits,
    given: {
      runtime: runtimePod([exited('setup', 0), running('side')]),
      verdict: () => ({ started: false, ready: false }),
    },
    wanted: status({
      phase: 'Pending',
      conditions: conditions({
        ...unready('side', 'main'),
        Initialized: 'False ContainersNotInitialized containers with incomplete status: [side]',
      }),
      containerStatuses: [absent('main', { state: { waiting: { reason: 'PodInitializing' } } })],
      initContainerStatuses: [
        down('setup', { state: { terminated: ended('setup', 0) }, ready: true }),
        up('side', { ready: false, started: false }),
      ],
    }),
  },
  {
    title: 'a sidecar that starts again beside the container: still running, still initialized',
    pod: inits,
    given: { runtime: runtimePod([exited('setup', 0), exited('side', 1), running('main')]) },
    wanted: status({
      conditions: conditions(unready('side')),
      containerStatuses: [up('main')],
      initContainerStatuses: [
        down('setup', { state: { terminated: ended('setup', 0) }, ready: true }),
        down('side', { state: { terminated: ended('side', 1) } }),
      ],
    }),
  },
  {
    title: 'what init containers left was collected',
    pod: inits,
    given: { runtime: runtimePod([running('side'), running('main')]) },
    wanted: status({
      conditions: conditions(ALL_WELL),
      containerStatuses: [up('main')],
      initContainerStatuses: [
        absent('setup', {
          state: {
            terminated: {
              exitCode: 0,
              reason: 'Completed',
              message:
                'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
            },
          },
          ready: true,
        }),
        up('side'),
      ],
    }),
  },
  {
    title: 'its sandbox has died: it keeps its address until there is another one',
    pod: always,
    given: {
      runtime: runtimePod([exited('main', 137)], [sandbox(0, { ready: false, ips: [] })]),
      previous: { ...WAS_UP, conditions: [] },
    },
    wanted: status({
      conditions: conditions({ ...unready('main'), PodReadyToStartContainers: 'False' }),
      startTime: BEFORE,
      containerStatuses: [down('main', { state: { terminated: ended('main', 137) } })],
    }),
  },
];
