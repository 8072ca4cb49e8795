import assert from 'node:assert/strict';
import type { PodStatus } from '../../src/api/pod.ts';
import {
  BURST_REPLICAS,
  planReplicas,
  rankForDeletion,
  replicaSetStatus,
} from '../../src/controllers/replica-set-plan.ts';
import { at, pod, readyPod, replicaSet, T0, T0_MS } from '../objects.ts';

const names = (pods: readonly { metadata: { name?: string } }[]): (string | undefined)[] =>
  pods.map(({ metadata }) => metadata.name);

describe('ReplicaSet: plan', () => {
  const many = (count: number): ReturnType<typeof pod>[] =>
    Array.from({ length: count }, (_, i) => pod(`p${i}`));
  const cases: readonly (readonly [
    what: string,
    replicas: number,
    pods: ReturnType<typeof pod>[],
    create: number,
    remove: number,
  ])[] = [
    ['enough', 2, many(2), 0, 0],
    ['too few', 3, many(1), 2, 0],
    ['too many', 1, many(4), 0, 3],
    ['none wanted, none there', 0, [], 0, 0],
    [
      'ended pods do not count',
      1,
      [pod('a', { status: { phase: 'Succeeded' } }), pod('b', { status: { phase: 'Failed' } })],
      1,
      0,
    ],
    [
      'pods that are being deleted do not count',
      1,
      [pod('a', { metadata: { deletionTimestamp: T0 } })],
      1,
      0,
    ],
    ['no more than a burst', BURST_REPLICAS + 5, [], BURST_REPLICAS, 0],
  ];
  for (const [what, replicas, pods, create, remove] of cases) {
    it(what, () => {
      const plan = planReplicas(replicaSet('s', replicas), pods);
      assert.deepEqual([plan.create, plan.remove.length], [create, remove]);
    });
  }

  it('deletes the least valuable first', () => {
    const unready = { conditions: [{ type: 'Ready', status: 'False' }] };
    const since = (time: string): PodStatus => ({
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }],
    });
    const pods = [
      readyPod('old', 'n1'),
      readyPod('young', 'n2', { metadata: { creationTimestamp: at(9) } }),
      readyPod('late', 'n3', { status: since(at(5)) }),
      readyPod('crowded', 'n4'),
      readyPod('crowded-too', 'n4', { metadata: { creationTimestamp: at(1) } }),
      readyPod('cheap', 'n5', {
        metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-1' } },
      }),
      readyPod('unready', 'n6', { status: { phase: 'Running', ...unready } }),
      pod('starting', { spec: { nodeName: 'n7' }, status: { phase: 'Pending' } }),
      pod('waiting', { status: { phase: 'Pending' } }),
    ];
    const order = [
      'waiting',
      'starting',
      'unready',
      'cheap',
      'crowded-too',
      'crowded',
      'late',
      'young',
      'old',
    ];
    assert.deepEqual(names(rankForDeletion(pods)), order);
    assert.deepEqual(names(rankForDeletion([...pods].reverse())), order);
  });
});

describe('ReplicaSet: status', () => {
  const clock = { now: at(30), nowMs: T0_MS + 30_000 };
  const labels = { app: 'web', 'pod-template-hash': 's' };

  it('counts pods that are there, ready, and ready long enough', () => {
    const set = replicaSet('s', 3, { minReadySeconds: 20 });
    const late = { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(15) }] };
    const pods = [
      readyPod('a', 'n', { metadata: { labels } }),
      readyPod('b', 'n', { status: late, metadata: { labels: { app: 'web' } } }),
      pod('c', { metadata: { labels } }),
      pod('gone', { metadata: { labels, deletionTimestamp: T0 } }),
    ];
    assert.deepEqual(replicaSetStatus(set, pods, undefined, clock), {
      replicas: 3,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 1,
    });
  });

  it('keeps the time of a failure while it lasts, and forgets it afterwards', () => {
    const failure = { reason: 'FailedCreate', message: 'quota' } as const;
    const first = replicaSetStatus(replicaSet('s', 1), [], failure, { now: T0, nowMs: T0_MS });
    const condition = { type: 'ReplicaFailure', status: 'True', ...failure, lastTransitionTime: T0 };
    assert.deepEqual(first.conditions, [condition]);
    const set = replicaSet('s', 1, { status: first });
    assert.deepEqual(replicaSetStatus(set, [], failure, clock).conditions, [condition]);
    assert.equal(replicaSetStatus(set, [], undefined, clock).conditions, undefined);
  });
});
