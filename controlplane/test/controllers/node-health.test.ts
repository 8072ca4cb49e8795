import assert from 'node:assert/strict';
import type { NodeCondition, Taint } from '../../src/api/node.ts';
import { toleratedSeconds } from '../../src/api/tolerations.ts';
import { EvictionGate } from '../../src/controllers/eviction-gate.ts';
import {
  observed,
  signOfLife,
  silentConditions,
  silentInMs,
  wantedTaints,
} from '../../src/controllers/node-health.ts';
import { at, node, T0 } from '../objects.ts';

const TIMES = { graceMs: 40_000, startupGraceMs: 60_000 };
const ready = (status: string, more: Partial<NodeCondition> = {}): NodeCondition => ({
  type: 'Ready',
  status,
  lastHeartbeatTime: T0,
  ...more,
});

describe('node health', () => {
  it('takes a new heartbeat or a renewed lease for life, and nothing else', () => {
    const subject = node('n');
    const first = observed(undefined, signOfLife(subject, 't1'), 0);
    assert.deepEqual(observed(first, signOfLife(subject, 't1'), 5000), first);
    assert.equal(observed(first, signOfLife(subject, 't2'), 5000).seenMs, 5000);
    const beat = node('n', { conditions: [ready('True', { lastHeartbeatTime: at(10) })] });
    assert.equal(observed(first, signOfLife(beat, 't1'), 7000).seenMs, 7000);
    const labelled = node('n', { labels: { a: 'b' } });
    assert.deepEqual(observed(first, signOfLife(labelled, 't1'), 9000), first);
  });

  it('does not take what it wrote itself for life', () => {
    for (const conditions of [[ready('True')], []]) {
      const subject = node('n', { conditions });
      const silent = node('n', { conditions: silentConditions(subject, at(60)) ?? [] });
      assert.equal(signOfLife(silent, 't'), signOfLife(subject, 't'));
      assert.equal(silentConditions(silent, at(90)), undefined);
    }
  });

  it('counts a node as silent after 40 s, one that never reported after 60 s', () => {
    const health = { sign: '', seenMs: 1000 };
    assert.equal(silentInMs(node('n'), health, TIMES, 1000), 40_000);
    assert.equal(silentInMs(node('n'), health, TIMES, 40_999), 1);
    assert.equal(silentInMs(node('n'), health, TIMES, 41_000), 0);
    assert.equal(silentInMs(node('n', { conditions: [] }), health, TIMES, 41_000), 20_000);
  });

  it('says of a silent node that nobody knows', () => {
    const [condition, ...others] = silentConditions(node('n'), at(50)) ?? [];
    assert.deepEqual(condition, {
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastHeartbeatTime: T0,
      lastTransitionTime: at(50),
    });
    assert.deepEqual(
      others.map(({ type, reason }) => [type, reason]),
      ['MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => [type, 'NodeStatusNeverUpdated']),
    );
  });
});

describe('node taints', () => {
  const NOT_READY = 'node.kubernetes.io/not-ready';
  const UNREACHABLE = 'node.kubernetes.io/unreachable';
  const own = (key: string, effect: string): Taint => ({ key, effect });
  const foreign = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };
  const now = at(9);
  const cases: readonly (readonly [
    what: string,
    conditions: readonly NodeCondition[],
    taints: readonly Taint[],
    mayEvict: boolean,
    unschedulable: boolean,
    expected: readonly Taint[] | undefined,
  ])[] = [
    ['well', [ready('True')], [foreign], true, false, undefined],
    [
      'well again',
      [ready('True')],
      [foreign, own(NOT_READY, 'NoSchedule'), own(NOT_READY, 'NoExecute')],
      true,
      false,
      [foreign],
    ],
    [
      'not ready',
      [ready('False')],
      [foreign],
      true,
      false,
      [foreign, own(NOT_READY, 'NoSchedule'), { ...own(NOT_READY, 'NoExecute'), timeAdded: now }],
    ],
    ['not ready, nobody is evicted now', [ready('False')], [], false, false, [own(NOT_READY, 'NoSchedule')]],
    [
      'silent',
      [ready('Unknown')],
      [own(NOT_READY, 'NoSchedule')],
      false,
      false,
      [own(UNREACHABLE, 'NoSchedule')],
    ],
    ['never heard of', [], [], false, false, [own(UNREACHABLE, 'NoSchedule')]],
    [
      'still silent: the time stays',
      [ready('Unknown')],
      [own(UNREACHABLE, 'NoSchedule'), { ...own(UNREACHABLE, 'NoExecute'), timeAdded: T0 }],
      true,
      false,
      undefined,
    ],
    [
      'full disk',
      [ready('True'), { type: 'DiskPressure', status: 'True' }],
      [],
      true,
      false,
      [own('node.kubernetes.io/disk-pressure', 'NoSchedule')],
    ],
    ['cordoned', [ready('True')], [], true, true, [own('node.kubernetes.io/unschedulable', 'NoSchedule')]],
  ];
  for (const [what, conditions, taints, mayEvict, unschedulable, expected] of cases) {
    it(what, () => {
      const subject = node('n', { conditions, spec: { taints, unschedulable } });
      assert.deepEqual(wantedTaints(subject, mayEvict, now), expected);
    });
  }

  it('lets pods stay as long as they tolerate all of it', () => {
    const taints = [own('a', 'NoExecute'), own('b', 'NoExecute'), own('c', 'NoSchedule')];
    const tolerating = (a: number | undefined, b: number | undefined): number =>
      toleratedSeconds(taints, [
        { key: 'a', operator: 'Exists', ...(a !== undefined && { tolerationSeconds: a }) },
        { key: 'b', operator: 'Exists', ...(b !== undefined && { tolerationSeconds: b }) },
      ]);
    assert.equal(tolerating(undefined, undefined), Infinity);
    assert.equal(tolerating(300, undefined), 300);
    assert.equal(tolerating(300, 20), 20);
    assert.equal(tolerating(-1, 20), 0);
    assert.equal(toleratedSeconds(taints, [{ key: 'a', operator: 'Exists' }]), 0);
    assert.equal(toleratedSeconds([], []), Infinity);
  });

  it('lets the first toleration count that covers a taint, and the shortest of all taints', () => {
    const taints = [own('a', 'NoExecute'), own('b', 'NoExecute')];
    const everything = { operator: 'Exists' };
    const a = { key: 'a', operator: 'Exists', tolerationSeconds: 20 };
    const b = { key: 'b', operator: 'Exists', tolerationSeconds: 300 };
    assert.equal(toleratedSeconds(taints, [everything, a, b]), Infinity);
    assert.equal(toleratedSeconds(taints, [a, everything, b]), 20);
    assert.equal(toleratedSeconds(taints, [b, everything, a]), 300);
    assert.equal(toleratedSeconds(taints, [b, { ...b, tolerationSeconds: 1 }, everything]), 300);
    assert.equal(toleratedSeconds(taints, [b, a]), 20);
  });

  it('begins to evict from one node in ten seconds', () => {
    const gate = new EvictionGate(0.1);
    assert.deepEqual(
      [0, 1, 9999, 10_000, 10_001, 20_000].map((ms) => gate.pass(ms)),
      [true, false, false, true, false, true],
    );
  });
});
