import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import type { Node } from '../../src/api/node.ts';
import type { Pod } from '../../src/api/pod.ts';
import { decide } from '../../src/scheduler/decision.ts';
import { refusals } from '../../src/scheduler/filters.ts';
import { unsupportedConstraints } from '../../src/scheduler/unsupported.ts';
import { node, pod, readyPod, replicaSet } from '../objects.ts';

const taint = (effect: string, key = 'k', value = 'v'): Node['spec'] => ({
  taints: [{ key, value, effect }],
});
const requiring = (terms: object[]): Partial<Pod['spec']> => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
  },
});
const MISMATCH = "node(s) didn't match Pod's node affinity/selector";

describe('scheduler: filters', () => {
  const cases: readonly (readonly [
    what: string,
    pod: Pod,
    node: Node,
    reasons: readonly string[],
    pods?: readonly Pod[],
  ])[] = [
    ['plain pod on plain node', pod('a'), node('n'), []],
    ['cordoned node', pod('a'), node('n', { spec: { unschedulable: true } }), ['node(s) were unschedulable']],
    [
      'cordoned node, tolerated',
      pod('a', { spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] } }),
      node('n', { spec: { unschedulable: true } }),
      [],
    ],
    [
      'NoSchedule taint',
      pod('a'),
      node('n', { spec: taint('NoSchedule') }),
      ['node(s) had untolerated taint {k: v}'],
    ],
    [
      'NoExecute taint',
      pod('a'),
      node('n', { spec: taint('NoExecute', 'k', '') }),
      ['node(s) had untolerated taint {k: }'],
    ],
    ['PreferNoSchedule taint', pod('a'), node('n', { spec: taint('PreferNoSchedule') }), []],
    [
      'taint tolerated by value',
      pod('a', { spec: { tolerations: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } }),
      node('n', { spec: taint('NoSchedule') }),
      [],
    ],
    [
      'taint tolerated for another value',
      pod('a', { spec: { tolerations: [{ key: 'k', value: 'w' }] } }),
      node('n', { spec: taint('NoSchedule') }),
      ['node(s) had untolerated taint {k: v}'],
    ],
    [
      'everything tolerated',
      pod('a', { spec: { tolerations: [{ operator: 'Exists' }] } }),
      node('n', { spec: taint('NoExecute') }),
      [],
    ],
    [
      'node selector',
      pod('a', { spec: { nodeSelector: { zone: 'x' } } }),
      node('n', { labels: { zone: 'x' } }),
      [],
    ],
    [
      'node selector, other value',
      pod('a', { spec: { nodeSelector: { zone: 'x' } } }),
      node('n', { labels: { zone: 'y' } }),
      [MISMATCH],
    ],
    [
      'affinity: one of two terms fits',
      pod('a', {
        spec: requiring([
          { matchExpressions: [{ key: 'gone', operator: 'Exists' }] },
          { matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['3'] }] },
        ]),
      }),
      node('n', { labels: { cores: '10' } }),
      [],
    ],
    [
      'affinity: numbers are compared as numbers',
      pod('a', {
        spec: requiring([{ matchExpressions: [{ key: 'cores', operator: 'Lt', values: ['9'] }] }]),
      }),
      node('n', { labels: { cores: '10' } }),
      [MISMATCH],
    ],
    [
      'affinity: by the name of the node',
      pod('a', {
        spec: requiring([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }]),
      }),
      node('n'),
      [],
    ],
    [
      'affinity: by another name',
      pod('a', {
        spec: requiring([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['m'] }] }]),
      }),
      node('n'),
      [MISMATCH],
    ],
    ['affinity: an empty term fits nothing', pod('a', { spec: requiring([{}]) }), node('n'), [MISMATCH]],
    [
      'affinity: NotIn holds for a label that is not there',
      pod('a', { spec: requiring([{ matchExpressions: [{ key: 'z', operator: 'NotIn', values: ['1'] }] }]) }),
      node('n'),
      [],
    ],
    ['exactly all processors', pod('a', { requests: { cpu: '4' } }), node('n'), []],
    ['too many processors', pod('a', { requests: { cpu: '4001m' } }), node('n'), ['Insufficient cpu']],
    [
      'several resources',
      pod('a', { requests: { cpu: '5', memory: '9Gi', 'example.com/gpu': '1' } }),
      node('n'),
      ['Insufficient cpu', 'Insufficient memory', 'Insufficient example.com/gpu'],
    ],
    [
      'what others have taken',
      pod('a', { requests: { cpu: '2' } }),
      node('n'),
      ['Insufficient cpu'],
      [readyPod('b', 'n', { requests: { cpu: '2500m' } })],
    ],
    [
      'no room for another pod',
      pod('a'),
      node('n', { allocatable: { cpu: '1', pods: '1' } }),
      ['Too many pods'],
      [readyPod('b', 'n')],
    ],
    [
      'a port of the host that is taken',
      pod('a', { spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] } }),
      node('n'),
      ["node(s) didn't have free ports for the requested pod ports"],
      [
        readyPod('b', 'n', {
          spec: {
            containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80, hostIP: '10.0.0.1' }] }],
          },
        }),
      ],
    ],
    [
      'the same port of another protocol',
      pod('a', {
        spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80, protocol: 'UDP' }] }] },
      }),
      node('n'),
      [],
      [
        readyPod('b', 'n', {
          spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] },
        }),
      ],
    ],
  ];
  for (const [what, candidate, target, reasons, pods = []] of cases) {
    it(what, () => assert.deepEqual(refusals(candidate, { node: target, pods }), reasons));
  }

  it('counts the largest init container, not their sum, and what runs beside', () => {
    const requests = (cpu: string): object => ({ resources: { requests: { cpu } } });
    const spec = {
      containers: [{ name: 'a', ...requests('1') }],
      initContainers: [
        { name: 'sidecar', restartPolicy: 'Always', ...requests('1') },
        { name: 'i1', ...requests('3') },
        { name: 'i2', ...requests('2') },
      ],
    };
    const fits = node('n', { allocatable: { cpu: '4', pods: '9' } });
    const tight = node('n', { allocatable: { cpu: '3999m', pods: '9' } });
    assert.deepEqual(refusals(pod('a', { spec }), { node: fits, pods: [] }), []);
    assert.deepEqual(refusals(pod('a', { spec }), { node: tight, pods: [] }), ['Insufficient cpu']);
  });
});

describe('scheduler: what it does not know', () => {
  it('is named, if it is a hard constraint', () => {
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: {} };
    const hard = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
    const soft = { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] };
    const spread = (whenUnsatisfiable: string): object[] => [{ maxSkew: 1, whenUnsatisfiable }];
    assert.deepEqual(unsupportedConstraints(pod('a')), []);
    const mild = { affinity: { podAffinity: soft }, topologySpreadConstraints: spread('ScheduleAnyway') };
    assert.deepEqual(unsupportedConstraints(pod('a', { spec: mild })), []);
    const strict = {
      affinity: { podAntiAffinity: hard },
      topologySpreadConstraints: spread('DoNotSchedule'),
    };
    assert.deepEqual(unsupportedConstraints(pod('a', { spec: strict })), [
      'spec.affinity.podAntiAffinity',
      'spec.topologySpreadConstraints',
    ]);
  });
});

describe('scheduler: decision', () => {
  const random = seededRandom(1);

  it('says why no node fits, in the words of kube-scheduler', () => {
    const states = [
      { node: node('a', { spec: taint('NoSchedule') }), pods: [] },
      { node: node('b', { allocatable: { cpu: '1', memory: '1Gi', pods: '9' } }), pods: [] },
      { node: node('c', { allocatable: { cpu: '1', memory: '9Gi', pods: '9' } }), pods: [] },
    ];
    assert.deepEqual(decide(pod('x', { requests: { cpu: '2', memory: '2Gi' } }), states, random), {
      nodeName: undefined,
      message:
        '0/3 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint {k: v}, 2 Insufficient cpu.',
    });
    assert.deepEqual(decide(pod('x'), [], random), {
      nodeName: undefined,
      message: 'no nodes available to schedule pods',
    });
  });

  it('prefers the node with more room', () => {
    const states = [
      { node: node('full'), pods: [readyPod('p', 'full', { requests: { cpu: '3', memory: '6Gi' } })] },
      { node: node('free'), pods: [] },
    ];
    assert.deepEqual(decide(pod('x', { requests: { cpu: '100m' } }), states, random), { nodeName: 'free' });
  });

  it('spreads the pods of one controller, though they ask for nothing', () => {
    const owner = replicaSet('web', 3);
    const states = [
      {
        node: node('a', { allocatable: { cpu: '64', memory: '64Gi', pods: '99' } }),
        pods: [readyPod('p', 'a', { owner })],
      },
      { node: node('b'), pods: [readyPod('q', 'b')] },
    ];
    assert.deepEqual(decide(pod('x', { owner }), states, random), { nodeName: 'b' });
  });

  it('follows preferred affinity, and stays away from PreferNoSchedule', () => {
    const preferred = {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] },
            },
          ],
        },
      },
    };
    const states = [
      { node: node('a'), pods: [] },
      { node: node('b', { labels: { disk: 'ssd' } }), pods: [] },
    ];
    assert.deepEqual(decide(pod('x', { spec: preferred }), states, random), { nodeName: 'b' });
    const tainted = [
      { node: node('a', { spec: taint('PreferNoSchedule') }), pods: [] },
      { node: node('b'), pods: [] },
    ];
    assert.deepEqual(decide(pod('x'), tainted, random), { nodeName: 'b' });
  });

  it('chooses among equals by chance, and all of them', () => {
    const states = ['a', 'b', 'c'].map((name) => ({ node: node(name), pods: [] }));
    const chosen = new Set(Array.from({ length: 60 }, () => decide(pod('x'), states, random).nodeName));
    assert.deepEqual([...chosen].sort(), ['a', 'b', 'c']);
  });
});
