import assert from 'node:assert/strict';
import { matchesNode, type NodeRequirement } from '../../src/volumes/node-affinity.ts';

const node = { name: 'edge-1', labels: { zone: 'north', cores: '8', 'kubernetes.io/hostname': 'edge-1' } };

describe('affinity of volumes to nodes', () => {
  const cases: readonly (readonly [NodeRequirement, boolean])[] = [
    [{ key: 'zone', operator: 'In', values: ['south', 'north'] }, true],
    [{ key: 'zone', operator: 'In', values: ['south'] }, false],
    [{ key: 'none', operator: 'In', values: ['x'] }, false],
    [{ key: 'toString', operator: 'Exists' }, false],
    [{ key: 'zone', operator: 'NotIn', values: ['south'] }, true],
    [{ key: 'zone', operator: 'NotIn', values: ['north'] }, false],
    [{ key: 'none', operator: 'NotIn', values: ['x'] }, true],
    [{ key: 'zone', operator: 'Exists' }, true],
    [{ key: 'none', operator: 'Exists' }, false],
    [{ key: 'none', operator: 'DoesNotExist' }, true],
    [{ key: 'zone', operator: 'DoesNotExist' }, false],
    [{ key: 'cores', operator: 'Gt', values: ['7'] }, true],
    [{ key: 'cores', operator: 'Gt', values: ['8'] }, false],
    [{ key: 'cores', operator: 'Lt', values: ['10'] }, true],
    [{ key: 'zone', operator: 'Lt', values: ['10'] }, false],
    [{ key: 'cores', operator: 'Gt', values: ['x'] }, false],
    [{ key: 'zone', operator: 'Near', values: ['north'] }, false],
  ];
  for (const [requirement, matches] of cases) {
    it(`${requirement.key} ${requirement.operator} ${requirement.values?.join(',') ?? ''}: ${matches}`, () =>
      assert.equal(matchesNode([{ matchExpressions: [requirement] }], node), matches));
  }

  it('needs all of one term, of any', () => {
    const north = { key: 'zone', operator: 'In', values: ['north'] };
    const many = { key: 'cores', operator: 'Gt', values: ['16'] };
    assert.equal(matchesNode([{ matchExpressions: [north, many] }], node), false);
    assert.equal(matchesNode([{ matchExpressions: [many] }, { matchExpressions: [north] }], node), true);
  });

  it('knows the name of the node', () => {
    const byName = (...values: string[]): boolean =>
      matchesNode([{ matchFields: [{ key: 'metadata.name', operator: 'In', values }] }], node);
    assert.equal(byName('edge-1'), true);
    assert.equal(byName('edge-2'), false);
    assert.equal(
      matchesNode([{ matchFields: [{ key: 'spec.x', operator: 'In', values: ['edge-1'] }] }], node),
      false,
    );
  });

  it('is matched by no term, and none that says nothing', () => {
    assert.equal(matchesNode([], node), false);
    assert.equal(matchesNode([{}], node), false);
  });
});
