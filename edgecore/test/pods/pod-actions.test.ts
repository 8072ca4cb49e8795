import assert from 'node:assert/strict';
import { hasFinished, planEnd, planRun, restartDelayMs } from '../../src/pods/pod-actions.ts';
import type { Pod } from '../../src/pods/pod.ts';
import type { RuntimeContainer, RuntimePod } from '../../src/runtime/pod-runtime.ts';
import { makePod } from '../../testing/index.ts';

const NOW = 1_000_000_000;

function container(name: string, wish: Partial<RuntimeContainer> = {}): RuntimeContainer {
  const base = { name, id: `x://${name}`, attempt: 0, image: 'i', imageId: 'i', state: 'running' as const };
  return { ...base, startedAtMs: NOW - 20_000, ...wish };
}

function exited(name: string, exitCode: number, wish: Partial<RuntimeContainer> = {}): RuntimeContainer {
  return container(name, { state: 'exited', exitCode, finishedAtMs: NOW - 1_000, ...wish });
}

function runtime(containers: readonly RuntimeContainer[], ready = true): RuntimePod {
  const sandbox = { id: 's', ready, createdAtMs: NOW, ips: [] };
  return { uid: 'uid-a', namespace: 'default', name: 'a', sandbox, containers };
}

/** `planRun` in short: what is started, in order. */
function started(pod: Pod, present: RuntimePod | undefined): readonly string[] {
  return planRun(pod, present, NOW).actions.map((action) =>
    action.do === 'start-container' ? `${action.container}#${action.attempt}` : action.do,
  );
}

const two = makePod('a', { spec: { containers: [{ name: 'one' }, { name: 'two' }] } });
const inits = makePod('a', {
  spec: {
    initContainers: [{ name: 'first' }, { name: 'sidecar', restartPolicy: 'Always' }, { name: 'second' }],
    containers: [{ name: 'main' }],
  },
});

describe('what to do so that a pod runs', () => {
  const cases: readonly [string, Pod, RuntimePod | undefined, readonly string[]][] = [
    ['nothing there: a sandbox', two, undefined, ['create-sandbox']],
    ['a sandbox: all containers', two, runtime([]), ['one#0', 'two#0']],
    [
      'one was made and not started: both',
      two,
      runtime([container('one', { state: 'created' })]),
      ['one#0', 'two#0'],
    ],
    ['one runs: the other', two, runtime([container('one')]), ['two#0']],
    ['all run: nothing', two, runtime([container('one'), container('two')]), []],
    ['first exit: again at once', two, runtime([exited('one', 1), container('two')]), ['one#1']],
    ['exit with 0, always: again', two, runtime([exited('one', 0), container('two')]), ['one#1']],
    [
      'second exit: not before its time',
      two,
      runtime([exited('one', 1, { attempt: 1 }), container('two')]),
      [],
    ],
    [
      'second exit, 10 s later: again',
      two,
      runtime([exited('one', 1, { attempt: 1, finishedAtMs: NOW - 10_000 }), container('two')]),
      ['one#2'],
    ],
    ['init containers one by one', inits, runtime([]), ['first#0']],
    ['the first runs: wait', inits, runtime([container('first')]), []],
    ['the first failed: again', inits, runtime([exited('first', 1)]), ['first#1']],
    ['the first is done: the sidecar', inits, runtime([exited('first', 0)]), ['sidecar#0']],
    [
      'the sidecar runs: the second',
      inits,
      runtime([exited('first', 0), container('sidecar')]),
      ['second#0'],
    ],
    [
      'all done: the containers',
      inits,
      runtime([exited('first', 0), container('sidecar'), exited('second', 0)]),
      ['main#0'],
    ],
    [
      'a sidecar that died is started again beside the others',
      inits,
      runtime([exited('first', 0), exited('sidecar', 0), exited('second', 0), container('main')]),
      ['sidecar#1'],
    ],
  ];
  for (const [title, pod, present, wanted] of cases) {
    it(title, () => assert.deepEqual(started(pod, present), wanted));
  }

  it('looks again when a back-off runs out', () => {
    const plan = planRun(two, runtime([exited('one', 1, { attempt: 2 }), container('two')]), NOW);
    assert.equal(plan.lookAgainAtMs, NOW - 1_000 + 20_000);
  });

  it('removes a sandbox that is not ready, with what is in it', () => {
    const plan = planRun(two, runtime([container('one')], false), NOW);
    assert.equal(plan.remove, true);
    assert.deepEqual(plan.actions, []);
  });

  it('does not start again what its policy lets end', () => {
    const onFailure = makePod('a', { spec: { restartPolicy: 'OnFailure' } });
    const never = makePod('a', { spec: { restartPolicy: 'Never' } });
    assert.deepEqual(started(onFailure, runtime([exited('main', 0)])), []);
    assert.deepEqual(started(onFailure, runtime([exited('main', 3)])), ['main#1']);
    assert.deepEqual(started(never, runtime([exited('main', 3)])), []);
    assert.equal(hasFinished(onFailure, runtime([exited('main', 0)])), true);
    assert.equal(hasFinished(onFailure, runtime([exited('main', 3)])), false);
    assert.equal(hasFinished(never, runtime([exited('main', 3)])), true);
    assert.equal(hasFinished(makePod('a'), runtime([exited('main', 0)])), false);
  });

  it('lets a pod end whose init container failed and may not be started again', () => {
    const pod = makePod('a', { spec: { restartPolicy: 'Never', initContainers: [{ name: 'first' }] } });
    assert.deepEqual(started(pod, runtime([exited('first', 1)])), []);
    assert.equal(hasFinished(pod, runtime([exited('first', 1)])), true);
  });

  it('waits 10 s, doubled up to 5 min, and not at all after a good run', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 7, 60].map((attempt) => restartDelayMs(exited('x', 1, { attempt })));
    assert.deepEqual(delays, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
    const long = exited('x', 1, { attempt: 9, startedAtMs: NOW - 601_000, finishedAtMs: NOW - 1_000 });
    assert.equal(restartDelayMs(long), 0);
  });
});

describe('what to do so that a pod ends', () => {
  const deleted = makePod('a', {
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 7 },
    spec: {
      initContainers: [
        { name: 's1', restartPolicy: 'Always' },
        { name: 's2', restartPolicy: 'Always' },
      ],
    },
  });

  it('kills containers first, then sidecars from the last to the first, with its grace', () => {
    const kills = (...names: string[]): unknown =>
      planEnd(deleted, runtime(names.map((name) => container(name)))).actions;
    const kill = (name: string): unknown => ({ do: 'kill-container', container: name, graceSeconds: 7 });
    assert.deepEqual(kills('s1', 's2', 'main'), [kill('main')]);
    assert.deepEqual(kills('s1', 's2'), [kill('s2')]);
    assert.deepEqual(kills('s1'), [kill('s1')]);
  });

  it('forgets the sandbox once nothing runs, and has ended once it is gone', () => {
    assert.deepEqual(planEnd(deleted, runtime([exited('main', 0)])), {
      actions: [],
      remove: true,
      ended: false,
    });
    assert.deepEqual(planEnd(deleted, undefined), { actions: [], remove: false, ended: true });
  });

  it('takes the grace of the spec where the deletion names none, and 30 s where there is neither', () => {
    const graceOf = (pod: Pod): unknown => planEnd(pod, runtime([container('main')])).actions[0];
    const expected = (graceSeconds: number): unknown => ({
      do: 'kill-container',
      container: 'main',
      graceSeconds,
    });
    assert.deepEqual(graceOf(makePod('a', { spec: { terminationGracePeriodSeconds: 3 } })), expected(3));
    const { containers } = makePod('a').spec;
    assert.deepEqual(graceOf({ ...makePod('a'), spec: { containers } }), expected(30));
  });

  it('ends what runs of a pod that is not known any more', () => {
    assert.equal(planEnd(undefined, runtime([container('main')])).remove, true);
  });
});
