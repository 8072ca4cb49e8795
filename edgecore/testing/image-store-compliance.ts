import assert from 'node:assert/strict';
import { isRefusal } from '../src/images/registry-reach.ts';
import type { ImageStore } from '../src/runtime/image-store.ts';
import { RuntimeError } from '../src/runtime/runtime-error.ts';

/** An image store under test, and the registry that it pulls from. It has no images of that registry yet. */
export interface ImageStoreFixture {
  readonly store: ImageStore;
  /** First part of names of images that anybody may pull. */
  readonly registry: string;
  /** First part of names of images that need the login. */
  readonly closedRegistry: string;
  readonly login: { readonly username: string; readonly password: string };
  /** Puts an image into a registry; another version has another digest. */
  push(registry: string, name: string, version: '1' | '2'): Promise<void>;
  /** Lets the open registry answer, or not. */
  setUp(isUp: boolean): Promise<void>;
  close(): Promise<void>;
}

/** An image store that fetches nothing: an image is a name. It has noted none yet. */
export interface NameStoreFixture {
  readonly store: ImageStore;
  close(): Promise<void>;
}

/**
 * What an {@link ImageStore} has to do where there are no images (`ImageStore` of the runtime `process`): it takes note
 * of names, of which it says nothing that it does not know.
 */
export function describeNameStore(name: string, open: () => Promise<NameStoreFixture>): void {
  describe(`store of names ${name}`, () => {
    const { signal } = new AbortController();
    const image = 'registry.example/team/app:1';
    let fixture: NameStoreFixture;
    let store: ImageStore;

    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());

    it('has no name that nobody has noted', async () => {
      assert.equal(await store.status(image), undefined);
      assert.equal(await store.status(`sha256:${'0'.repeat(64)}`), undefined);
      assert.deepEqual(await store.list(), []);
    });

    it('notes a name, whatever login comes with it, and finds it by reference, name and id', async () => {
      const ref = await store.pull(image, { username: 'a', password: 'b' }, undefined, signal);
      const found = await store.status(ref);
      assert.match(found?.id ?? '', /^sha256:[0-9a-f]{64}$/);
      assert.deepEqual(found?.tags, [image]);
      for (const each of [image, found.id]) assert.deepEqual(await store.status(each), found);
      assert.deepEqual(await store.list(), [found]);
      assert.equal(await store.pull(image, undefined, undefined, signal), ref);
      assert.deepEqual(await store.list(), [found]);
    });

    it('claims no content and no room for it', async () => {
      const found = await store.status(await store.pull(image, undefined, undefined, signal));
      assert.deepEqual([found?.digests, found?.sizeBytes], [[], 0]);
      assert.deepEqual(await store.fileSystems(), []);
    });

    it('takes every way to write a name for the same', async () => {
      const ref = await store.pull('busybox', undefined, undefined, signal);
      assert.equal(await store.pull('docker.io/library/busybox:latest', undefined, undefined, signal), ref);
    });

    it('gives up with the reason of its signal', async () => {
      const reason = new Error('no more');
      await assert.rejects(store.pull(image, undefined, undefined, AbortSignal.abort(reason)), reason);
      assert.equal(await store.status(image), undefined);
    });

    it('forgets a name, and one that is not there', async () => {
      const ref = await store.pull(image, undefined, undefined, signal);
      await store.remove(ref);
      assert.equal(await store.status(image), undefined);
      await store.remove(ref);
      await store.remove(image);
    });
  });
}

/** What every {@link ImageStore} that fetches images has to do, and how it has to say what went wrong. */
export function describeImageStore(name: string, open: () => Promise<ImageStoreFixture>): void {
  describe(`image store ${name}`, () => {
    let signal: AbortSignal;
    beforeEach(() => {
      signal = AbortSignal.timeout(60_000);
    });
    let fixture: ImageStoreFixture;
    let store: ImageStore;
    let counter = 0;
    let repository = '';

    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
      counter += 1;
      repository = `team/app-${counter}`;
    });
    afterEach(async () => {
      await fixture.close();
    });

    const push = async (version: '1' | '2', tag = 'a', registry = fixture.registry): Promise<string> => {
      await fixture.push(registry, `${repository}:${tag}`, version);
      return `${registry}/${repository}:${tag}`;
    };

    it('has no image that nobody pulled', async () => {
      assert.equal(await store.status(`${fixture.registry}/${repository}:a`), undefined);
      assert.equal(await store.status(`sha256:${'0'.repeat(64)}`), undefined);
    });

    it('pulls an image, and finds it by reference, name, id and digest', async () => {
      const image = await push('1');
      const ref = await store.pull(image, undefined, undefined, signal);
      const found = await store.status(ref);
      assert.ok(found !== undefined);
      assert.match(found.id, /^sha256:[0-9a-f]{64}$/);
      assert.deepEqual(found.tags, [image]);
      assert.equal(found.digests.length, 1);
      const [digest = ''] = found.digests;
      assert.match(digest, new RegExp(`^${fixture.registry}/${repository}@sha256:[0-9a-f]{64}$`));
      assert.ok(found.sizeBytes > 0);
      for (const each of [image, found.id, digest]) assert.deepEqual(await store.status(each), found);
      assert.deepEqual(
        (await store.list()).find(({ id }) => id === found.id),
        found,
      );
    });

    it('has the new image under a tag that was moved, and the old one by its id', async () => {
      const image = await push('1');
      const before = await store.status(await store.pull(image, undefined, undefined, signal));
      await push('2');
      const after = await store.status(await store.pull(image, undefined, undefined, signal));
      assert.notEqual(after?.id, before?.id);
      assert.equal((await store.status(image))?.id, after?.id);
      assert.deepEqual((await store.status(before?.id ?? ''))?.tags, []);
    });

    it('says no for an image that is not there', async () => {
      await assert.rejects(
        store.pull(`${fixture.registry}/${repository}:none`, undefined, undefined, signal),
        (error) => error instanceof RuntimeError && isRefusal(error),
      );
    });

    it('says no without the login, and with a wrong one', async () => {
      const image = await push('1', 'a', fixture.closedRegistry);
      for (const login of [undefined, { ...fixture.login, password: 'wrong' }])
        await assert.rejects(
          store.pull(image, login, undefined, signal),
          (error) => error instanceof RuntimeError && isRefusal(error),
        );
      assert.ok(await store.pull(image, fixture.login, undefined, signal));
    });

    it('does not take a registry that is away for one that says no', async () => {
      const image = await push('1');
      await fixture.setUp(false);
      try {
        await assert.rejects(
          store.pull(image, undefined, undefined, signal),
          (error) => error instanceof RuntimeError && !isRefusal(error),
        );
      } finally {
        await fixture.setUp(true);
      }
    });

    it('gives a pull up with the reason of its signal', async () => {
      const image = await push('1');
      const reason = new Error('no more');
      await assert.rejects(store.pull(image, undefined, undefined, AbortSignal.abort(reason)), reason);
    });

    it('removes an image with all its names, and what is not there', async () => {
      const [first, second] = [await push('1', 'a'), await push('1', 'b')];
      const ref = await store.pull(first, undefined, undefined, signal);
      await store.pull(second, undefined, undefined, signal);
      const { id = '', tags = [] } = (await store.status(ref)) ?? {};
      assert.deepEqual([...tags].sort(), [first, second]);
      await store.remove(id);
      for (const each of [id, first, second]) assert.equal(await store.status(each), undefined);
      await store.remove(id);
      await store.remove(first);
    });

    it('says on which file system images are', async () => {
      const [fileSystem] = await store.fileSystems();
      assert.match(fileSystem?.mountpoint ?? '', /^\//);
    });
  });
}
