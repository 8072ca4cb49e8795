import assert from 'node:assert/strict';
import type { Deployment, ReplicaSet } from '../../src/api/workloads.ts';
import { newSetAnnotations, sizeAnnotations } from '../../src/controllers/deployment-annotations.ts';
import {
  maxSurge,
  maxUnavailable,
  newSetSize,
  sameTemplate,
  scaleSets,
  shrinkOldSets,
  sortSets,
  wasResized,
  type Resize,
} from '../../src/controllers/deployment-plan.ts';
import { deployment, replicaSet } from '../objects.ts';

const rolling = (surge: number | string, unavailable: number | string): Partial<Deployment['spec']> => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
});
const set = (name: string, size: number, available: number): ReplicaSet =>
  replicaSet(name, size, { status: { replicas: size, availableReplicas: available } });
const sizes = (resizes: readonly Resize[]): Record<string, number> =>
  Object.fromEntries(resizes.map(({ set: { metadata }, replicas }) => [metadata.name ?? '', replicas]));

describe('Deployment: bounds of an update', () => {
  const cases: readonly (readonly [
    surge: number | string,
    unavailable: number | string,
    replicas: number,
    expected: readonly [number, number],
  ])[] = [
    ['25%', '25%', 4, [1, 1]],
    ['25%', '25%', 3, [1, 0]],
    ['25%', '25%', 1, [1, 0]],
    [0, 0, 3, [0, 1]], // an update must be able to move
    [0, '10%', 3, [0, 1]],
    [2, 5, 3, [2, 3]],
    ['100%', '100%', 0, [0, 0]],
  ];
  for (const [surge, unavailable, replicas, expected] of cases) {
    it(`maxSurge ${surge}, maxUnavailable ${unavailable} of ${replicas}`, () => {
      const subject = deployment(replicas, rolling(surge, unavailable));
      assert.deepEqual([maxSurge(subject), maxUnavailable(subject)], expected);
    });
  }
});

describe('Deployment: size of the newest set', () => {
  const cases: readonly (readonly [
    what: string,
    Deployment,
    current: number | undefined,
    old: number,
    expected: number,
  ])[] = [
    ['first of all: everything', deployment(3), undefined, 0, 3],
    ['surge only', deployment(4, rolling(1, 0)), undefined, 4, 1],
    ['no room', deployment(4, rolling(1, 0)), 1, 4, 1],
    ['room after an old one went', deployment(4, rolling(1, 0)), 1, 3, 2],
    ['never above the wish', deployment(2, rolling(5, 0)), 1, 0, 2],
    ['recreate: everything', deployment(3, { strategy: { type: 'Recreate' } }), undefined, 0, 3],
  ];
  for (const [what, subject, current, old, expected] of cases) {
    it(what, () => {
      const sets = {
        current: current === undefined ? undefined : set('new', current, 0),
        old: [set('old', old, old)],
      };
      assert.equal(newSetSize(subject, sets), expected);
    });
  }
});

describe('Deployment: old sets', () => {
  const cases: readonly (readonly [
    what: string,
    Deployment,
    current: ReplicaSet,
    old: ReplicaSet[],
    expected: Record<string, number>,
  ])[] = [
    ['nothing new is available yet', deployment(4, rolling(1, 0)), set('new', 1, 0), [set('old', 4, 4)], {}],
    ['one new for one old', deployment(4, rolling(1, 0)), set('new', 1, 1), [set('old', 4, 4)], { old: 3 }],
    ['some may be missing', deployment(4, rolling(0, 2)), set('new', 0, 0), [set('old', 4, 4)], { old: 2 }],
    [
      'unhealthy ones go first',
      deployment(4, rolling(1, 0)),
      set('new', 1, 1),
      [set('old', 4, 1)],
      { old: 3 },
    ],
    [
      'of several, the oldest first',
      deployment(4, rolling(1, 1)),
      set('new', 2, 2),
      [set('older', 1, 1), set('old', 2, 2)],
      { older: 0, old: 1 },
    ],
    [
      'all new: the rest goes',
      deployment(2, rolling(1, 0)),
      set('new', 2, 2),
      [set('old', 1, 1)],
      { old: 0 },
    ],
  ];
  for (const [what, subject, current, old, expected] of cases) {
    it(what, () => assert.deepEqual(sizes(shrinkOldSets(subject, { current, old })), expected));
  }
});

describe('Deployment: resizing', () => {
  const sized = (name: string, size: number, before: number, max: number): ReplicaSet =>
    replicaSet(name, size, { metadata: { annotations: sizeAnnotations(before, max) } });

  it('sees by the annotations that the size changed', () => {
    const sets = { current: sized('new', 3, 3, 4), old: [] };
    assert.equal(wasResized(deployment(3), sets), false);
    assert.equal(wasResized(deployment(5), sets), true);
    assert.equal(wasResized(deployment(5), { current: sized('new', 0, 3, 4), old: [] }), false);
  });

  it('gives all to the only active set', () => {
    assert.deepEqual(
      sizes(scaleSets(deployment(5), { current: set('new', 3, 3), old: [set('old', 0, 0)] })),
      { new: 5 },
    );
    assert.deepEqual(sizes(scaleSets(deployment(5), { current: undefined, old: [set('old', 3, 3)] })), {
      old: 5,
    });
  });

  it('keeps the proportion during an update', () => {
    const subject = deployment(20, rolling(3, 2));
    const sets = { current: sized('new', 5, 10, 13), old: [sized('old', 8, 10, 13)] };
    // 23 pods for 13: 8 → 14 (8·23/13), 5 → 9 (5·23/13).
    assert.deepEqual(sizes(scaleSets(subject, sets)), { old: 14, new: 9 });
  });

  it('shrinks to nothing at once', () => {
    const sets = { current: sized('new', 5, 10, 13), old: [sized('old', 8, 10, 13)] };
    assert.deepEqual(sizes(scaleSets(deployment(0), sets)), { old: 0, new: 0 });
  });
});

describe('Deployment: sets and templates', () => {
  it('knows its set by the template, whatever the hash and what is empty', () => {
    const subject = deployment(1, { image: 'b' });
    const sets = [replicaSet('one', 1, { image: 'a' }), replicaSet('two', 1, { image: 'b' })];
    const { current, old } = sortSets(subject, sets);
    assert.equal(current?.metadata.name, 'two');
    assert.deepEqual(
      old.map(({ metadata }) => metadata.name),
      ['one'],
    );
    const { template } = subject.spec;
    const noisy = {
      ...template,
      metadata: { ...template.metadata, creationTimestamp: null, annotations: {} },
    };
    assert.equal(sameTemplate(template, noisy), true);
  });

  it('raises the revision of a set that is used again, and keeps its history', () => {
    const subject = {
      ...deployment(1),
      metadata: { name: 'web', annotations: { note: 'x', 'deployment.kubernetes.io/revision': '9' } },
    };
    const first = newSetAnnotations(subject, {}, 1);
    assert.deepEqual(first, { note: 'x', 'deployment.kubernetes.io/revision': '1' });
    const third = newSetAnnotations(subject, newSetAnnotations(subject, first, 3), 5);
    assert.deepEqual(third, {
      note: 'x',
      'deployment.kubernetes.io/revision': '5',
      'deployment.kubernetes.io/revision-history': '1,3',
    });
    assert.deepEqual(newSetAnnotations(subject, third, 2), third);
  });
});

describe('Deployment: an update from beginning to end', () => {
  for (const [surge, unavailable] of [
    [1, 0],
    [0, 1],
    ['25%', '25%'],
    ['100%', 0],
    [2, 2],
  ] as const) {
    it(`keeps its bounds with maxSurge ${surge}, maxUnavailable ${unavailable}`, () => {
      const subject = deployment(7, rolling(surge, unavailable));
      let old = set('old', 7, 7);
      let current = set('new', 0, 0);
      for (let step = 0; step < 50 && (old.spec.replicas > 0 || current.spec.replicas < 7); step += 1) {
        const grown = newSetSize(subject, { current, old: [old] });
        current = set('new', grown, current.status?.availableReplicas ?? 0);
        const shrunk = sizes(shrinkOldSets(subject, { current, old: [old] }))['old'] ?? old.spec.replicas;
        old = set('old', shrunk, shrunk);
        const available = (current.status?.availableReplicas ?? 0) + shrunk;
        assert.ok(grown + shrunk <= 7 + maxSurge(subject), 'too many pods');
        assert.ok(available >= 7 - maxUnavailable(subject), 'too few available');
        current = set('new', grown, grown); // all become available
      }
      assert.deepEqual([old.spec.replicas, current.spec.replicas], [0, 7]);
    });
  }
});
