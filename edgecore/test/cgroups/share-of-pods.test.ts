import assert from 'node:assert/strict';
import { shareOfPods } from '../../src/cgroups/share-of-pods.ts';

describe('What all pods of a node may take together', () => {
  it('is what is not reserved, what pressure keeps free included', () => {
    assert.deepEqual(shareOfPods({ cpu: '1500m', memory: '924Mi' }, { memoryAvailable: '100Mi' }), {
      cpuMillis: 1500,
      memoryBytes: 1024 * 2 ** 20,
    });
    assert.equal(shareOfPods({ cpu: '2', memory: '1Gi' }, { memoryAvailable: '0' })?.cpuMillis, 2000);
  });

  it('is not known before the node is', () => {
    assert.equal(shareOfPods({}, { memoryAvailable: '100Mi' }), undefined);
    assert.equal(shareOfPods({ cpu: '2' }, { memoryAvailable: '100Mi' }), undefined);
  });
});
