import assert from 'node:assert/strict';
import { planEnd } from '../../src/pods/plan-end.ts';
import { graceSeconds } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/index.ts';
import { exited, running, runtimePod, sandbox } from './runtime-pods.ts';

const pod = makePod('a', {
  spec: {
    initContainers: [
      { name: 's1', restartPolicy: 'Always' },
      { name: 's2', restartPolicy: 'Always' },
    ],
  },
});
const kill = (name: string, ...after: string[]): unknown => ({
  do: 'kill-container',
  id: `${name}-0`,
  name,
  message: `Stopping container ${name}`,
  graceSeconds: 7,
  ...(after.length > 0 && { after }),
});

describe('what to do so that a pod ends', () => {
  it('kills all at once; a sidecar waits for the containers, and for those after it', () => {
    const runtime = runtimePod([running('s1'), running('s2'), running('main')]);
    assert.deepEqual(planEnd(pod, runtime, 7, true), {
      actions: [kill('s1', 'main', 's2'), kill('s2', 'main'), kill('main')],
      stopped: false,
      done: false,
    });
    const rest = planEnd(pod, runtimePod([running('s1'), exited('main', 0)]), 7, true);
    assert.deepEqual(rest.actions, [kill('s1', 's2')]);
  });

  it('stops and removes its sandboxes once nothing runs, and has ended once they are gone', () => {
    const runtime = runtimePod(
      [exited('main', 0, { attempt: 1 }), exited('main', 1)],
      [sandbox(1), sandbox(0, { ready: false })],
    );
    assert.deepEqual(planEnd(pod, runtime, 7, true), {
      actions: [
        { do: 'stop-sandbox', id: 's1' },
        { do: 'remove-container', id: 'main-1', name: 'main' },
        { do: 'remove-container', id: 'main-0', name: 'main' },
        { do: 'remove-sandbox', id: 's1' },
        { do: 'stop-sandbox', id: 's0' },
        { do: 'remove-sandbox', id: 's0' },
      ],
      stopped: true,
      done: false,
    });
    assert.deepEqual(planEnd(pod, undefined, 7, true), { actions: [], stopped: true, done: true });
  });

  it('keeps what is dead of a pod that ended by itself', () => {
    const runtime = runtimePod([exited('main', 0)]);
    const stop = { do: 'stop-sandbox', id: 's0' };
    assert.deepEqual(planEnd(pod, runtime, 7, false), { actions: [stop], stopped: true, done: false });
    const stopped = runtimePod([exited('main', 0)], [sandbox(0, { ready: false })]);
    assert.deepEqual(planEnd(pod, stopped, 7, false), { actions: [], stopped: true, done: true });
  });

  it('ends what runs of a pod that is not known any more', () => {
    assert.deepEqual(planEnd(undefined, runtimePod([running('main')]), 7, true).actions, [kill('main')]);
  });

  it('takes the grace of the deletion, of the spec, or 30 s', () => {
    assert.equal(graceSeconds(makePod('a', { metadata: { deletionGracePeriodSeconds: 0 } })), 0);
    assert.equal(graceSeconds(makePod('a', { spec: { terminationGracePeriodSeconds: 3 } })), 3);
    const { containers } = makePod('a').spec;
    assert.equal(graceSeconds({ ...makePod('a'), spec: { containers } }), 30);
    assert.equal(graceSeconds(undefined), 30);
  });
});
