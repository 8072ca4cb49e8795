import assert from 'node:assert/strict';
import type { OwnerReference } from '@hawser/kube';
import {
  awaits,
  blocks,
  judge,
  type GarbageAction,
  type OwnerState,
} from '../../src/controllers/garbage-plan.ts';
import { pod, T0, type PodOptions } from '../objects.ts';

const owner = (uid: string, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  blockOwnerDeletion,
});

describe('garbage collection: verdict', () => {
  const cases: readonly (readonly [
    what: string,
    states: readonly OwnerState[],
    hasDependents: boolean,
    metadata: NonNullable<PodOptions['metadata']>,
    expected: GarbageAction,
  ])[] = [
    ['no owners', [], false, {}, { type: 'nothing' }],
    ['its owner is there', ['present'], false, {}, { type: 'nothing' }],
    ['its owner is gone', ['absent'], false, {}, { type: 'delete', propagation: 'Background' }],
    ['all owners are gone', ['absent', 'absent'], false, {}, { type: 'delete', propagation: 'Background' }],
    ['one of two is gone', ['present', 'absent'], false, {}, { type: 'dropOwners', uids: ['o1'] }],
    [
      'one of two waits in the foreground',
      ['present', 'waiting'],
      false,
      {},
      { type: 'dropOwners', uids: ['o1'] },
    ],
    ['its owner waits', ['waiting'], false, {}, { type: 'delete', propagation: 'Background' }],
    [
      'its owner waits, and it has dependents',
      ['waiting'],
      true,
      {},
      { type: 'delete', propagation: 'Foreground' },
    ],
    ['an owner of a kind that nobody serves', ['absent', 'unknown'], false, {}, { type: 'nothing' }],
    ['it is being deleted already', ['absent'], false, { deletionTimestamp: T0 }, { type: 'nothing' }],
    [
      'it orphans its own',
      ['absent'],
      true,
      { finalizers: ['orphan'] },
      { type: 'delete', propagation: 'Orphan' },
    ],
    [
      'it waits for its own',
      ['absent'],
      true,
      { finalizers: ['x', 'foregroundDeletion'] },
      { type: 'delete', propagation: 'Foreground' },
    ],
  ];
  for (const [what, states, hasDependents, metadata, expected] of cases) {
    it(what, () => {
      const ownerReferences = states.map((_, index) => owner(`o${index}`));
      const object = pod('p', { metadata: { ...metadata, ...(states.length > 0 && { ownerReferences }) } });
      const stateOf = ({ uid }: OwnerReference): OwnerState => states[Number(uid.slice(1))] ?? 'unknown';
      assert.deepEqual(judge(object, stateOf, hasDependents), expected);
    });
  }

  it('waits only while it is being deleted, and only for dependents that block', () => {
    assert.equal(awaits(pod('p', { metadata: { finalizers: ['orphan'] } }), 'orphan'), false);
    assert.equal(
      awaits(pod('p', { metadata: { finalizers: ['orphan'], deletionTimestamp: T0 } }), 'orphan'),
      true,
    );
    const dependent = pod('p', { metadata: { ownerReferences: [owner('a'), owner('b', true)] } });
    assert.deepEqual(
      [blocks(dependent, 'a'), blocks(dependent, 'b'), blocks(dependent, 'c')],
      [false, true, false],
    );
  });
});
