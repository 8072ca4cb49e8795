import assert from 'node:assert/strict';
import { NamedImages } from '../../../src/runtime/process/process-images.ts';
import { describeNameStore } from '../../../testing/index.ts';

describeNameStore('NamedImages', () =>
  Promise.resolve({ store: new NamedImages(1000), close: () => Promise.resolve() }),
);

describe('NamedImages', () => {
  it('has what the configuration names from the beginning, as whoever containers run as', async () => {
    const images = new NamedImages(1000, ['registry.example/known:1']);
    assert.equal((await images.status('registry.example/known:1'))?.uid, 1000);
    assert.equal((await images.list()).length, 1);
  });
});
