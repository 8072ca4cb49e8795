import assert from 'node:assert/strict';
import { TEST_IMAGES, testImages } from '@hawser/edgecore/testing';
import { RESOURCES } from '@hawser/kube';
import { eventually, scaled } from '@hawser/seams/testing';
import { shellPod, type SeenPod } from '../../src/pods-site/pods-site.ts';
import { conditions, ended, over, RUNNING, unready, WITH_ADDRESSES } from './expected-status.ts';
import { containerOf, FeatureSite, type SeenEvent } from './features/feature-site.ts';
import { shell, STAYS } from './features/shell.ts';
import { comparable, type Run } from './status-view.ts';

const ONCE = { restartPolicy: 'Never' };
const PRESENT = `Container image "${TEST_IMAGES.busybox}" already present on machine`;
const SOON_MS = scaled(20_000, 40_000);

/** What the API is told about pods, all of it. Source: Kubernetes API, core/v1 PodStatus and Event; "Pod Lifecycle". */
describe('status, conditions and events of pods in the API', function () {
  this.timeout(scaled(60_000, 120_000));
  let site: FeatureSite | undefined;
  let run: Run;
  let image: { readonly image: string; readonly imageID: string };

  function open(): FeatureSite {
    if (site === undefined) throw new TypeError('the site is not open');
    return site;
  }

  before(async function () {
    site = await FeatureSite.open(this, { edge: { pods: { clusterDns: '192.0.2.53' } } });
    const imageID =
      (await testImages()).find(({ name }) => name === TEST_IMAGES.busybox)?.config.digest ?? '';
    image = { image: TEST_IMAGES.busybox, imageID };
    await site.create(
      shellPod('succeeds', 'until test -e /tmp/done; do sleep 0.1; done', {
        spec: {
          ...ONCE,
          initContainers: [shell('first', 'true'), shell('side', STAYS, { restartPolicy: 'Always' })],
          volumes: [{ name: 'data', emptyDir: {} }],
        },
        container: {
          volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
          resources: { requests: { cpu: '10m' }, limits: { memory: '16Mi' } },
        },
      }),
      shellPod('fails', 'echo last words >/dev/termination-log; exit 3', { spec: ONCE }),
      shellPod('init-fails', 'true', { spec: { ...ONCE, initContainers: [shell('first', 'exit 9')] } }),
      shellPod('hog', 'memory-hog 256', {
        spec: ONCE,
        container: { resources: { limits: { memory: '24Mi' } } },
      }),
      shellPod('unready', STAYS, {
        container: {
          readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
        },
      }),
      shellPod('waits', 'true', {
        spec: {
          volumes: [{ name: 'config', configMap: { name: 'nowhere' } }],
          initContainers: [shell('first', 'true')],
        },
        container: { volumeMounts: [{ name: 'config', mountPath: '/config' }] },
      }),
      shellPod('deadline', STAYS, { spec: { activeDeadlineSeconds: 10 } }),
      shellPod('stops', STAYS, {
        spec: { terminationGracePeriodSeconds: 30 },
        container: { lifecycle: { preStop: { exec: { command: ['sh', '-c', 'sleep 2; exit 1'] } } } },
      }),
      shellPod('runs-on', STAYS, {
        spec: { initContainers: [shell('first', 'true'), shell('side', STAYS, { restartPolicy: 'Always' })] },
      }),
      shellPod('runs-once', STAYS, { spec: ONCE }),
    );
    const { status } = await site.untilReady('runs-on');
    run = {
      hostIps: await site.hostAddresses(),
      podPrefix: site.pods.containerd.subnet.replace(/0\/24$/, ''),
    };
    assert.ok(status?.podIP?.startsWith(run.podPrefix), status?.podIP);
  });
  after(() => site?.close());

  /** Of a container that was made. */
  function made(name: string, containerID: string): object {
    return { name, containerID, ...image, resources: {} };
  }

  /** The status of a pod once it is as it should be, and the edge has seen its spec as it is now. */
  async function statusOf(name: string, is: (pod: SeenPod) => boolean): Promise<unknown> {
    const isSeen = ({ metadata, status }: SeenPod): boolean =>
      status?.observedGeneration === metadata.generation;
    const pod = await open().until(name, (one) => isSeen(one) && is(one), SOON_MS);
    return comparable(pod.status, pod, run);
  }

  function isWaiting(reason: string): (pod: SeenPod) => boolean {
    return (pod) => containerOf(pod)?.state?.['waiting']?.['reason'] === reason;
  }

  function isIn(phase: string): (pod: SeenPod) => boolean {
    return ({ status }) => status?.phase === phase;
  }

  /** Waits until a pod has these events, and no others: `type reason where ×count: message`, in any order. */
  async function expectEvents(pod: string, expected: readonly string[]): Promise<void> {
    const { metadata } = await open().pod(pod);
    const seen = async (): Promise<readonly string[]> =>
      (await open().events(pod)).map((event) => line(event, metadata.uid ?? '')).toSorted();
    await eventually(
      'its events are there',
      async () => JSON.stringify(await seen()) === JSON.stringify(expected.toSorted()),
      { deadlineMs: SOON_MS, intervalMs: 50 },
    ).catch(async () => assert.deepEqual(await seen(), expected.toSorted()));
  }

  it('success, with an init container, a sidecar, a mount and resources', async () => {
    const sidecars = {
      initContainerStatuses: [
        {
          ...made('first', '<1>'),
          ...{
            state: ended(0, 'Completed', '<1>'),
            lastState: {},
            ready: true,
            started: false,
            restartCount: 0,
          },
        },
        {
          ...made('side', '<2>'),
          ...{ state: RUNNING, lastState: {}, ready: true, started: true, restartCount: 0 },
        },
      ],
    };
    const main = {
      ...made('main', '<3>'),
      ...{ lastState: {}, restartCount: 0 },
      allocatedResources: { cpu: '10m', memory: '16Mi' },
      resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '16Mi' } },
      volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true, recursiveReadOnly: 'Disabled' }],
    };
    const qos = { qosClass: 'Burstable' };
    assert.deepEqual(await statusOf('succeeds', isIn('Running')), {
      ...{ ...WITH_ADDRESSES, ...qos, phase: 'Running', conditions: conditions(), ...sidecars },
      containerStatuses: [{ ...main, state: RUNNING, ready: true, started: true }],
    });
    await open().exec('succeeds', 'touch /tmp/done');
    const [first, side] = sidecars.initContainerStatuses;
    assert.deepEqual(await statusOf('succeeds', isIn('Succeeded')), {
      ...{ ...WITH_ADDRESSES, ...qos, phase: 'Succeeded', conditions: over('PodCompleted') },
      initContainerStatuses: [
        first,
        { ...side, state: ended(0, 'Completed', '<2>'), ready: false, started: false },
      ],
      containerStatuses: [{ ...main, state: ended(0, 'Completed', '<3>'), ready: false, started: false }],
    });
    await expectEvents('succeeds', [
      ...starts('spec.initContainers{first}', 'first'),
      ...starts('spec.initContainers{side}', 'side'),
      ...starts('spec.containers{main}', 'main'),
      'Normal Killing spec.initContainers{side} ×1: Stopping container side',
    ]);
  });

  it('failure, with last words', async () => {
    assert.deepEqual(await statusOf('fails', isIn('Failed')), {
      ...{ ...WITH_ADDRESSES, phase: 'Failed', conditions: over('PodFailed') },
      containerStatuses: [
        {
          ...made('main', '<1>'),
          ...{ lastState: {}, ready: false, started: false, restartCount: 0 },
          state: {
            terminated: {
              ...{ exitCode: 3, reason: 'Error', message: 'last words\n', containerID: '<1>' },
              ...{ startedAt: '<time>', finishedAt: '<time>' },
            },
          },
        },
      ],
    });
    await expectEvents('fails', starts('spec.containers{main}', 'main'));
  });

  it('an init container that fails for good', async () => {
    const waiting = {
      ...{ name: 'main', image: TEST_IMAGES.busybox, imageID: '', lastState: {} },
      ...{ state: { waiting: { reason: 'PodInitializing' } }, ready: false, started: false, restartCount: 0 },
    };
    assert.deepEqual(await statusOf('init-fails', isIn('Failed')), {
      ...{ ...WITH_ADDRESSES, phase: 'Failed' },
      conditions: conditions({
        PodReadyToStartContainers: ['False'],
        Initialized: ['False', 'ContainersNotInitialized', 'containers with incomplete status: [first]'],
        ...{ Ready: ['False', 'PodFailed'], ContainersReady: ['False', 'PodFailed'] },
      }),
      initContainerStatuses: [
        {
          ...made('first', '<1>'),
          ...{
            state: ended(9, 'Error', '<1>'),
            lastState: {},
            ready: false,
            started: false,
            restartCount: 0,
          },
        },
      ],
      containerStatuses: [waiting],
    });
    await expectEvents('init-fails', starts('spec.initContainers{first}', 'first'));
  });

  it('a crash loop', async () => {
    await open().create(shellPod('crashes', 'exit 3'));
    assert.deepEqual(await statusOf('crashes', isWaiting('CrashLoopBackOff')), {
      ...{ ...WITH_ADDRESSES, phase: 'Running', conditions: unready('main') },
      containerStatuses: [
        {
          ...made('main', '<1>'),
          state: {
            waiting: {
              reason: 'CrashLoopBackOff',
              message: 'back-off 10s restarting failed container=main pod=crashes_default(<uid>)',
            },
          },
          ...{ lastState: ended(3, 'Error', '<1>'), ready: false, started: false, restartCount: 1 },
        },
      ],
    });
    await expectEvents('crashes', [
      ...starts('spec.containers{main}', 'main', 2),
      'Warning BackOff spec.containers{main} ×1: Back-off restarting failed container main in pod crashes_default(<uid>)',
    ]);
  });

  it('no memory left', async () => {
    const amounts = { memory: '24Mi' };
    assert.deepEqual(await statusOf('hog', isIn('Failed')), {
      ...{ ...WITH_ADDRESSES, qosClass: 'Burstable', phase: 'Failed', conditions: over('PodFailed') },
      containerStatuses: [
        {
          ...made('main', '<1>'),
          ...{
            state: ended(137, 'OOMKilled', '<1>'),
            lastState: {},
            ready: false,
            started: false,
            restartCount: 0,
          },
          ...{ allocatedResources: amounts, resources: { limits: amounts, requests: amounts } },
        },
      ],
    });
    await expectEvents('hog', starts('spec.containers{main}', 'main'));
  });

  it('an image that is not there', async () => {
    await open().create(
      shellPod('never-pulled', 'true', {
        container: { image: 'nowhere.test/app:1', imagePullPolicy: 'Never' },
      }),
      shellPod('not-pulled', 'true', { container: { image: '127.0.0.1:1/app:1' } }),
    );
    const container = (name: string, reason: string, message: string): object => ({
      ...{ name: 'main', image: name, imageID: '', state: { waiting: { reason, message } } },
      ...{ lastState: {}, ready: false, started: false, restartCount: 0 },
    });
    const message = 'Container image "nowhere.test/app:1" is not present with pull policy of Never';
    assert.deepEqual(await statusOf('never-pulled', isWaiting('ErrImageNeverPull')), {
      ...{ ...WITH_ADDRESSES, phase: 'Pending', conditions: unready('main') },
      containerStatuses: [container('nowhere.test/app:1', 'ErrImageNeverPull', message)],
    });
    await expectEvents('never-pulled', [
      `Warning ErrImageNeverPull spec.containers{main} ×1: ${message}`,
      'Warning Failed spec.containers{main} ×1: Error: ErrImageNeverPull',
    ]);
    const name = '127.0.0.1:1/app:1';
    const why =
      `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ` +
      'failed to do request: Head "http://127.0.0.1:1/v2/app/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused';
    const backOff = `Back-off pulling image "${name}"`;
    assert.deepEqual(await statusOf('not-pulled', isWaiting('ImagePullBackOff')), {
      ...{ ...WITH_ADDRESSES, phase: 'Pending', conditions: unready('main') },
      containerStatuses: [container(name, 'ImagePullBackOff', `${backOff}: ErrImagePull: ${why}`)],
    });
    await expectEvents('not-pulled', [
      `Normal Pulling spec.containers{main} ×1: Pulling image "${name}"`,
      `Warning Failed spec.containers{main} ×1: Failed to pull image "${name}": ${why}`,
      'Warning Failed spec.containers{main} ×1: Error: ErrImagePull',
      `Normal BackOff spec.containers{main} ×1: ${backOff}`,
      'Warning Failed spec.containers{main} ×1: Error: ImagePullBackOff',
    ]);
  });

  it('a probe that fails', async () => {
    await open().untilEvent('unready', ({ reason }) => reason === 'Unhealthy');
    assert.deepEqual(await statusOf('unready', isIn('Running')), {
      ...{ ...WITH_ADDRESSES, phase: 'Running', conditions: unready('main') },
      containerStatuses: [
        {
          ...made('main', '<1>'),
          ...{ state: RUNNING, lastState: {}, ready: false, started: true, restartCount: 0 },
        },
      ],
    });
    await expectEvents('unready', [
      ...starts('spec.containers{main}', 'main'),
      'Warning Unhealthy spec.containers{main}: Readiness probe failed: ',
    ]);
  });

  it('a volume that lacks its source', async () => {
    const message = 'MountVolume.SetUp failed for volume "config" : configmap "nowhere" not found';
    await open().untilEvent('waits', ({ reason }) => reason === 'FailedMount');
    const waiting = {
      ...{ image: TEST_IMAGES.busybox, imageID: '', state: { waiting: { reason: 'PodInitializing' } } },
      ...{ lastState: {}, ready: false, started: false, restartCount: 0 },
    };
    const { observedGeneration, startTime, qosClass, hostIP, hostIPs } = WITH_ADDRESSES;
    const [, , ready, containersReady] = unready('main');
    assert.deepEqual(await statusOf('waits', isIn('Pending')), {
      ...{ observedGeneration, startTime, qosClass, hostIP, hostIPs, phase: 'Pending' },
      conditions: conditions({
        PodReadyToStartContainers: ['False'],
        Initialized: ['False', 'ContainersNotInitialized', 'containers with incomplete status: [first]'],
      })
        .with(2, ready ?? {})
        .with(3, containersReady ?? {}),
      initContainerStatuses: [{ ...waiting, name: 'first' }],
      containerStatuses: [
        { ...waiting, name: 'main', volumeMounts: [{ name: 'config', mountPath: '/config' }] },
      ],
    });
    const events = (await open().events('waits')).map(({ type, reason, message: text }) => [
      type,
      reason,
      text,
    ]);
    assert.deepEqual(events, [['Warning', 'FailedMount', message]]);
  });

  it('a deadline', async () => {
    assert.deepEqual(await statusOf('deadline', isIn('Failed')), {
      ...{ ...WITH_ADDRESSES, phase: 'Failed', conditions: over('PodFailed') },
      ...{
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
      containerStatuses: [
        {
          ...made('main', '<1>'),
          ...{
            state: ended(0, 'Completed', '<1>'),
            lastState: {},
            ready: false,
            started: false,
            restartCount: 0,
          },
        },
      ],
    });
    await expectEvents('deadline', [
      ...starts('spec.containers{main}', 'main'),
      'Normal Killing spec.containers{main} ×1: Stopping container main',
      'Normal DeadlineExceeded ×1: Pod was active on the node longer than the specified deadline',
    ]);
  });

  it('a deletion with a preStop that fails, until nothing is left', async () => {
    await open().untilReady('stops');
    await open().forget('stops');
    const main = {
      ...made('main', '<1>'),
      ...{ state: RUNNING, lastState: {}, ready: true, started: true, restartCount: 0 },
    };
    assert.deepEqual(await statusOf('stops', ({ metadata }) => metadata.deletionTimestamp !== undefined), {
      ...{ ...WITH_ADDRESSES, phase: 'Running', conditions: conditions() },
      containerStatuses: [main],
    });
    await open().pods.untilGone('stops', SOON_MS);
    const events = (await open().events('stops')).filter(
      ({ reason }) => !['Pulled', 'Created', 'Started'].includes(reason),
    );
    assert.deepEqual(events.map((event) => line(event, '')).toSorted(), [
      'Normal Killing spec.containers{main} ×1: Stopping container main',
      'Warning FailedPreStopHook spec.containers{main} ×1: PreStopHook failed',
    ]);
  });

  it('an event, field by field', async () => {
    const pod = await open().pod('runs-once');
    const events = await open().pods.cluster.objects.list(RESOURCES.events);
    const event = events.find(
      (one) =>
        one['reason'] === 'Created' &&
        (one['involvedObject'] as { name?: string } | undefined)?.name === 'runs-once',
    );
    const { metadata, ...rest } = event ?? { metadata: {} };
    assert.match(metadata.name ?? '', /^runs-once\.[0-9a-f]+$/);
    assert.equal(metadata.namespace, 'default');
    assert.deepEqual(comparable(rest, pod, run), {
      involvedObject: {
        ...{ kind: 'Pod', apiVersion: 'v1', namespace: 'default', name: 'runs-once', uid: '<uid>' },
        fieldPath: 'spec.containers{main}',
      },
      ...{ type: 'Normal', reason: 'Created', message: 'Created container: main', count: 1 },
      ...{ source: { component: 'edgecore', host: 'edge-1' }, reportingComponent: 'edgecore' },
      ...{ reportingInstance: 'edge-1', firstTimestamp: '<time>', lastTimestamp: '<time>', eventTime: null },
    });
  });

  it('a node that lost its power: what ran is started again, what was to run once has failed', async () => {
    const before = await open().pod('runs-on');
    const { pods } = open();
    await pods.edge.kill();
    await pods.containerd.powerCut();
    await pods.containerd.start();
    await pods.edge.start();
    const isBack = (pod: SeenPod): boolean =>
      containerOf(pod)?.restartCount === 1 && containerOf(pod)?.ready === true;
    const lost = (containerID: string): object => ended(255, 'Unknown', containerID);
    assert.deepEqual(await statusOf('runs-on', isBack), {
      ...{ ...WITH_ADDRESSES, phase: 'Running', conditions: conditions() },
      initContainerStatuses: [
        {
          ...made('first', '<1>'),
          ...{ state: ended(0, 'Completed', '<1>'), lastState: ended(0, 'Completed', '<2>') },
          ...{ ready: true, started: false, restartCount: 1 },
        },
        {
          ...made('side', '<4>'),
          ...{ state: RUNNING, lastState: lost('<3>'), ready: true, started: true, restartCount: 1 },
        },
      ],
      containerStatuses: [
        {
          ...made('main', '<6>'),
          ...{ state: RUNNING, lastState: lost('<5>'), ready: true, started: true, restartCount: 1 },
        },
      ],
    });
    assert.deepEqual(await statusOf('runs-once', isIn('Failed')), {
      ...{ ...WITH_ADDRESSES, phase: 'Failed', conditions: over('PodFailed') },
      containerStatuses: [
        {
          ...made('main', '<1>'),
          ...{ state: lost('<1>'), lastState: {}, ready: false, started: false, restartCount: 0 },
        },
      ],
    });
    const after = await open().pod('runs-on');
    assert.equal(after.status?.startTime, before.status?.startTime);
    const scheduled = ({ status }: SeenPod): unknown =>
      status?.conditions?.find(({ type }) => type === 'PodScheduled');
    assert.deepEqual(scheduled(after), scheduled(before));
    const again = 'Normal SandboxChanged ×1: Pod sandbox changed, it will be killed and re-created.';
    const lives = [1, 2].flatMap(() => [
      ...starts('spec.initContainers{first}', 'first'),
      ...starts('spec.initContainers{side}', 'side'),
      ...starts('spec.containers{main}', 'main'),
    ]);
    await expectEvents('runs-on', [...lives, again]);
    await expectEvents('runs-once', starts('spec.containers{main}', 'main'));
    // What had ended before has not changed.
    assert.equal((await open().pod('succeeds')).status?.phase, 'Succeeded');
    assert.equal((await open().pod('deadline')).status?.reason, 'DeadlineExceeded');
  });
});

/** How a container's start is told, so many times. */
function starts(where: string, name: string, times = 1): readonly string[] {
  return [
    `Normal Pulled ${where} ×${times}: ${PRESENT}`,
    `Normal Created ${where} ×${times}: Created container: ${name}`,
    `Normal Started ${where} ×${times}: Started container ${name}`,
  ];
}

/** How often a probe has failed is a matter of time. */
function line({ type, reason, fieldPath, count, message }: SeenEvent, uid: string): string {
  const times = reason === 'Unhealthy' ? [] : [`×${count}`];
  const words = [type, reason, fieldPath, ...times].filter((word) => word !== '');
  return `${words.join(' ')}: ${message}`.replaceAll(uid === '' ? '<none>' : uid, '<uid>');
}
