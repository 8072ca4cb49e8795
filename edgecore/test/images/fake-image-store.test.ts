import { FakeImageStore } from '../../testing/fake-image-store.ts';
import { describeImageStore, type ImageStoreFixture } from '../../testing/image-store-compliance.ts';

describeImageStore('FakeImageStore', (): Promise<ImageStoreFixture> => {
  const store = new FakeImageStore();
  const [registry, closedRegistry] = ['open.example:5000', 'closed.example'];
  const login = { username: 'puller', password: 'secret' };
  return Promise.resolve({
    store,
    registry,
    closedRegistry,
    login,
    push(host, name, version) {
      store.offer(`${host}/${name}`, { content: version, ...(host === closedRegistry && { login }) });
      return Promise.resolve();
    },
    setUp(isUp) {
      if (isUp) store.down.delete(registry);
      else store.down.add(registry);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});
