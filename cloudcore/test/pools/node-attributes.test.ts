import assert from 'node:assert/strict';
import {
  attributePatch,
  type AttributedNode,
  type AttributePatch,
  type Attributes,
} from '../../src/pools/node-attributes.ts';

const NOTE = 'hawser.dev/pool-attributes';

/** The node after a merge patch. */
function after(node: AttributedNode, patch: AttributePatch | undefined): AttributedNode {
  const merged = (
    fields: Readonly<Record<string, string>>,
    changes: Readonly<Record<string, string | null>> = {},
  ): Record<string, string> => {
    const all = Object.entries({ ...fields, ...changes });
    return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
  };
  return {
    labels: merged(node.labels, patch?.metadata.labels),
    annotations: merged(node.annotations, patch?.metadata.annotations),
    taints: patch?.spec?.taints ?? node.taints,
  };
}

describe('what a NodePool gives its nodes', () => {
  const bare: AttributedNode = {
    labels: { own: 'x' },
    annotations: {},
    taints: [{ key: 'own', effect: 'NoExecute' }],
  };
  const wanted: Attributes = {
    labels: { site: 'north' },
    annotations: { owner: 'us' },
    taints: [{ key: 'site', value: 'north', effect: 'NoSchedule' }],
  };

  it('is added once, noted, and taken away with the pool', () => {
    const given = after(bare, attributePatch(bare, wanted));
    assert.deepEqual(given.labels, { own: 'x', site: 'north' });
    assert.equal(given.annotations['owner'], 'us');
    assert.deepEqual(given.taints, [
      { key: 'own', effect: 'NoExecute' },
      { key: 'site', value: 'north', effect: 'NoSchedule' },
    ]);
    assert.equal(attributePatch(given, wanted), undefined);
    assert.deepEqual(after(given, attributePatch(given, undefined)), bare);
    assert.equal(attributePatch(bare, undefined), undefined);
  });

  it('follows the pool', () => {
    const given = after(bare, attributePatch(bare, wanted));
    const other: Attributes = { labels: { site: 'south', new: '1' }, annotations: {}, taints: [] };
    const changed = after(given, attributePatch(given, other));
    assert.deepEqual(changed.labels, { own: 'x', site: 'south', new: '1' });
    assert.deepEqual(Object.keys(changed.annotations), [NOTE]);
    assert.deepEqual(changed.taints, bare.taints);
  });

  it('leaves alone what others have put there, before or since', () => {
    const others: AttributedNode = {
      labels: { site: 'mine' },
      annotations: { owner: 'me' },
      taints: [{ key: 'site', value: 'mine', effect: 'NoSchedule' }],
    };
    assert.equal(attributePatch(others, wanted), undefined);
    const given = after(bare, attributePatch(bare, wanted));
    const edited = { ...given, labels: { ...given.labels, site: 'edited' } };
    assert.equal(after(edited, attributePatch(edited, wanted)).labels['site'], 'edited');
    assert.equal(after(edited, attributePatch(edited, undefined)).labels['site'], 'edited');
  });

  it('never decides which pool a node is in, or what the hub has noted', () => {
    const hostile: Attributes = {
      labels: { 'apps.openyurt.io/nodepool': 'other', 'hawser.dev/edge': '' },
      annotations: { [NOTE]: '{}', 'hawser.dev/pool-endpoint': '6.6.6.6:1' },
      taints: [],
    };
    assert.equal(attributePatch(bare, hostile), undefined);
  });

  it('takes a note that cannot be read for none', () => {
    for (const note of ['nonsense', '[]', '{"labels":7,"taints":[7]}']) {
      const node = { ...bare, annotations: { [NOTE]: note } };
      assert.deepEqual(after(node, attributePatch(node, undefined)), bare);
    }
  });
});
