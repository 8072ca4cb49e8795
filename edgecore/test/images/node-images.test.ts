import assert from 'node:assert/strict';
import { nodeImages } from '../../src/images/node-images.ts';
import type { RuntimeImage } from '../../src/runtime/image-store.ts';

function image(sizeBytes: number, tags: readonly string[], digests: readonly string[] = []): RuntimeImage {
  return { id: `id-${sizeBytes}-${tags.join()}`, tags, digests, sizeBytes, pinned: false };
}

describe('nodeImages', () => {
  it('has digests and tags, the biggest first, equal ones by name', () => {
    assert.deepEqual(nodeImages([image(1, ['c:1']), image(5, ['b:1'], ['b@sha256:1']), image(5, ['a:1'])]), [
      { names: ['a:1'], sizeBytes: 5 },
      { names: ['b@sha256:1', 'b:1'], sizeBytes: 5 },
      { names: ['c:1'], sizeBytes: 1 },
    ]);
  });

  it('has at most 50 images with at most 5 names, and none without', () => {
    const many = Array.from({ length: 60 }, (_, index) => image(index, [`a:${index}`]));
    const list = nodeImages([...many, image(1000, []), image(999, ['1', '2', '3', '4', '5', '6'])]);
    assert.equal(list.length, 50);
    assert.deepEqual(list[0], { names: ['1', '2', '3', '4', '5'], sizeBytes: 999 });
    assert.deepEqual(list[49], { names: ['a:11'], sizeBytes: 11 });
  });
});
