import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { silentLogger, systemClock } from '@hawser/seams';
import { makeImage, makeLayer } from '@hawser/seams/oci-image';
import { FakeClock } from '@hawser/seams/testing';
import { ImageCollector } from '../../src/images/image-collector.ts';
import { ImageManager } from '../../src/images/image-manager.ts';
import { ImageRuns } from '../../src/images/image-runs.ts';
import type { ApiObject } from '../../src/objects/object-source.ts';
import { ContainerError } from '../../src/pods/container-error.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import type { RuntimeImage } from '../../src/runtime/image-store.ts';
import { makeSandboxConfig } from '../../testing/config-maker.ts';
import { openContainerdSite, type ContainerdSite } from '../../testing/containerd/containerd-site.ts';
import { LocalRegistry, REGISTRY_LOGIN } from '../../testing/containerd/local-registry.ts';
import { TEST_IMAGES } from '../../testing/containerd/test-images.ts';
import { MemoryJsonState } from '../../testing/memory-json-state.ts';
import { makePod } from '../../testing/pod-maker.ts';

describe('ImageManager with containerd and a registry', function () {
  this.timeout(20_000);
  let site: ContainerdSite | undefined;
  let runtime: CriRuntime;
  let registry: LocalRegistry;
  let closed: LocalRegistry;
  let clock: FakeClock;
  let state: MemoryJsonState;
  let secrets: Map<string, ApiObject>;
  let events: string[];
  let manager: ImageManager;

  before(async function () {
    const missing = LocalRegistry.unavailable();
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    site = await openContainerdSite(this);
    [registry, closed] = await Promise.all([LocalRegistry.open(), LocalRegistry.open({ login: true })]);
    runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
    await runtime.start();
  });
  beforeEach(() => {
    clock = new FakeClock();
    state = new MemoryJsonState();
    secrets = new Map();
    events = [];
    manager = open();
  });
  after(async () => {
    if (site === undefined) return; // skipped
    await runtime.stop();
    await Promise.all([registry.close(), closed.close(), site.close()]);
  });

  function open(): ImageManager {
    return new ImageManager({
      images: runtime.images,
      objects: { get: (key) => Promise.resolve(secrets.get(key)), listen: () => () => {} },
      events: { record: (_pod, _type, reason, message) => events.push(`${reason}: ${message}`) },
      runs: new ImageRuns(state, silentLogger),
      parallelPulls: 2,
      clock,
      log: silentLogger,
    });
  }

  async function push(name: string, version = '1', to = registry): Promise<string> {
    const image = makeImage(name, [makeLayer([{ path: 'version', content: `${name} ${version}` }])]);
    return (await to.push(image, name)).name;
  }

  function ensure(image: string, pullSecrets: readonly string[] = [], uid = 'uid-a'): Promise<RuntimeImage> {
    const pod: Pod = makePod('a', {
      uid,
      spec: {
        containers: [{ name: 'main', image }],
        imagePullSecrets: pullSecrets.map((name) => ({ name })),
      },
    });
    const [container] = pod.spec.containers;
    assert.ok(container !== undefined);
    return manager.ensure(pod, container, makeSandboxConfig(), AbortSignal.timeout(15_000));
  }

  async function failure(image: string, pullSecrets: readonly string[] = []): Promise<ContainerError> {
    try {
      await ensure(image, pullSecrets);
    } catch (error) {
      assert.ok(error instanceof ContainerError, String(error));
      return error;
    }
    throw new assert.AssertionError({ message: `${image} was pulled` });
  }

  function secret(name: string, host: string, password: string): void {
    const auths = { [host]: { ...REGISTRY_LOGIN, password } };
    const text = Buffer.from(JSON.stringify({ auths })).toString('base64');
    secrets.set(`secrets/default/${name}`, {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': text },
    });
  }

  it('pulls an image, and says what a kubelet says', async () => {
    const name = await push('plain:1');
    const image = await ensure(name);
    assert.deepEqual(image.tags, [name]);
    assert.equal(events[0], `Pulling: Pulling image "${name}"`);
    assert.match(
      events[1] ?? '',
      /^Pulled: Successfully pulled image ".*plain:1" in 0s \(0s including waiting\)\. Image size: \d+ bytes\.$/,
    );
    await ensure(name);
    assert.equal(events[2], `Pulled: Container image "${name}" already present on machine`);
  });

  it('pulls from a registry that another name leads to', async () => {
    await push('library/by-name:1');
    await site?.addRegistry('docker.io', registry.url);
    assert.deepEqual((await ensure('by-name:1')).tags, ['docker.io/library/by-name:1']);
  });

  it('is told that there is no such image', async () => {
    const error = await failure(`${registry.host}/none:1`);
    assert.equal(error.reason, 'ErrImagePull');
    assert.match(error.message, /not found/);
    assert.equal((await failure(`${registry.host}/none:1`)).reason, 'ImagePullBackOff');
  });

  it('pulls with the login of a pull secret, not without and not with a wrong one', async () => {
    const name = await push('team/private:1', '1', closed);
    secret('wrong', closed.host, 'wrong');
    secret('right', `${closed.host}/team`, REGISTRY_LOGIN.password);
    assert.match((await failure(name)).message, /401|authorization/);
    await clock.advance(10_000);
    assert.match((await failure(name, ['wrong'])).message, /401|authorization/);
    await clock.advance(20_000);
    assert.deepEqual((await ensure(name, ['wrong', 'right'])).tags, [name]);
  });

  it('starts a pod with what it was given before while the registry is down, and with no other', async () => {
    const name = await push('latest:latest');
    const { id } = await ensure(name);
    await push('latest:latest', '2');
    const other = await ensure(name, [], 'uid-b');
    assert.notEqual(other.id, id);
    await registry.kill();
    try {
      manager = open();
      assert.equal((await ensure(name)).id, id);
      assert.match(events.at(-1) ?? '', /its registry does not answer, and this pod was given it before$/);
      await assert.rejects(ensure(name, [], 'uid-c'), { reason: 'ErrImagePull' });
    } finally {
      await registry.start();
    }
    await clock.advance(20_000); // two pods have asked it
    assert.equal((await ensure(name)).id, other.id);
  });

  it('pulls a big image that was cut off in the middle', async () => {
    const layer = makeLayer([{ path: 'noise', content: randomBytes(8 * 1024 * 1024) }]);
    await registry.push(makeImage('big', [layer]), 'big:1');
    const line = await CutLine.open(registry.url, 2 * 1024 * 1024);
    try {
      const name = `${line.host}/big:1`;
      const error = await failure(name);
      assert.equal(error.reason, 'ErrImagePull');
      assert.ok(line.cuts > 0);
      assert.equal(await runtime.images.status(name), undefined);
      line.heal();
      await clock.advance(10_000);
      assert.ok((await ensure(name)).sizeBytes >= 8 * 1024 * 1024);
    } finally {
      await line.close();
    }
  });

  it('removes what nobody uses from a full disk, but not the image of sandboxes', async () => {
    const [kept, removed] = [await push('kept:1'), await push('removed:1')];
    for (const name of [kept, removed]) await ensure(name);
    const collector = new ImageCollector({
      runtime,
      runs: new ImageRuns(state, silentLogger),
      pods: () => Promise.resolve([makePod('a', { spec: { containers: [{ name: 'main', image: kept }] } })]),
      highPercent: 85,
      lowPercent: 80,
      minAgeMs: 120_000,
      space: () => Promise.resolve({ totalBytes: 1e12, availableBytes: 0 }),
      clock: systemClock,
      log: silentLogger,
    });
    await collector.collect();
    const tags = (await runtime.images.list()).flatMap((image) => image.tags);
    assert.deepEqual(tags.sort(), [kept, TEST_IMAGES.pause].sort());
  });
});

/** A way to a registry that is cut after some bytes of an answer, until it is healed. */
class CutLine {
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isHealed = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(url: string, afterBytes: number): Promise<CutLine> {
    const { hostname, port } = new URL(url);
    const server = createServer();
    const line = new CutLine(server);
    server.on('connection', (near) => {
      const far = connect(Number(port), hostname);
      let passed = 0;
      line.#sockets.add(near);
      for (const socket of [near, far])
        socket
          .on('error', () => {})
          .on('close', () => {
            near.destroy();
            far.destroy();
          });
      near.pipe(far);
      far.on('data', (bytes: Buffer) => {
        passed += bytes.length;
        if (line.#isHealed || passed <= afterBytes) {
          near.write(bytes);
          return;
        }
        if (near.destroyed) return;
        line.cuts += 1;
        near.resetAndDestroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return line;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  heal(): void {
    this.#isHealed = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
