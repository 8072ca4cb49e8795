import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { ImageCollector, type ImageCollectorOptions } from '../../src/images/image-collector.ts';
import { ImageRuns } from '../../src/images/image-runs.ts';
import type { Pod } from '../../src/pods/pod.ts';
import type { RuntimePod } from '../../src/runtime/container-runtime.ts';
import type { RuntimeImage } from '../../src/runtime/image-store.ts';
import { FakeImageStore } from '../../testing/fake-image-store.ts';
import { MemoryJsonState } from '../../testing/memory-json-state.ts';
import { makePod } from '../../testing/pod-maker.ts';

const MINUTE_MS = 60_000;

describe('ImageCollector', () => {
  let clock: FakeClock;
  let images: FakeImageStore;
  let runs: ImageRuns;
  let pods: Pod[] | undefined;
  let running: { image: string; imageId: string }[];
  let usedBytes: number;
  let told: (readonly RuntimeImage[])[];
  let failures: string[];
  let collector: ImageCollector;

  beforeEach(() => {
    clock = new FakeClock();
    images = new FakeImageStore();
    runs = new ImageRuns(new MemoryJsonState(), silentLogger);
    pods = [];
    running = [];
    usedBytes = 0;
    told = [];
    failures = [];
    collector = open();
  });
  afterEach(() => collector.stop());

  /** A disk of 1000 bytes, of which `usedBytes` and the images are used. */
  function open(more: Partial<ImageCollectorOptions> = {}): ImageCollector {
    return new ImageCollector({
      runtime: { images, list: () => Promise.resolve(running.map(podWith)) },
      runs,
      pods: () => Promise.resolve(pods),
      highPercent: 85,
      lowPercent: 80,
      minAgeMs: 2 * MINUTE_MS,
      onImages: (all) => told.push(all),
      onFailure: (message) => failures.push(message),
      space: async () => {
        const [{ usedBytes: ofImages } = { usedBytes: 0 }] = await images.fileSystems();
        return { totalBytes: 1000, availableBytes: 1000 - usedBytes - ofImages };
      },
      clock,
      log: silentLogger,
      ...more,
    });
  }

  function podWith({ image, imageId }: { readonly image: string; readonly imageId: string }): RuntimePod {
    return {
      uid: 'uid',
      namespace: 'default',
      name: 'a',
      sandboxes: [],
      containers: [
        {
          name: 'main',
          id: 'id',
          sandboxId: '',
          attempt: 0,
          image,
          imageId,
          state: 'exited',
          createdAtMs: 0,
          logPath: '',
          notes: { specHash: '', terminationMessagePath: '', terminationMessagePolicy: '' },
        },
      ],
    };
  }

  async function tags(): Promise<string[]> {
    return (await images.list()).flatMap((image) => image.tags).sort();
  }

  const name = (letter: string): string => `registry.example/${letter}:1`;

  it('leaves a disk alone that has room', async () => {
    images.put(name('a'), { sizeBytes: 840 });
    await collector.collect();
    assert.deepEqual(await tags(), [name('a')]);
    assert.equal(told.length, 1);
  });

  it('removes down to the lower mark, the one unused the longest first', async () => {
    for (const letter of ['a', 'b', 'c']) images.put(name(letter), { sizeBytes: 50, content: letter });
    usedBytes = 600;
    running = ['a', 'b', 'c'].map((letter) => ({ image: name(letter), imageId: '' }));
    await collector.collect();
    for (const left of [['a', 'c'], ['c'], []]) {
      await clock.advance(MINUTE_MS);
      running = left.map((letter) => ({ image: name(letter), imageId: '' }));
      await collector.collect();
    }
    usedBytes = 720; // 870 of 1000: 70 are to go
    await collector.collect();
    assert.deepEqual(await tags(), [name('c')]);
    assert.deepEqual(failures, []);
  });

  it('removes one of equal use that came first', async () => {
    images.put(name('old'), { sizeBytes: 60, content: 'old' });
    await collector.collect();
    images.put(name('new'), { sizeBytes: 60, content: 'new' });
    await collector.collect();
    await clock.advance(3 * MINUTE_MS);
    usedBytes = 735;
    await collector.collect();
    assert.deepEqual(await tags(), [name('new')]);
  });

  it('does not remove what came lately, and says that it found too little', async () => {
    await collector.collect();
    images.put(name('a'), { sizeBytes: 100 });
    usedBytes = 800;
    await collector.collect();
    assert.deepEqual(await tags(), [name('a')]);
    assert.deepEqual(failures, [
      'Failed to garbage collect required amount of images. Attempted to free 100 bytes, but only found 0 bytes eligible to free.',
    ]);
    await clock.advance(2 * MINUTE_MS);
    await collector.collect();
    assert.deepEqual(await tags(), []);
  });

  it('removes what was there at the start at once', async () => {
    images.put(name('a'), { sizeBytes: 100 });
    usedBytes = 800;
    await collector.collect();
    assert.deepEqual(await tags(), []);
  });

  describe('with a full disk', () => {
    beforeEach(() => {
      usedBytes = 990;
    });

    it('keeps what is pinned', async () => {
      images.put(name('pause'), { pinned: true, sizeBytes: 1 });
      await collector.collect();
      assert.deepEqual(await tags(), [name('pause')]);
    });

    it('keeps what a container has, by id, digest or name, ended or not', async () => {
      const id = images.put(name('a'), { content: 'a', sizeBytes: 1 });
      images.put(name('b'), { content: 'b', sizeBytes: 1 });
      images.put('docker.io/library/c:latest', { content: 'c', sizeBytes: 1 });
      images.put(name('d'), { content: 'd', sizeBytes: 1 });
      const digest = (await images.status(name('b')))?.digests[0] ?? '';
      running = [
        { image: '', imageId: id },
        { image: '', imageId: digest },
        { image: 'c', imageId: '' },
      ];
      await collector.collect();
      assert.deepEqual(await tags(), ['docker.io/library/c:latest', name('a'), name('b')]);
    });

    it('keeps what a pod of the store names, though it does not run', async () => {
      for (const letter of ['a', 'b', 'c']) images.put(name(letter), { content: letter, sizeBytes: 1 });
      const containers = [{ name: 'main', image: name('a') }];
      pods = [makePod('a', { spec: { containers, initContainers: [{ name: 'init', image: name('b') }] } })];
      await collector.collect();
      assert.deepEqual(await tags(), [name('a'), name('b')]);
    });

    it('keeps what a pod was given, for as long as the pod is there', async () => {
      const id = images.put(name('a'), { sizeBytes: 1 });
      await runs.remember('uid-a', 'registry.example/other:latest', id);
      pods = [makePod('a', { uid: 'uid-a' })];
      await collector.collect();
      assert.deepEqual(await tags(), [name('a')]);
      pods = [];
      await collector.collect();
      assert.deepEqual(await tags(), []);
      assert.equal(await runs.recall('uid-a', 'registry.example/other:latest'), undefined);
    });

    it('removes nothing, and forgets nothing, while the pods are not known', async () => {
      const id = images.put(name('a'), { sizeBytes: 1 });
      await runs.remember('uid-a', name('a'), id);
      pods = undefined;
      await collector.collect();
      assert.equal(told.length, 1);
      assert.deepEqual(await tags(), [name('a')]);
      assert.equal(await runs.recall('uid-a', name('a')), id);
    });

    it('goes on with the next when one cannot be removed', async () => {
      const stuck = images.put(name('a'), { content: 'a', sizeBytes: 1 });
      images.put(name('b'), { content: 'b', sizeBytes: 1 });
      const remove = images.remove.bind(images);
      images.remove = (id) => (id === stuck ? Promise.reject(new Error('in use')) : remove(id));
      await collector.collect();
      assert.deepEqual(await tags(), [name('a')]);
    });
  });

  it('looks at the start, and every five minutes; after a failure too', async () => {
    collector.start();
    collector.start();
    await clock.advance(0);
    await eventually('the first look', () => told.length === 1);
    const list = images.list.bind(images);
    images.list = () => Promise.reject(new Error('away'));
    await nextLook();
    images.list = list;
    await nextLook();
    await eventually('the third look', () => told.length === 2);
    await collector.stop();
    await collector.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('looks again soon when it is told to, once for many', async () => {
    collector.lookSoon();
    assert.equal(clock.pendingTimers, 0);
    collector.start();
    await clock.advance(0);
    await eventually('the first look', () => told.length === 1 && clock.pendingTimers === 1);
    collector.lookSoon();
    await clock.advance(500);
    collector.lookSoon();
    await clock.advance(500);
    await eventually('the second look', () => told.length === 2 && clock.pendingTimers === 1);
    await collector.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  /** The timer is set when a look is over. */
  async function nextLook(): Promise<void> {
    await eventually('the next look is set', () => clock.pendingTimers === 1);
    await clock.advance(5 * MINUTE_MS);
  }
});
