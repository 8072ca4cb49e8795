import { silentLogger } from '@hawser/seams';
import { makeImage, makeLayer } from '@hawser/seams/oci-image';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import { openContainerdSite, type ContainerdSite } from '../../testing/containerd/containerd-site.ts';
import { LocalRegistry, REGISTRY_LOGIN } from '../../testing/containerd/local-registry.ts';
import { describeImageStore, type ImageStoreFixture } from '../../testing/image-store-compliance.ts';

describe('images of containerd', function () {
  this.timeout(20_000);
  let site: ContainerdSite | undefined;
  let runtime: CriRuntime;
  let open: LocalRegistry;
  let closed: LocalRegistry;

  before(async function () {
    const missing = LocalRegistry.unavailable();
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    site = await openContainerdSite(this);
    [open, closed] = await Promise.all([LocalRegistry.open(), LocalRegistry.open({ login: true })]);
    runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
    await runtime.start();
  });
  after(async () => {
    if (site === undefined) return; // skipped
    await runtime.stop();
    await Promise.all([open.close(), closed.close(), site.close()]);
  });

  describeImageStore('CriImages', (): Promise<ImageStoreFixture> =>
    Promise.resolve({
      store: runtime.images,
      registry: open.host,
      closedRegistry: closed.host,
      login: REGISTRY_LOGIN,
      async push(registry, name, version) {
        const layer = makeLayer([{ path: 'version', content: version }]);
        await (registry === open.host ? open : closed).push(makeImage(name, [layer]), name);
      },
      setUp: (isUp) => (isUp ? open.start() : open.kill()),
      // What the site brought stays; the next test is to find none of the registries'.
      async close() {
        for (const { id, tags } of await runtime.images.list())
          if (!tags.some((tag) => tag.startsWith('hawser.test/'))) await runtime.images.remove(id);
      },
    }),
  );
});
