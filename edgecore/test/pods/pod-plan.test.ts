import assert from 'node:assert/strict';
import { planRun } from '../../src/pods/pod-plan.ts';
import type { Pod, PodContainer } from '../../src/pods/pod.ts';
import type { PodStatus } from '../../src/pods/pod-status-types.ts';
import type { PlanInput, PodAction, PodPlan } from '../../src/pods/plan-types.ts';
import { RestartDelays } from '../../src/pods/restart-delays.ts';
import type { ProbeVerdict } from '../../src/probes/pod-probes.ts';
import type { RuntimePod } from '../../src/runtime/container-runtime.ts';
import { makePod } from '../../testing/index.ts';
import { created, exited, NOW, running, runtimePod, sandbox } from './runtime-pods.ts';

const WELL: ProbeVerdict = { started: true, ready: true };

function plan(pod: Pod, runtime: RuntimePod | undefined, wish: Partial<PlanInput> = {}): PodPlan {
  return planRun({
    pod,
    runtime,
    previous: undefined,
    verdict: () => WELL,
    specHash: () => 'hash',
    failures: new Map(),
    delays: new RestartDelays(),
    needsAddress: true,
    nowMs: NOW,
    ...wish,
  });
}

/** An action in short. */
function short(action: PodAction): string {
  switch (action.do) {
    case 'create-sandbox':
      return `sandbox#${action.attempt}`;
    case 'start-container':
      return `${action.name}#${action.attempt}`;
    case 'kill-container':
      return `kill ${action.id}`;
    case 'remove-container':
      return `remove ${action.id}`;
    default:
      return `${action.do} ${action.id}`;
  }
}

/** What a plan does, in short. */
function does(pod: Pod, runtime: RuntimePod | undefined, wish: Partial<PlanInput> = {}): readonly string[] {
  const { actions, over } = plan(pod, runtime, wish);
  return over === undefined ? actions.map(short) : ['over'];
}

const container = (name: string, wish: Partial<PodContainer> = {}): PodContainer => ({ name, ...wish });
const two = makePod('a', { spec: { containers: [container('one'), container('two')] } });
const inits = makePod('a', {
  spec: {
    initContainers: [container('first'), container('side', { restartPolicy: 'Always' }), container('second')],
    containers: [container('main')],
  },
});
const withPolicy = (restartPolicy: 'Always' | 'OnFailure' | 'Never', spec: Partial<Pod['spec']> = {}): Pod =>
  makePod('a', { spec: { restartPolicy, ...spec } });

/** A status in which `main` was running as the first attempt. */
const ranBefore: PodStatus = {
  phase: 'Running',
  conditions: [],
  startTime: '2026-01-01T11:00:00Z',
  containerStatuses: [
    {
      name: 'main',
      state: { running: { startedAt: '2026-01-01T11:00:00Z' } },
      lastState: {},
      ready: true,
      started: true,
      restartCount: 0,
      image: 'i',
      imageID: 'i',
      containerID: 'x://main-0',
    },
  ],
  qosClass: 'BestEffort',
};

describe('what to do so that a pod runs', () => {
  const cases: readonly [string, Pod, RuntimePod | undefined, readonly string[]][] = [
    ['nothing there: a sandbox', two, undefined, ['sandbox#0']],
    ['a sandbox: all containers', two, runtimePod([]), ['one#0', 'two#0']],
    [
      'one was made and not started: made again',
      two,
      runtimePod([created('one')]),
      ['remove one-0', 'one#0', 'two#0'],
    ],
    ['one runs: the other', two, runtimePod([running('one')]), ['two#0']],
    ['all run: nothing', two, runtimePod([running('one'), running('two')]), []],
    ['first exit: again at once', two, runtimePod([exited('one', 1), running('two')]), ['one#1']],
    ['exit with 0, always: again', two, runtimePod([exited('one', 0), running('two')]), ['one#1']],
    [
      'state unknown: killed, then started',
      two,
      runtimePod([running('one', { state: 'unknown' }), running('two')]),
      ['kill one-0', 'one#1'],
    ],
    [
      'two attempts run: the older one is killed',
      two,
      runtimePod([running('one', { attempt: 1 }), running('one'), running('two')]),
      ['kill one-0'],
    ],
    [
      'something runs that the spec does not have: killed',
      two,
      runtimePod([running('one'), running('two'), running('three')]),
      ['kill three-0'],
    ],
    ['init containers one by one', inits, runtimePod([]), ['first#0']],
    ['the first runs: wait', inits, runtimePod([running('first')]), []],
    ['the first failed: again', inits, runtimePod([exited('first', 1)]), ['first#1']],
    ['the first is done: the sidecar', inits, runtimePod([exited('first', 0)]), ['side#0']],
    ['the sidecar runs: the second', inits, runtimePod([exited('first', 0), running('side')]), ['second#0']],
    [
      'the sidecar ended while the second runs: again',
      inits,
      runtimePod([exited('first', 0), exited('side', 0), running('second')]),
      ['side#1'],
    ],
    [
      'all done: the containers',
      inits,
      runtimePod([exited('first', 0), running('side'), exited('second', 0)]),
      ['main#0'],
    ],
    [
      'dead init containers were collected: the last one tells',
      inits,
      runtimePod([running('side'), exited('second', 0)]),
      ['main#0'],
    ],
    [
      'dead init containers were collected, all of them: the containers tell',
      inits,
      runtimePod([running('side'), exited('main', 1)]),
      ['main#1'],
    ],
    [
      'a sidecar that died is started again beside the others',
      inits,
      runtimePod([exited('first', 0), exited('side', 0), exited('second', 0), running('main')]),
      ['side#1'],
    ],
    [
      'a sidecar that was collected is made again beside the others',
      inits,
      runtimePod([running('main')]),
      ['side#0'],
    ],
  ];
  for (const [title, pod, present, wanted] of cases) {
    it(title, () => assert.deepEqual(does(pod, present), wanted));
  }

  it('does not start again what its policy lets end', () => {
    const rows: readonly [Pod, number, readonly string[]][] = [
      [withPolicy('OnFailure'), 0, ['over']],
      [withPolicy('OnFailure'), 3, ['main#1']],
      [withPolicy('Never'), 3, ['over']],
      [withPolicy('Never'), 0, ['over']],
    ];
    for (const [pod, exitCode, wanted] of rows)
      assert.deepEqual(does(pod, runtimePod([exited('main', exitCode)])), wanted);
  });

  it('lets a pod run while one of its containers does', () => {
    const never = { ...two, spec: { ...two.spec, restartPolicy: 'Never' as const } };
    assert.deepEqual(does(never, runtimePod([exited('one', 1), running('two')])), []);
    assert.deepEqual(does(never, runtimePod([exited('one', 1), exited('two', 0)])), ['over']);
  });

  it('lets a pod end whose init container failed and may not be started again', () => {
    const pod = withPolicy('Never', { initContainers: [container('first')] });
    assert.deepEqual(does(pod, runtimePod([exited('first', 1)])), ['over']);
  });

  it('ends a pod whose containers are done although its sidecar runs', () => {
    const side = container('side', { restartPolicy: 'Always' });
    const pod = withPolicy('Never', { initContainers: [side] });
    assert.deepEqual(does(pod, runtimePod([running('side'), exited('main', 0)])), ['over']);
    assert.deepEqual(does(pod, runtimePod([exited('side', 1), running('main')])), ['side#1']);
  });

  it('follows the policy and the rules of a container before those of the pod', () => {
    const one = container('one', { restartPolicy: 'OnFailure' });
    const two = container('two', {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
    });
    const pod = withPolicy('Never', { containers: [one, two] });
    assert.deepEqual(does(pod, runtimePod([exited('one', 1), exited('two', 1)])), ['one#1']);
    assert.deepEqual(does(pod, runtimePod([exited('one', 0), exited('two', 42)])), ['two#1']);
    assert.deepEqual(does(pod, runtimePod([exited('one', 0), exited('two', 1)])), ['over']);
  });
});

describe('what to do about a sandbox', () => {
  it('makes another one where it died, and ends what runs in it first', () => {
    const runtime = runtimePod([running('one'), exited('two', 0)], [sandbox(0, { ready: false })]);
    assert.deepEqual(does(two, runtime), ['kill one-0', 'sandbox#1']);
  });

  it('makes another one where it has lost its address', () => {
    const runtime = runtimePod([running('one')], [sandbox(0, { ips: [] })]);
    assert.deepEqual(does(two, runtime), ['kill one-0', 'stop-sandbox s0', 'sandbox#1']);
    assert.deepEqual(does(two, runtime, { needsAddress: false }), ['two#0']);
    const onHost = { ...two, spec: { ...two.spec, hostNetwork: true } };
    assert.deepEqual(does(onHost, runtime), ['two#0']);
  });

  it('stops all where two are ready, and makes another one', () => {
    const runtime = runtimePod([], [sandbox(1), sandbox(0)]);
    assert.deepEqual(does(two, runtime), ['stop-sandbox s1', 'stop-sandbox s0', 'sandbox#2']);
  });

  it('initializes a new sandbox anew, with attempts that go on', () => {
    const old = [exited('first', 0), exited('side', 137), exited('second', 0), exited('main', 137)];
    const runtime = runtimePod(old, [sandbox(1), sandbox(0, { ready: false })]);
    assert.deepEqual(does(inits, runtime), ['first#1']);
    const first = exited('first', 0, { attempt: 1, sandboxId: 's1' });
    assert.deepEqual(does(inits, runtimePod([first, ...old], runtime.sandboxes)), ['side#1']);
  });

  it('does not start in a new sandbox what was done in the one before', () => {
    const pod = { ...two, spec: { ...two.spec, restartPolicy: 'OnFailure' as const } };
    const runtime = runtimePod(
      [exited('one', 0), exited('two', 137)],
      [sandbox(1), sandbox(0, { ready: false })],
    );
    assert.deepEqual(does(pod, runtime), ['two#1']);
    const done = runtimePod([exited('one', 0), exited('two', 0)], [sandbox(0, { ready: false })]);
    assert.deepEqual(does(pod, done), ['over']);
  });

  it('makes none again for a pod that runs once', () => {
    const never = withPolicy('Never');
    assert.deepEqual(does(never, runtimePod([running('main')], [sandbox(0, { ready: false })])), ['over']);
    assert.deepEqual(does(never, runtimePod([], [sandbox(0, { ready: false })])), ['sandbox#1']);
    assert.deepEqual(does(never, undefined, { previous: ranBefore }), ['over'], 'and was lost');
  });

  it('goes on counting where the runtime has lost everything', () => {
    assert.deepEqual(does(makePod('a'), runtimePod([]), { previous: ranBefore }), ['main#1']);
    const [status] = ranBefore.containerStatuses;
    assert.ok(status);
    const { containerID, ...lost } = status;
    assert.ok(containerID);
    const waiting = { ...lost, state: { waiting: { reason: 'x' } }, restartCount: 4 };
    const previous = { ...ranBefore, containerStatuses: [waiting] };
    assert.deepEqual(does(makePod('a'), runtimePod([]), { previous }), ['main#4']);
  });

  it('removes old ones that are empty', () => {
    const runtime = runtimePod(
      [running('one', { sandboxId: 's2' }), running('two', { sandboxId: 's2' }), exited('one', 0)],
      [sandbox(2), sandbox(1, { ready: false }), sandbox(0, { ready: false })],
    );
    assert.deepEqual(does(two, runtime), ['remove-sandbox s1']);
  });

  it('ends what still runs in an old one', () => {
    const runtime = runtimePod(
      [running('one', { sandboxId: 's1', attempt: 1 }), running('two')],
      [sandbox(1), sandbox(0, { ready: false })],
    );
    assert.deepEqual(does(two, runtime), ['kill two-0', 'two#1']);
  });
});

describe('what probes and changes do to containers', () => {
  const condemned =
    (name: string, graceSeconds?: number) =>
    (of: string): ProbeVerdict =>
      of === name
        ? {
            started: true,
            ready: false,
            kill: {
              message: `Container ${name} failed liveness probe`,
              ...(graceSeconds !== undefined && { graceSeconds }),
            },
          }
        : WELL;

  it('kills what its probe condemns, with the grace that the probe names', () => {
    const runtime = runtimePod([running('one'), running('two')]);
    assert.deepEqual(plan(two, runtime, { verdict: condemned('one', 3) }).actions, [
      {
        do: 'kill-container',
        id: 'one-0',
        name: 'one',
        message: 'Container one failed liveness probe, will be restarted',
        graceSeconds: 3,
      },
    ]);
  });

  it('lets a pod end that its probe condemns and that runs once', () => {
    assert.deepEqual(
      does(withPolicy('Never'), runtimePod([running('main')]), { verdict: condemned('main') }),
      ['over'],
    );
  });

  it('makes a container anew whose spec has changed, whatever its policy says', () => {
    const runtime = runtimePod([running('main')]);
    const { actions } = plan(withPolicy('Never'), runtime, { specHash: () => 'other' });
    assert.deepEqual(actions, [
      {
        do: 'kill-container',
        id: 'main-0',
        name: 'main',
        message: 'Container main definition changed, will be restarted',
      },
      { do: 'start-container', name: 'main', attempt: 1 },
    ]);
  });

  it('makes a sidecar anew whose spec has changed, and not an init container that is done', () => {
    const runtime = runtimePod([exited('first', 0), running('side'), exited('second', 0), running('main')]);
    const changed = (of: string) => (one: PodContainer) => (one.name === of ? 'other' : 'hash');
    assert.deepEqual(does(inits, runtime, { specHash: changed('side') }), ['kill side-0', 'side#1']);
    assert.deepEqual(does(inits, runtime, { specHash: changed('first') }), []);
    const [kill] = plan(inits, runtime, { specHash: changed('side') }).actions;
    assert.ok(kill?.do === 'kill-container');
    assert.equal(kill.message, 'Init container side definition changed');
  });

  it('waits for a sidecar to have started before the next one starts', () => {
    const runtime = runtimePod([exited('first', 0), running('side')]);
    const verdict = (): ProbeVerdict => ({ started: false, ready: false });
    assert.deepEqual(does(inits, runtime, { verdict }), []);
    assert.deepEqual(does(inits, runtime), ['second#0']);
  });

  it('kills a sidecar that its probe condemns, while others start and run', () => {
    const runtime = runtimePod([exited('first', 0), running('side'), running('second')]);
    assert.deepEqual(does(inits, runtime, { verdict: condemned('side') }), ['kill side-0']);
  });
});

describe('what waits', () => {
  const crashing = (attempts: number): RestartDelays => {
    const delays = new RestartDelays();
    for (let n = 0; n < attempts; n++) delays.restarted('main', 'hash', NOW - 30_000, NOW - 20_000);
    return delays;
  };

  it('waits between crashes, says so, and looks again when that is over', () => {
    const runtime = runtimePod([exited('main', 1, { attempt: 2 })]);
    const { actions, waiting, lookAgainAtMs } = plan(makePod('a'), runtime, { delays: crashing(2) });
    assert.deepEqual(actions, []);
    assert.deepEqual(
      [...waiting],
      [
        [
          'main',
          {
            reason: 'CrashLoopBackOff',
            message: 'back-off 20s restarting failed container=main pod=a_default(uid-a)',
          },
        ],
      ],
    );
    assert.equal(lookAgainAtMs, NOW - 1_000 + 20_000);
    const later = plan(makePod('a'), runtime, { delays: crashing(2), nowMs: NOW + 19_000 });
    assert.deepEqual(later.actions.map(short), ['main#3']);
  });

  it('does not make a changed container wait', () => {
    const runtime = runtimePod([exited('main', 1, { attempt: 2 })]);
    const wish = { delays: crashing(2), specHash: () => 'other' };
    assert.deepEqual(does(makePod('a'), runtime, wish), ['main#3']);
  });

  it('waits 10 s, doubled up to 5 min, and not at all after a good run', () => {
    const delays = new RestartDelays();
    const waits = (): number => delays.waitOf('x', 'h', NOW, NOW)?.delayMs ?? 0;
    const seen = [waits()];
    for (let n = 0; n < 7; n++) {
      delays.restarted('x', 'h', NOW - 1_000, NOW - 500);
      seen.push(waits());
    }
    assert.deepEqual(seen, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    assert.equal(delays.waitOf('x', 'h', NOW + 600_001, NOW + 600_001), undefined);
    delays.restarted('x', 'h', NOW + 600_001, NOW + 600_001);
    assert.equal(delays.waitOf('x', 'h', NOW + 600_002, NOW + 600_002)?.delayMs, 10_000);
  });

  it('does not wait for a clock that was set back', () => {
    assert.equal(crashing(1).waitOf('main', 'hash', NOW + 3_600_000, NOW), undefined);
  });

  it('tries what could not be started again in its time, or once it is another one', () => {
    const failure = { reason: 'ErrImagePull', message: 'no', hash: 'hash', retryAtMs: NOW + 5_000 };
    const failures = new Map([['main', failure]]);
    const waits = plan(makePod('a'), runtimePod([]), { failures });
    assert.deepEqual(waits.actions, []);
    assert.deepEqual(waits.waiting.get('main'), { reason: 'ErrImagePull', message: 'no' });
    assert.equal(waits.lookAgainAtMs, NOW + 5_000);
    const tries = plan(makePod('a'), runtimePod([]), { failures, nowMs: NOW + 5_000 });
    assert.deepEqual(tries.actions.map(short), ['main#0']);
    assert.deepEqual(tries.waiting.get('main'), { reason: 'ErrImagePull', message: 'no' });
    const other = plan(makePod('a'), runtimePod([]), { failures, specHash: () => 'other' });
    assert.deepEqual(other.actions.map(short), ['main#0']);
    assert.equal(other.waiting.size, 0);
  });

  it('ends a pod at its deadline, and looks again then', () => {
    const pod = makePod('a', { spec: { activeDeadlineSeconds: 3_700 } });
    const runtime = runtimePod([running('main')]);
    const before = plan(pod, runtime, { previous: ranBefore });
    assert.equal(before.over, undefined);
    const deadlineMs = Date.parse(ranBefore.startTime) + 3_700_000;
    assert.equal(before.lookAgainAtMs, deadlineMs);
    assert.deepEqual(plan(pod, runtime, { previous: ranBefore, nowMs: deadlineMs }).over, {
      failure: {
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
    });
  });
});
