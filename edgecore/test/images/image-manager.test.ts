import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { ImageManager } from '../../src/images/image-manager.ts';
import { ImageRuns } from '../../src/images/image-runs.ts';
import type { ApiObject } from '../../src/objects/object-source.ts';
import { ContainerError, type ContainerErrorReason } from '../../src/pods/container-error.ts';
import type { Pod, PodContainer } from '../../src/pods/pod.ts';
import type { RuntimeImage } from '../../src/runtime/image-store.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';
import { makeSandboxConfig } from '../../testing/config-maker.ts';
import { FakeImageStore } from '../../testing/fake-image-store.ts';
import { MemoryJsonState } from '../../testing/memory-json-state.ts';
import { makePod } from '../../testing/pod-maker.ts';

const HOST = 'registry.example';
const IMAGE = `${HOST}/app:1`;
const LATEST = `${HOST}/app:latest`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('ImageManager', () => {
  let clock: FakeClock;
  let store: FakeImageStore;
  let state: MemoryJsonState;
  let secrets: Map<string, ApiObject>;
  let events: string[];
  let manager: ImageManager;
  let pulledCount: number;
  let pulls: string[];

  beforeEach(() => {
    clock = new FakeClock();
    store = new FakeImageStore();
    state = new MemoryJsonState();
    secrets = new Map();
    events = [];
    pulledCount = 0;
    pulls = [];
    manager = open();
  });

  function open(): ImageManager {
    return new ImageManager({
      images: store,
      objects: { get: (key) => Promise.resolve(secrets.get(key)), listen: () => () => {} },
      events: {
        record: (pod, type, reason, message, container) =>
          events.push(`${type} ${reason} ${pod.metadata.name}/${container ?? ''}: ${message}`),
      },
      runs: new ImageRuns(state, silentLogger),
      parallelPulls: 2,
      onPulled: () => (pulledCount += 1),
      onPull: (result) => pulls.push(result),
      clock,
      log: silentLogger,
    });
  }

  function podOf(container: Partial<PodContainer>, name = 'a', pullSecrets: readonly string[] = []): Pod {
    return makePod(name, {
      spec: {
        containers: [{ name: 'main', ...container }],
        imagePullSecrets: pullSecrets.map((each) => ({ name: each })),
      },
    });
  }

  function ensure(pod: Pod, signal = new AbortController().signal): Promise<RuntimeImage> {
    return manager.ensure(pod, containerOf(pod), makeSandboxConfig(), signal);
  }

  function containerOf(pod: Pod): PodContainer {
    const [container] = pod.spec.containers;
    assert.ok(container !== undefined);
    return container;
  }

  async function fails(pod: Pod, reason: ContainerErrorReason, message: RegExp | string): Promise<void> {
    await assert.rejects(ensure(pod), (error) => {
      assert.ok(error instanceof ContainerError, String(error));
      assert.equal(error.reason, reason);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  }

  function said(): string[] {
    return events.splice(0);
  }

  function login(name: string, username: string, password: string): void {
    const auths = { [HOST]: { username, password } };
    secrets.set(`secrets/default/${name}`, {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
    });
  }

  it('takes an image that is there', async () => {
    const id = store.put(IMAGE);
    assert.equal((await ensure(podOf({ image: IMAGE }))).id, id);
    assert.deepEqual(said(), [`Normal Pulled a/main: Container image "${IMAGE}" already present on machine`]);
    assert.deepEqual(store.pulls, []);
  });

  it('pulls one that is not there, and says how long it took', async () => {
    store.offer(IMAGE, { sizeBytes: 4_711 });
    store.hold();
    const ensured = ensure(podOf({ image: IMAGE }));
    await pullsToBegin(1);
    await clock.advance(1_250);
    store.release();
    assert.deepEqual((await ensured).tags, [IMAGE]);
    assert.equal(pulledCount, 1);
    assert.deepEqual(pulls, ['pulled']);
    assert.deepEqual(said(), [
      `Normal Pulling a/main: Pulling image "${IMAGE}"`,
      `Normal Pulled a/main: Successfully pulled image "${IMAGE}" in 1.25s (1.25s including waiting). Image size: 4711 bytes.`,
    ]);
  });

  it('pulls once for many pods, two images at a time', async () => {
    for (const name of ['a', 'b', 'c']) store.offer(`${HOST}/${name}:1`);
    store.hold();
    const all = ['a', 'a', 'b', 'c', 'a'].map((name, index) =>
      ensure(podOf({ image: `${HOST}/${name}:1` }, `pod-${index}`)),
    );
    await pullsToBegin(2);
    await clock.advance(100);
    assert.equal(store.pulls.length, 2);
    store.release();
    await Promise.all(all);
    assert.deepEqual(
      store.pulls.map(({ image }) => image),
      ['a', 'b', 'c'].map((name) => `${HOST}/${name}:1`),
    );
    assert.deepEqual(pulls, Array(3).fill('pulled'));
    const waited = said().find((each) => each.includes(`${HOST}/c:1" in`));
    assert.match(waited ?? '', /in 0s \(100ms including waiting\)/);
  });

  it('refuses a name that is none', async () => {
    const problem = `couldn't parse image name "App": repository name must be lowercase`;
    await fails(
      podOf({ image: 'App' }),
      'InvalidImageName',
      `Failed to apply default image tag "App": ${problem}`,
    );
    assert.deepEqual(said(), [
      `Warning InspectFailed a/main: Failed to apply default image tag "App": ${problem}`,
    ]);
    await fails(podOf({}), 'InvalidImageName', /couldn't parse image name ""/);
  });

  it('never pulls with policy Never', async () => {
    store.offer(IMAGE);
    const pod = podOf({ image: IMAGE, imagePullPolicy: 'Never' });
    const message = `Container image "${IMAGE}" is not present with pull policy of Never`;
    await fails(pod, 'ErrImageNeverPull', message);
    assert.deepEqual(said(), [`Warning ErrImageNeverPull a/main: ${message}`]);
    store.put(IMAGE);
    await ensure(pod);
    assert.deepEqual(store.pulls, []);
  });

  it('says that the runtime could not tell', async () => {
    store.statusFailure = new Error('broken');
    await fails(podOf({ image: IMAGE }), 'ImageInspectError', `Failed to inspect image "${IMAGE}": broken`);
    assert.deepEqual(said(), [`Warning InspectFailed a/main: Failed to inspect image "${IMAGE}": broken`]);
  });

  it('asks for the tag that a name without one means', async () => {
    store.offer('docker.io/library/app:latest');
    await ensure(podOf({ image: 'app' }));
    assert.deepEqual(
      store.pulls.map(({ image }) => image),
      ['app:latest'],
    );
  });

  describe('back-off', () => {
    it('waits 10 s, 20 s, 40 s, and says what failed', async () => {
      const pod = podOf({ image: IMAGE });
      const waits: (number | undefined)[] = [];
      for (let index = 0; index < 3; index++) {
        await fails(pod, 'ErrImagePull', /not found/);
        const retryAtMs = manager.retryAtMs(pod, containerOf(pod));
        waits.push(retryAtMs === undefined ? undefined : retryAtMs - clock.wallMs());
        await fails(pod, 'ImagePullBackOff', /^Back-off pulling image ".*app:1": ErrImagePull: .*not found$/);
        await clock.advance(waits[index] ?? 0);
      }
      assert.deepEqual(waits, [10_000, 20_000, 40_000]);
      assert.equal(store.pulls.length, 3);
      assert.deepEqual(pulls, Array(3).fill('failed'));
      assert.equal(manager.retryAtMs(pod, containerOf(pod)), undefined);
      const [pulling, failed, waiting] = said();
      assert.equal(pulling, `Normal Pulling a/main: Pulling image "${IMAGE}"`);
      assert.match(failed ?? '', /^Warning Failed a\/main: Failed to pull image ".*app:1": .*not found$/);
      assert.equal(waiting, `Normal BackOff a/main: Back-off pulling image "${IMAGE}"`);
    });

    it('is of one pod and one image', async () => {
      await fails(podOf({ image: IMAGE }), 'ErrImagePull', /not found/);
      await fails(podOf({ image: IMAGE }, 'b'), 'ErrImagePull', /not found/);
      await fails(podOf({ image: `${HOST}/app:2` }), 'ErrImagePull', /not found/);
      await fails(podOf({ image: IMAGE }), 'ImagePullBackOff', /not found/);
    });

    it('does not hold back a pod whose image has come meanwhile', async () => {
      await fails(podOf({ image: IMAGE }), 'ErrImagePull', /not found/);
      store.put(IMAGE);
      await ensure(podOf({ image: IMAGE }));
    });

    it('is over after a success', async () => {
      const pod = podOf({ image: LATEST });
      await fails(pod, 'ErrImagePull', /not found/);
      await clock.advance(10_000);
      store.offer(LATEST);
      await ensure(pod);
      store.down.add(HOST);
      assert.equal(manager.retryAtMs(pod, containerOf(pod)), undefined);
    });
  });

  describe('logins', () => {
    const right = { username: 'u', password: 'p' };

    it('tries each that fits until one works', async () => {
      store.offer(IMAGE, { login: right });
      login('wrong', 'u', 'x');
      login('right', 'u', 'p');
      await ensure(podOf({ image: IMAGE }, 'a', ['wrong', 'right']));
      assert.deepEqual(
        store.pulls.map(({ login: each }) => each?.password),
        ['x', 'p'],
      );
    });

    it('says what each of them was told when none works', async () => {
      store.offer(IMAGE, { login: right });
      login('one', 'u', 'x');
      login('two', 'v', 'p');
      await fails(podOf({ image: IMAGE }, 'a', ['one', 'two']), 'ErrImagePull', /^\[.*401 Unauthorized\]$/);
      assert.equal(store.pulls.length, 2);
    });

    it('pulls without one where a secret is missing or damaged, and says so', async () => {
      store.offer(IMAGE);
      secrets.set('secrets/default/bad', {
        type: 'kubernetes.io/dockerconfigjson',
        data: { '.dockerconfigjson': '?' },
      });
      await ensure(podOf({ image: IMAGE }, 'a', ['gone', 'bad']));
      assert.equal(
        said()[0],
        'Warning FailedToRetrieveImagePullSecret a/: Unable to retrieve some image pull secrets (gone, bad); attempting to pull the image may not succeed.',
      );
      assert.deepEqual(store.pulls, [{ image: IMAGE, login: undefined }]);
    });

    it('does not share a pull with another login', async () => {
      store.offer(IMAGE, { login: right });
      login('right', 'u', 'p');
      const outcomes = await Promise.allSettled([
        ensure(podOf({ image: IMAGE }, 'a', ['right'])),
        ensure(podOf({ image: IMAGE }, 'b')),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
    });
  });

  it('gives up with the reason of its signal, and without back-off', async () => {
    store.offer(IMAGE);
    store.hold();
    const leaving = new AbortController();
    const pod = podOf({ image: IMAGE });
    const ensured = ensure(pod, leaving.signal);
    await pullsToBegin(1);
    const reason = new Error('the pod is to end');
    leaving.abort(reason);
    await assert.rejects(ensured, reason);
    await eventually('the pull was given up', () => pulls.join() === 'aborted');
    assert.equal(manager.retryAtMs(pod, containerOf(pod)), undefined);
    await assert.rejects(ensure(pod, AbortSignal.abort(reason)), reason);
  });

  describe('with policy Always', () => {
    const pod = podOf({ image: LATEST });

    it('asks the registry each time', async () => {
      store.offer(LATEST, { content: '1' });
      const first = await ensure(pod);
      store.offer(LATEST, { content: '2' });
      const second = await ensure(pod);
      assert.notEqual(second.id, first.id);
      assert.equal(store.pulls.length, 2);
    });

    it('does not start a pod for the first time while the registry is away', async () => {
      store.put(LATEST);
      store.down.add(HOST);
      await fails(pod, 'ErrImagePull', /connection refused/);
      await fails(pod, 'ImagePullBackOff', /connection refused/);
    });

    it('starts with what it was given before, after a power cut, without the registry', async () => {
      store.offer(LATEST);
      const { id } = await ensure(pod);
      said();
      manager = open();
      store.down.add(HOST);
      assert.equal((await ensure(pod)).id, id);
      const [, failed, pulled] = said();
      assert.match(failed ?? '', /^Warning Failed a\/main: Failed to pull image .*connection refused$/);
      assert.equal(
        pulled,
        `Normal Pulled a/main: Container image "${LATEST}" already present on machine: its registry does not answer, and this pod was given it before`,
      );
      assert.equal(manager.retryAtMs(pod, containerOf(pod)), undefined);
    });

    it('does not start another pod with it', async () => {
      store.offer(LATEST);
      await ensure(pod);
      store.down.add(HOST);
      await fails(podOf({ image: LATEST }, 'b'), 'ErrImagePull', /connection refused/);
    });

    it('starts with the very image, not with what another pod has pulled since', async () => {
      store.offer(LATEST, { content: '1' });
      const { id } = await ensure(pod);
      store.offer(LATEST, { content: '2' });
      await ensure(podOf({ image: LATEST }, 'b'));
      store.down.add(HOST);
      assert.equal((await ensure(pod)).id, id);
    });

    it('does not start with an image that is gone', async () => {
      store.offer(LATEST);
      const { id } = await ensure(pod);
      await store.remove(id);
      store.down.add(HOST);
      await fails(pod, 'ErrImagePull', /connection refused/);
    });

    it('obeys a registry that says no', async () => {
      store.offer(LATEST);
      await ensure(pod);
      store.offer(LATEST, { login: { username: 'u', password: 'p' } });
      await fails(pod, 'ErrImagePull', /401/);
      await fails(pod, 'ImagePullBackOff', /401/);
      assert.equal(store.pulls.length, 2);
    });

    it('does not take an absent runtime for an absent registry', async () => {
      store.offer(LATEST);
      await ensure(pod);
      store.pull = () =>
        Promise.reject(new RuntimeError('ERR_EDGECORE_RUNTIME_UNREACHABLE', 'nobody listens'));
      await fails(pod, 'ErrImagePull', 'nobody listens');
    });

    it('asks an absent registry once for all pods, and again after its back-off', async () => {
      const pods = ['a', 'b', 'c'].map((name) => podOf({ image: `${HOST}/${name}` }, name));
      for (const name of ['a', 'b', 'c']) store.offer(`${HOST}/${name}:latest`);
      for (const each of pods) await ensure(each);
      manager = open();
      store.down.add(HOST);
      store.pulls.length = 0;
      store.hold();
      const all = pods.map((each) => ensure(each));
      await pullsToBegin(2);
      store.release();
      await Promise.all(all);
      assert.equal(store.pulls.length, 2); // the third was waiting for its turn
      for (const each of pods) await ensure(each);
      assert.equal(store.pulls.length, 2);
      await clock.advance(10_000);
      for (const each of pods) await ensure(each);
      assert.equal(store.pulls.length, 3);
      store.down.delete(HOST);
      await clock.advance(20_000);
      await ensure(podOf({ image: `${HOST}/a` }));
      said();
      await ensure(podOf({ image: `${HOST}/a` }));
      assert.match(said()[1] ?? '', /Successfully pulled/);
    });

    it('writes what a pod was given once, and starts it even if that cannot be written', async () => {
      store.offer(LATEST);
      await ensure(pod);
      await ensure(pod);
      assert.equal(state.writes, 1);
      state.failure = new Error('disk full');
      await ensure(podOf({ image: LATEST }, 'b'));
    });
  });

  it('writes nothing for pods of other policies', async () => {
    store.offer(IMAGE);
    await ensure(podOf({ image: IMAGE }));
    assert.equal(state.writes, 0);
  });

  async function pullsToBegin(count: number): Promise<void> {
    while (store.pulls.length < count) await new Promise((resolve) => setImmediate(resolve));
  }
});
