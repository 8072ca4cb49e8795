import assert from 'node:assert/strict';
import { mayLead, readNodePool, type NodePool } from '../../src/pools/node-pool.ts';

describe('a NodePool', () => {
  const read = (spec: object): NodePool =>
    readNodePool({
      apiVersion: 'apps.openyurt.io/v1beta2',
      kind: 'NodePool',
      metadata: { name: 'shop' },
      spec,
    });

  it('shares and elects unless it says otherwise', () => {
    assert.deepEqual([read({}).shares, read({}).elects, read({ type: 'Edge' }).shares], [true, true, true]);
    assert.equal(read({ type: 'Cloud' }).shares, false);
    assert.equal(read({ enableLeaderElection: false }).elects, false);
    assert.equal(read({ interConnectivity: false }).elects, false);
    assert.equal(read({ enableLeaderElection: true, interConnectivity: true }).elects, true);
  });

  it('selects who may lead, unless by chance', () => {
    const leaderNodeLabelSelector = { strong: 'yes' };
    const marked = read({ leaderNodeLabelSelector, leaderElectionStrategy: 'mark' });
    assert.equal(mayLead(marked, { strong: 'yes', other: '' }), true);
    assert.equal(mayLead(marked, { strong: 'no' }), false);
    assert.equal(mayLead(read({ leaderNodeLabelSelector, leaderElectionStrategy: 'random' }), {}), true);
  });

  it('names resources, each once, as far as they can be some', () => {
    const poolScopeMetadata = [
      { group: '', version: 'v1', resource: 'services' },
      { group: '', version: 'v1', resource: 'services' },
      { group: 'example.com', version: 'v1', resource: 'maps' },
      { group: '../..', version: 'v1', resource: 'x' },
      { group: '', version: 'v1', resource: 'pods/exec' },
      { resource: 'services' },
      'nonsense',
      null,
    ];
    assert.deepEqual(
      read({ poolScopeMetadata }).resources.map(({ group, resource }) => `${resource}.${group}`),
      ['services.', 'maps.example.com'],
    );
    const many = Array.from({ length: 99 }, (_, index) => ({
      group: '',
      version: 'v1',
      resource: `r${index}`,
    }));
    assert.equal(read({ poolScopeMetadata: many }).resources.length, 32);
    assert.deepEqual(read({ poolScopeMetadata: 'nonsense', labels: 7, taints: {} }).resources, []);
  });
});
