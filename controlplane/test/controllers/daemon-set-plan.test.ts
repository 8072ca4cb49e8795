import assert from 'node:assert/strict';
import type { Node } from '../../src/api/node.ts';
import type { Pod } from '../../src/api/pod.ts';
import {
  affinityToNode,
  daemonStatus,
  daemonTolerations,
  eligibility,
  planDaemons,
  planUpdate,
  REVISION_LABEL,
  targetNode,
} from '../../src/controllers/daemon-set-plan.ts';
import { at, daemonSet, node, pod, readyPod, T0, T0_MS, type PodOptions } from '../objects.ts';

const NOW = T0_MS + 60_000;
const of = (revision: string, more: PodOptions = {}): PodOptions => ({
  ...more,
  metadata: { labels: { app: 'agent', [REVISION_LABEL]: revision }, ...more.metadata },
});
const tainted = (key: string, effect: string): Node['spec'] => ({ taints: [{ key, effect }] });
const names = (pods: readonly Pod[]): (string | undefined)[] => pods.map(({ metadata }) => metadata.name);

describe('DaemonSet: which nodes', () => {
  const cases: readonly (readonly [
    what: string,
    set: ReturnType<typeof daemonSet>,
    node: Node,
    run: boolean,
    stay: boolean,
  ])[] = [
    ['a plain one', daemonSet(), node('n'), true, true],
    [
      'a cordoned one',
      daemonSet(),
      node('n', {
        spec: {
          unschedulable: true,
          taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
        },
      }),
      true,
      true,
    ],
    [
      'an unreachable one',
      daemonSet(),
      node('n', { spec: tainted('node.kubernetes.io/unreachable', 'NoExecute') }),
      true,
      true,
    ],
    ['one that takes no pods', daemonSet(), node('n', { spec: tainted('k', 'NoSchedule') }), false, true],
    ['one that bears no pods', daemonSet(), node('n', { spec: tainted('k', 'NoExecute') }), false, false],
    [
      'one with a network',
      daemonSet({}, { hostNetwork: true }),
      node('n', { spec: tainted('node.kubernetes.io/network-unavailable', 'NoSchedule') }),
      true,
      true,
    ],
    [
      'one without, and a pod that needs it',
      daemonSet(),
      node('n', { spec: tainted('node.kubernetes.io/network-unavailable', 'NoSchedule') }),
      false,
      true,
    ],
    ['one that is not selected', daemonSet({}, { nodeSelector: { a: 'b' } }), node('n'), false, false],
    ['another than that named', daemonSet({}, { nodeName: 'm' }), node('n'), false, false],
  ];
  for (const [what, set, target, run, stay] of cases) {
    it(what, () => assert.deepEqual(eligibility(set, target), { run, stay }));
  }

  it('ties pods to their node by affinity, and keeps what is preferred', () => {
    const preferred = [{ weight: 1, preference: {} }];
    const spec = {
      containers: [],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [] }] },
          preferredDuringSchedulingIgnoredDuringExecution: preferred,
        },
      },
    };
    const affinity = affinityToNode(spec, 'n1');
    assert.deepEqual(affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution, preferred);
    assert.equal(targetNode(pod('a', { spec: { affinity } })), 'n1');
    assert.equal(targetNode(readyPod('a', 'n2')), 'n2');
    assert.equal(targetNode(pod('a')), undefined);
    assert.equal(daemonTolerations({ containers: [] }).length, 6);
  });
});

describe('DaemonSet: plan', () => {
  const set = daemonSet();
  const nodes = ['n1', 'n2', 'n3'].map((name) => node(name));

  it('makes what is missing; removes what is too much, ended or misplaced', () => {
    const pods = [
      readyPod('a', 'n1', of('r')),
      readyPod(
        'a2',
        'n1',
        of('r', { metadata: { creationTimestamp: at(1), labels: { [REVISION_LABEL]: 'r' } } }),
      ),
      pod('b', of('r', { spec: { nodeName: 'n2' }, status: { phase: 'Failed' } })),
    ];
    const plan = planDaemons(set, nodes, pods, 'r', NOW);
    assert.deepEqual([plan.create, names(plan.remove), names(plan.failed)], [['n3'], ['a2', 'b'], ['b']]);
    const bad = [node('n1', { spec: tainted('k', 'NoExecute') })];
    assert.deepEqual(names(planDaemons(set, bad, [readyPod('a', 'n1')], 'r', NOW).remove), ['a']);
  });

  it('waits for a pod that is going', () => {
    const going = readyPod('a', 'n1', { metadata: { deletionTimestamp: T0 } });
    const plan = planDaemons(set, [node('n1')], [going], 'r', NOW);
    assert.deepEqual([plan.create, plan.remove], [[], []]);
  });

  it('updates no more nodes at a time than may be without a pod', () => {
    const pods = nodes.map(({ metadata }) =>
      readyPod(`old-${metadata.name ?? ''}`, metadata.name ?? '', of('r1')),
    );
    assert.deepEqual(names(planUpdate(set, nodes, pods, 'r2', NOW).remove), ['old-n1']);
    const starting = [pod('new-n1', of('r2', { spec: { nodeName: 'n1' } })), ...pods.slice(1)];
    assert.deepEqual(planUpdate(set, nodes, starting, 'r2', NOW).remove, []);
    const started = [readyPod('new-n1', 'n1', of('r2')), ...pods.slice(1)];
    assert.deepEqual(names(planUpdate(set, nodes, started, 'r2', NOW).remove), ['old-n2']);
    const two = daemonSet({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } },
    });
    assert.equal(planUpdate(two, nodes, pods, 'r2', NOW).remove.length, 2);
    const manual = daemonSet({ updateStrategy: { type: 'OnDelete' } });
    assert.deepEqual(planUpdate(manual, nodes, pods, 'r2', NOW), { create: [], remove: [] });
  });

  it('replaces a pod that does not run at once', () => {
    const pods = [
      readyPod('a', 'n1', of('r1')),
      pod('b', of('r1', { spec: { nodeName: 'n2' } })),
      readyPod('c', 'n3', of('r1')),
    ];
    assert.deepEqual(names(planUpdate(set, nodes, pods, 'r2', NOW).remove), ['b']);
  });

  it('with surge, makes the new pod first, and removes the old one when the new one is available', () => {
    const surging = daemonSet({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    const one = [node('n1')];
    const old = readyPod('old', 'n1', of('r1'));
    assert.deepEqual(planUpdate(surging, one, [old], 'r2', NOW), { create: ['n1'], remove: [] });
    const starting = [old, pod('new', of('r2', { spec: { nodeName: 'n1' } }))];
    assert.deepEqual(planDaemons(surging, one, starting, 'r2', NOW).remove, []);
    assert.deepEqual(planUpdate(surging, one, starting, 'r2', NOW), { create: [], remove: [] });
    const both = [old, readyPod('new', 'n1', of('r2'))];
    assert.deepEqual(names(planDaemons(surging, one, both, 'r2', NOW).remove), ['old']);
  });

  it('counts', () => {
    const all = [...nodes, node('n4', { spec: tainted('k', 'NoSchedule') })];
    const pods = [
      readyPod('a', 'n1', of('r2')),
      pod('b', of('r1', { spec: { nodeName: 'n2' } })),
      readyPod('d', 'n4', of('r1')),
    ];
    assert.deepEqual(daemonStatus(set, all, pods, 'r2', NOW), {
      observedGeneration: 1,
      currentNumberScheduled: 2,
      desiredNumberScheduled: 3,
      numberMisscheduled: 1,
      numberReady: 1,
      updatedNumberScheduled: 1,
      numberAvailable: 1,
      numberUnavailable: 2,
    });
  });
});
