import assert from 'node:assert/strict';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { ContainerState } from '../../../src/cri/container-messages.ts';
import { ContainerDelete, Envelope, TaskDelete } from '../../../src/cri/containerd-messages.ts';
import { CONTAINERD_EVENTS_PATH } from '../../../src/cri/containerd-events.ts';
import { frameOf } from '../../../src/cri/grpc-frames.ts';
import { CriRuntime } from '../../../src/runtime/cri/cri-runtime.ts';
import { begin } from '../../cri/fake-server.ts';
import { FakeCri, Refusal, type Answers } from './fake-cri.ts';
import { sampleContainer, sampleSandbox } from './sample-configs.ts';

const NEVER = new AbortController().signal;
const IMAGE = 'registry.example/app:1';
/** After so long the runtime surely tells of what happens, milliseconds. */
const SURELY_LISTENS_MS = 1_000;

describe('What CriRuntime need not wait for', () => {
  let temp: TempDir;
  let clock: FakeClock;
  let fake: FakeCri;
  let runtime: CriRuntime;
  const streams: Parameters<typeof begin>[0][] = [];

  beforeEach(async () => {
    temp = await makeTempDir();
    clock = new FakeClock();
  });
  afterEach(async () => {
    await runtime.stop();
    await fake.server.stop();
    await temp.remove();
    streams.length = 0;
  });

  async function open(answers: Answers, listens = true): Promise<void> {
    const socket = path.join(temp.path, 'cri.sock');
    fake = new FakeCri(socket, answers);
    if (listens)
      fake.others.set(CONTAINERD_EVENTS_PATH, (stream) => {
        begin(stream);
        streams.push(stream);
      });
    await fake.server.start();
    runtime = new CriRuntime({ endpoint: `unix://${socket}`, log: silentLogger, clock });
    await runtime.start();
  }

  function send(topic: string, value: Uint8Array = new Uint8Array(0)): void {
    const event = { namespace: 'k8s.io', topic, event: { typeUrl: 'any', value } };
    for (const stream of streams) stream.write(frameOf(Envelope.encode(event)));
  }

  const count = (call: string): number => fake.calls.filter((each) => each === call).length;

  async function listening(): Promise<void> {
    await eventually('it listens', () => streams.length > 0);
    await clock.advance(SURELY_LISTENS_MS);
  }

  describe('an image that is here', () => {
    const present: Answers = { ImageStatus: () => ({ image: { id: 'sha256:1', repoTags: [IMAGE] } }) };

    it('is asked for once, until the runtime tells of images', async () => {
      await open(present);
      await runtime.images.status(IMAGE);
      await runtime.images.status(IMAGE);
      assert.equal(count('ImageStatus'), 2, 'what happens may be missed yet');
      await listening();
      for (let n = 0; n < 3; n += 1) assert.equal((await runtime.images.status(IMAGE))?.id, 'sha256:1');
      assert.equal(count('ImageStatus'), 3);
      for (const [index, topic] of ['/images/create', '/images/update', '/images/delete'].entries()) {
        const before = count('ImageStatus');
        assert.equal(before, 3 + index);
        send(topic);
        await eventually(`${topic} is heard`, async () => {
          await runtime.images.status(IMAGE);
          return count('ImageStatus') > before;
        });
      }
    });

    it('is asked for again after a pull or a removal of our own, before the runtime tells of it', async () => {
      await open({ ...present, PullImage: () => ({ imageRef: 'sha256:2' }), RemoveImage: () => ({}) });
      await listening();
      await runtime.images.status(IMAGE);
      await runtime.images.pull(IMAGE, undefined, undefined, NEVER);
      await runtime.images.status(IMAGE);
      assert.equal(count('ImageStatus'), 2);
      await runtime.images.remove(IMAGE);
      await runtime.images.status(IMAGE);
      assert.equal(count('ImageStatus'), 3);
    });

    it('is not remembered where something changed while it was asked for', async () => {
      await open({
        ImageStatus: () => {
          runtime.images.changed();
          return { image: { id: 'sha256:1' } };
        },
      });
      await listening();
      await runtime.images.status(IMAGE);
      await runtime.images.status(IMAGE);
      assert.equal(count('ImageStatus'), 2);
    });

    it('is asked for each time after the connection broke, and where nobody tells of images', async () => {
      await open(present);
      await listening();
      await runtime.images.status(IMAGE);
      for (const stream of streams.splice(0)) stream.close();
      await eventually('it noticed', async () => {
        await clock.advance(1); // no second: it does not listen for sure again
        await runtime.images.status(IMAGE);
        return count('ImageStatus') > 1;
      });
    });

    it('is asked for each time where it is not here', async () => {
      await open({ ImageStatus: () => ({}) });
      await listening();
      await runtime.images.status(IMAGE);
      assert.equal(await runtime.images.status(IMAGE), undefined);
      assert.equal(count('ImageStatus'), 2);
    });
  });

  describe('the version', () => {
    it('is that of a life before while nobody answers, and then what it says; which is told when it is another one', async () => {
      const versions: string[] = [];
      await open({});
      await runtime.stop();
      const socket = path.join(temp.path, 'cri.sock');
      const again = (lastKnown: string, endpoint: string): Promise<void> => {
        const onVersion = (version: string): number => versions.push(version);
        runtime = new CriRuntime({ endpoint, lastKnown, onVersion, log: silentLogger, clock });
        return runtime.start();
      };
      await again('containerd://1.6.20', `${socket}-away`);
      assert.equal(runtime.version, 'containerd://1.6.20');
      assert.deepEqual(versions, []);
      await runtime.stop();
      await again('containerd://1.6.20', socket);
      assert.equal(runtime.version, 'fake://1.0');
      assert.deepEqual(versions, ['fake://1.0']);
      await runtime.stop();
      versions.length = 0;
      await again('fake://1.0', socket);
      assert.deepEqual(versions, []);
    });
  });

  it('looks after a hundred containers that end at once without a warning of Node', async () => {
    const warnings: string[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning.name);
    process.on('warning', onWarning);
    const ids = Array.from({ length: 100 }, (_, index) => `c${index}`);
    const labels = { 'io.kubernetes.pod.uid': 'uid-1', 'hawser.dev/managed-by': 'edgecore' };
    let isOver = false;
    await open({
      ListContainers: () => ({
        containers: ids.map((id) => ({
          ...{ id, podSandboxId: 's1', metadata: { name: id, attempt: 0 }, labels },
          state: ContainerState.CONTAINER_RUNNING,
        })),
      }),
      ContainerStatus: ({ containerId: id }) => ({
        status: { id, state: isOver ? ContainerState.CONTAINER_EXITED : ContainerState.CONTAINER_RUNNING },
      }),
    });
    let told = 0;
    await listening();
    runtime.listen((uid) => (told += Number(uid === 'uid-1')));
    await runtime.list();
    for (const id of ids) send('/tasks/delete', TaskDelete.encode({ containerId: id }));
    await eventually('all are looked after', () => count('ContainerStatus') >= 200);
    isOver = true;
    await eventually('all have ended', async () => {
      await clock.advance(2);
      return told === ids.length;
    });
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
  });

  describe('a pod that the runtime has nothing of', () => {
    const lists = (): number => count('ListPodSandbox') + count('ListContainers');
    const isAsked = async (uid: string): Promise<boolean> => {
      const before = lists();
      assert.equal(await runtime.get(uid), undefined);
      return lists() > before;
    };

    it('is not asked for, once all was listed', async () => {
      await open({});
      assert.equal(await isAsked('uid-1'), true);
      await runtime.list();
      assert.equal(await isAsked('uid-1'), false);
    });

    it('is asked for after a sandbox that may have been made all the same, until all is listed', async () => {
      await open({
        RunPodSandbox: () => {
          throw new Refusal(2, 'no network');
        },
      });
      await runtime.list();
      await assert.rejects(runtime.createSandbox(sampleSandbox(), NEVER));
      assert.equal(await isAsked('uid-1'), true);
      await runtime.list();
      assert.equal(await isAsked('uid-1'), false);
    });

    it('is asked for where that happened while all was being listed', async () => {
      await open({
        RunPodSandbox: () => {
          throw new Refusal(2, 'no network');
        },
      });
      const listed = runtime.list();
      await assert.rejects(runtime.createSandbox(sampleSandbox(), NEVER));
      await listed;
      // Whichever came first to the runtime: the list may not have it.
      assert.equal(await isAsked('uid-1'), true);
    });

    it('is asked for after the connection broke', async () => {
      await open({});
      await listening();
      await runtime.list();
      for (const stream of streams.splice(0)) stream.close();
      await eventually('it noticed', () => isAsked('uid-1'));
    });

    it('is asked for once something of it was made, until that is gone', async () => {
      const metadata = { uid: 'uid-1', name: 'web', namespace: 'default', attempt: 0 };
      let isThere = true;
      await open({
        RunPodSandbox: () => ({ podSandboxId: 's1' }),
        ListPodSandbox: () => ({ items: isThere ? [{ id: 's1', metadata }] : [] }),
        PodSandboxStatus: () => ({ status: { id: 's1' } }),
      });
      await listening();
      await runtime.list();
      await runtime.createSandbox({ ...sampleSandbox(), uid: 'uid-1' }, NEVER);
      assert.equal((await runtime.get('uid-1'))?.sandboxes.length, 1);
      isThere = false;
      assert.equal(await isAsked('uid-1'), true);
      send('/containers/delete', ContainerDelete.encode({ id: 's1' }));
      await eventually('it is known to be gone', async () => !(await isAsked('uid-1')));
    });
  });

  it('asks for what it has just made beside the lists, and once', async () => {
    const labels = { 'io.kubernetes.pod.uid': 'uid-1', 'hawser.dev/managed-by': 'edgecore' };
    const metadata = { uid: 'uid-1', name: 'web', namespace: 'default', attempt: 0 };
    const container = {
      ...{ id: 'c1', podSandboxId: 's1', metadata: { name: 'main', attempt: 0 }, labels },
      state: ContainerState.CONTAINER_RUNNING,
    };
    await open({
      RunPodSandbox: () => ({ podSandboxId: 's1' }),
      CreateContainer: () => ({ containerId: 'c1' }),
      ListPodSandbox: () => ({ items: [{ id: 's1', metadata }] }),
      ListContainers: () => ({ containers: count('CreateContainer') === 0 ? [] : [container] }),
      PodSandboxStatus: () => ({ status: { id: 's1', network: { ip: '10.0.0.2' } } }),
      ContainerStatus: () => ({ status: { id: 'c1', state: ContainerState.CONTAINER_RUNNING } }),
    });
    const sandbox = { ...sampleSandbox(), uid: 'uid-1' };
    await runtime.createSandbox(sandbox, NEVER);
    fake.calls.length = 0;
    assert.deepEqual((await runtime.get('uid-1'))?.sandboxes[0]?.ips, ['10.0.0.2']);
    assert.deepEqual(fake.calls.toSorted(), ['ListContainers', 'ListPodSandbox', 'PodSandboxStatus']);
    await runtime.createContainer('s1', sandbox, sampleContainer(), NEVER);
    fake.calls.length = 0;
    fake.calls.push('CreateContainer'); // it is listed from now on
    assert.equal((await runtime.get('uid-1'))?.containers[0]?.state, 'running');
    await runtime.get('uid-1');
    assert.equal(count('ContainerStatus'), 1);
    assert.equal(count('PodSandboxStatus'), 0);
  });
});
