import assert from 'node:assert/strict';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, within, type TempDir } from '@hawser/seams/testing';
import {
  ContainerDelete,
  Envelope,
  TaskDelete,
  TaskExit,
  TaskOOM,
} from '../../../src/cri/containerd-messages.ts';
import { CONTAINERD_EVENTS_PATH } from '../../../src/cri/containerd-events.ts';
import { ContainerEventResponse, ContainerState } from '../../../src/cri/container-messages.ts';
import { CRI_EVENTS_PATH } from '../../../src/cri/cri-client.ts';
import { frameOf } from '../../../src/cri/grpc-frames.ts';
import { PodSandboxState } from '../../../src/cri/sandbox-messages.ts';
import type { Encodable, Fields, Message } from '../../../src/cri/wire.ts';
import { EdgeCoreError } from '../../../src/errors.ts';
import type { RuntimeContainer } from '../../../src/runtime/container-runtime.ts';
import { CriRuntime } from '../../../src/runtime/cri/cri-runtime.ts';
import { begin } from '../../cri/fake-server.ts';
import { FakeCri, Refusal, type Answers } from './fake-cri.ts';
import { sampleContainer, sampleSandbox } from './sample-configs.ts';

const NEVER = new AbortController().signal;
const LABELS = { 'io.kubernetes.pod.uid': 'uid-1', 'hawser.dev/managed-by': 'edgecore' };
const READY = { id: 's1', metadata: { uid: 'uid-1', name: 'web', namespace: 'default', attempt: 0 } };
const NOT_READY = { ...READY, state: PodSandboxState.SANDBOX_NOTREADY };
const CONTAINER = { id: 'c1', podSandboxId: 's1', metadata: { name: 'main', attempt: 0 }, labels: LABELS };
const TAKEN = 'failed to reserve name "main_web_default_uid-1_0": name is reserved for "c1"';

describe('CriRuntime', () => {
  let temp: TempDir;
  let fake: FakeCri;
  let runtime: CriRuntime;
  let told: (string | undefined)[];

  async function open(answers: Answers = {}, clock?: FakeClock): Promise<void> {
    fake = new FakeCri(path.join(temp.path, 'cri.sock'), answers);
    await fake.server.start();
    make(clock);
  }

  function make(clock?: FakeClock): void {
    const endpoint = `unix://${path.join(temp.path, 'cri.sock')}`;
    runtime = new CriRuntime({ endpoint, log: silentLogger, ...(clock === undefined ? {} : { clock }) });
    told = [];
    runtime.listen((uid) => told.push(uid));
  }

  beforeEach(async () => {
    temp = await makeTempDir();
  });
  afterEach(async () => {
    await runtime.stop();
    await fake.server.stop();
    await temp.remove();
  });

  /** Lets a service beside CRI send messages; what is given back sends one. */
  function streamOf<F extends Fields>(
    at: string,
    message: Message<F>,
  ): (value: Encodable<F>) => Promise<void> {
    const streams: Parameters<typeof begin>[0][] = [];
    fake.others.set(at, (stream) => {
      begin(stream);
      streams.push(stream);
    });
    return async (value) => {
      await eventually('somebody listens', () => streams.length > 0);
      for (const stream of streams) stream.write(frameOf(message.encode(value)));
    };
  }

  const sendContainerd = (): ((topic: string, value: Uint8Array) => Promise<void>) => {
    const send = streamOf(CONTAINERD_EVENTS_PATH, Envelope);
    return (topic, value) => send({ namespace: 'k8s.io', topic, event: { typeUrl: 'any', value } });
  };

  describe('making a sandbox whose name is taken', () => {
    function answers(sandboxes: readonly object[], containers: readonly object[] = []): Answers {
      let runs = 0;
      return {
        RunPodSandbox: () => {
          runs += 1;
          if (runs === 1) throw new Refusal(2, TAKEN);
          return { podSandboxId: 'new' };
        },
        ListPodSandbox: () => ({ items: sandboxes }),
        ListContainers: () => ({ containers }),
        StopPodSandbox: () => ({}),
        RemovePodSandbox: () => ({}),
      };
    }
    const create = (): Promise<string> => runtime.createSandbox(sampleSandbox(), NEVER);

    it('finds the one that is there', async () => {
      await open(answers([{ ...READY, id: 'other', metadata: { ...READY.metadata, attempt: 1 } }, READY]));
      assert.equal(await create(), 's1');
      assert.ok(!fake.calls.includes('RemovePodSandbox'));
    });

    it('makes one anew that was left half-made', async () => {
      await open(answers([NOT_READY], [{ ...CONTAINER, podSandboxId: 'other' }]));
      assert.equal(await create(), 'new');
      assert.deepEqual(fake.calls.slice(-3), ['StopPodSandbox', 'RemovePodSandbox', 'RunPodSandbox']);
    });

    it('leaves one with containers, which tell how they ended', async () => {
      await open(answers([NOT_READY], [CONTAINER]));
      assert.equal(await create(), 's1');
      assert.ok(!fake.calls.includes('RemovePodSandbox'));
    });

    it('fails while somebody else is at it', async () => {
      await open(answers([]));
      await assert.rejects(create(), { code: 'ERR_EDGECORE_RUNTIME', message: TAKEN });
    });

    it('is not what any other refusal is taken for', async () => {
      await open({
        RunPodSandbox: () => {
          throw new Refusal(2, 'no network');
        },
      });
      await assert.rejects(create(), { message: 'no network' });
      assert.deepEqual(fake.calls, ['RunPodSandbox']);
    });
  });

  describe('making a container whose name is taken', () => {
    function answers(state: 0 | 1 | 2 | 3): Answers {
      let creates = 0;
      return {
        CreateContainer: () => {
          creates += 1;
          if (creates === 1) throw new Refusal(6, 'there is one');
          return { containerId: 'new' };
        },
        ListContainers: () => ({
          containers: [
            { ...CONTAINER, id: 'c0', metadata: { name: 'main', attempt: 1 } },
            { ...CONTAINER, state },
          ],
        }),
        RemoveContainer: () => ({}),
      };
    }
    const create = (): Promise<string> =>
      runtime.createContainer('s1', sampleSandbox(), sampleContainer(), NEVER);

    for (const state of [0, 1, 2] as const) {
      it(`finds the one that is there (state ${state})`, async () => {
        await open(answers(state));
        assert.equal(await create(), 'c1');
        assert.ok(!fake.calls.includes('RemoveContainer'));
      });
    }

    it('makes one anew whose state is lost', async () => {
      await open(answers(ContainerState.CONTAINER_UNKNOWN));
      assert.equal(await create(), 'new');
      assert.deepEqual(fake.calls.slice(-2), ['RemoveContainer', 'CreateContainer']);
    });
  });

  describe('a mount that is to be read-only with all below it', () => {
    const mounts = [{ hostPath: '/a', containerPath: '/data', readOnly: true, recursiveReadOnly: true }];
    const create = (runtimeHandler = ''): Promise<string> =>
      runtime.createContainer('s1', sampleSandbox({ runtimeHandler }), sampleContainer({ mounts }), NEVER);

    it('is refused where the runtime would not do it', async () => {
      await open({ CreateContainer: () => ({ containerId: 'c1' }) });
      await runtime.start();
      await assert.rejects(create(), {
        code: 'ERR_EDGECORE_RUNTIME',
        message: /^\/data: .*recursive read-only/,
      });
      assert.ok(!fake.calls.includes('CreateContainer'));
    });

    it('is made where the handler says that it does', async () => {
      await open({
        CreateContainer: () => ({ containerId: 'c1' }),
        Status: () => ({
          runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: true } }, { name: 'vm' }],
        }),
      });
      await runtime.start();
      assert.equal(await create(), 'c1');
      await assert.rejects(create('vm'), /recursive read-only/);
    });
  });

  describe('what is asked for again', () => {
    const refused =
      (status: number): (() => never) =>
      () => {
        throw new Refusal(status, 'refused');
      };

    it('is done where it is not there any more', async () => {
      await open({
        StopContainer: refused(5),
        RemoveContainer: refused(5),
        StopPodSandbox: refused(5),
        RemovePodSandbox: refused(5),
        RemoveImage: refused(5),
        ImageStatus: refused(5),
      });
      await runtime.stopContainer('c1', 1, NEVER);
      await runtime.removeContainer('c1', NEVER);
      await runtime.stopSandbox('s1', NEVER);
      await runtime.removeSandbox('s1', NEVER);
      await runtime.images.remove('i');
      assert.equal(await runtime.images.status('i'), undefined);
    });

    it('is not done where it failed', async () => {
      await open({ StopContainer: refused(2), RemovePodSandbox: refused(2), StopPodSandbox: () => ({}) });
      await assert.rejects(runtime.stopContainer('c1', 1, NEVER), /refused/);
      await assert.rejects(runtime.removeSandbox('s1', NEVER), /refused/);
    });

    for (const [what, state, done] of [
      ['runs', ContainerState.CONTAINER_RUNNING, true],
      ['ended', ContainerState.CONTAINER_EXITED, false],
    ] as const) {
      it(`is ${done ? '' : 'not '}started where it ${what} already`, async () => {
        await open({ StartContainer: refused(2), ContainerStatus: () => ({ status: { id: 'c1', state } }) });
        const starting = runtime.startContainer('c1', NEVER);
        if (done) await starting;
        else await assert.rejects(starting, /refused/);
      });
    }
  });

  describe('commands', () => {
    for (const [timeoutMs, seconds] of [
      [1_000, 1],
      [1_001, 2],
      [200, 1],
      [30_000, 30],
    ] as const) {
      it(`have ${seconds} s of the runtime's for ${timeoutMs} ms`, async () => {
        let asked: unknown;
        await open({
          ExecSync: (request) => {
            asked = request;
            return { exitCode: 4, stdout: Buffer.from('a'), stderr: Buffer.from('b') };
          },
        });
        const result = await runtime.exec('c1', ['x', ''], timeoutMs, NEVER);
        assert.deepEqual(asked, { containerId: 'c1', cmd: ['x', ''], timeout: seconds });
        assert.deepEqual(result, { exitCode: 4, stdout: 'a', stderr: 'b' });
      });
    }

    it('have the beginning of their output shown, in whole characters', async () => {
      await open({ ExecSync: () => ({ stdout: Buffer.from(`x${'ä'.repeat(40_000)}`) }) });
      const { stdout } = await runtime.exec('c1', ['x'], 1_000, NEVER);
      assert.equal(stdout, `x${'ä'.repeat(32_767)}`);
    });
  });

  it('refuses an endpoint that is no unix socket', async () => {
    await open();
    for (const endpoint of ['tcp://127.0.0.1:1', 'containerd.sock', '', 'unix://containerd.sock']) {
      assert.throws(
        () => new CriRuntime({ endpoint, log: silentLogger }),
        (error) => error instanceof EdgeCoreError && error.code === 'ERR_EDGECORE_CONFIG',
      );
    }
  });

  it('asks for no more than it has to', async () => {
    const containers = Array.from({ length: 300 }, (_, at) => ({
      ...CONTAINER,
      id: `c${at}`,
      state: at % 2 === 0 ? ContainerState.CONTAINER_RUNNING : ContainerState.CONTAINER_EXITED,
    }));
    await open({
      ListPodSandbox: () => ({ items: [READY] }),
      ListContainers: () => ({ containers }),
      ContainerStatus: ({ containerId: id }) => ({
        status: { id, state: Number(id.slice(1)) % 2 === 0 ? 1 : 2, exitCode: 3, reason: 'Error' },
      }),
      PodSandboxStatus: () => ({ status: { id: 's1', network: { ip: '10.0.0.2' } } }),
    });
    const first = await runtime.list();
    assert.equal(first[0]?.containers.length, 300);
    assert.deepEqual(first[0].sandboxes[0]?.ips, ['10.0.0.2']);
    assert.equal(fake.calls.length, 2 + 300 + 1);
    assert.deepEqual(await runtime.list(), first);
    assert.deepEqual(await runtime.get('uid-1'), first[0]);
    assert.deepEqual(fake.calls.slice(303).sort(), [
      'ListContainers',
      'ListContainers',
      'ListPodSandbox',
      'ListPodSandbox',
    ]);
  });

  it('leaves out what went while it looked', async () => {
    await open({
      ListPodSandbox: () => ({ items: [NOT_READY] }),
      ListContainers: () => ({ containers: [CONTAINER] }),
      ContainerStatus: () => {
        throw new Refusal(5, 'not found');
      },
    });
    assert.deepEqual(
      (await runtime.list()).map((pod) => pod.containers),
      [[]],
    );
  });

  describe('a runtime that is away', () => {
    it('is no reason not to start, and is found when it comes', async () => {
      await open();
      await fake.server.stop();
      await runtime.start();
      await runtime.start(); // again: nothing happens
      assert.equal(runtime.version, 'unknown://unknown');
      const away = await runtime.conditions();
      assert.deepEqual(
        away.map(({ type, ok, reason }) => [type, ok, reason]),
        [
          ['RuntimeReady', false, 'ContainerRuntimeUnreachable'],
          ['NetworkReady', false, 'ContainerRuntimeUnreachable'],
        ],
      );
      await assert.rejects(runtime.list(), { code: 'ERR_EDGECORE_RUNTIME_UNREACHABLE' });
      fake = new FakeCri(fake.server.socketPath, {});
      await fake.server.start();
      await eventually('all pods are to be looked at', () => told.includes(undefined));
      assert.equal(runtime.version, 'fake://1.0');
    });

    it('is asked no more once it is stopped', async () => {
      await open();
      await fake.server.stop();
      await runtime.start();
      await within('the stop', runtime.stop());
      await runtime.stop();
      await assert.rejects(runtime.list(), { code: 'ERR_EDGECORE_RUNTIME_UNREACHABLE' });
    });

    it('may be stopped before it was started', async () => {
      await open();
      await runtime.stop();
      await runtime.start();
      assert.deepEqual(fake.calls, []);
    });
  });

  describe('news', () => {
    it('come from containerd, when CRI says the same', async () => {
      let looks = 0;
      await open({
        ListPodSandbox: () => ({ items: [READY] }),
        ListContainers: () => ({ containers: [{ ...CONTAINER, state: ContainerState.CONTAINER_RUNNING }] }),
        PodSandboxStatus: () => ({ status: { id: 's1' } }),
        ContainerStatus: () => ({ status: { id: 'c1', state: looks++ < 4 ? 1 : 2 } }),
      });
      const send = sendContainerd();
      await runtime.start();
      await runtime.list(); // it knows the container now, by one look
      await send('/tasks/exit', TaskExit.encode({ containerId: 'c1', id: 'a-probe' }));
      await send('/tasks/delete', TaskDelete.encode({ containerId: 'c1' }));
      await eventually('it is told', () => told.includes('uid-1'));
      assert.equal(looks, 5);
      assert.equal(told.filter((uid) => uid === 'uid-1').length, 1);
    });

    it('of an end come at once, and again when CRI says the same', async () => {
      let state: 1 | 2 = 1;
      await open({
        ListPodSandbox: () => ({ items: [READY] }),
        ListContainers: () => ({ containers: [{ ...CONTAINER, state }] }),
        PodSandboxStatus: () => ({ status: { id: 's1' } }),
        ContainerStatus: () => ({ status: { id: 'c1', state, exitCode: state === 1 ? 0 : 137 } }),
      });
      const send = sendContainerd();
      await runtime.start();
      await runtime.list();
      const container = async (): Promise<RuntimeContainer | undefined> =>
        (await runtime.get('uid-1'))?.containers[0];
      const exit = { containerId: 'c1', id: 'c1', exitStatus: 137 };
      await send(
        '/tasks/exit',
        TaskExit.encode({ ...exit, exitedAt: { seconds: 1_767_225_600, nanos: 7e6 } }),
      );
      await eventually('it is told', () => told.includes('uid-1'));
      const ended = { exitCode: 137, finishedAtMs: Date.UTC(2026, 0, 1) + 7 };
      const before = await container();
      assert.deepEqual([before?.state, before?.ended], ['running', ended]);
      told.length = 0;
      await send('/tasks/delete', TaskDelete.encode({ containerId: 'c1' }));
      state = 2;
      await eventually('it is told again', () => told.includes('uid-1'));
      const after = await container();
      assert.deepEqual([after?.state, after?.exitCode, after?.ended], ['exited', 137, undefined]);
      told.length = 0;
      await send('/tasks/exit', TaskExit.encode({ ...exit, exitedAt: { seconds: 1_767_225_600 } }));
      await send('/containers/delete', ContainerDelete.encode({ id: 'c1' }));
      await eventually('news went on', () => told.length > 0);
      assert.deepEqual(told, ['uid-1'], 'an end that is known is told no more');
    });

    it('of an end whose reason is not known yet say that, though CRI has its state', async () => {
      let reason = 'Error';
      await open({
        ListPodSandbox: () => ({ items: [READY] }),
        ListContainers: () => ({ containers: [{ ...CONTAINER, state: ContainerState.CONTAINER_RUNNING }] }),
        PodSandboxStatus: () => ({ status: { id: 's1' } }),
        ContainerStatus: () => ({
          status: { id: 'c1', state: reason === '' ? 1 : 2, exitCode: 137, reason },
        }),
      });
      reason = '';
      const send = sendContainerd();
      await runtime.start();
      await runtime.list();
      await send('/tasks/oom', TaskOOM.encode({ containerId: 'c1' }));
      const exit = { containerId: 'c1', id: 'c1', exitStatus: 137, exitedAt: { seconds: 1_767_225_600 } };
      await send('/tasks/exit', TaskExit.encode(exit));
      await send('/tasks/delete', TaskDelete.encode({ containerId: 'c1' }));
      reason = 'Error';
      await eventually('it is told', () => told.includes('uid-1'));
      const before = (await runtime.get('uid-1'))?.containers[0];
      assert.deepEqual([before?.state, before?.ended?.exitCode], ['exited', 137]);
      told.length = 0;
      reason = 'OOMKilled';
      await eventually('it is told again', () => told.includes('uid-1'));
      const after = (await runtime.get('uid-1'))?.containers[0];
      assert.deepEqual([after?.state, after?.reason, after?.ended], ['exited', 'OOMKilled', undefined]);
    });

    it('of one that was out of memory wait until CRI says that, too', async () => {
      let looks = 0;
      await open({
        ListPodSandbox: () => ({ items: [READY] }),
        ListContainers: () => ({ containers: [{ ...CONTAINER, state: ContainerState.CONTAINER_RUNNING }] }),
        PodSandboxStatus: () => ({ status: { id: 's1' } }),
        ContainerStatus: () => {
          looks += 1;
          return {
            status: { id: 'c1', state: looks === 1 ? 1 : 2, reason: looks < 4 ? 'Error' : 'OOMKilled' },
          };
        },
      });
      const send = sendContainerd();
      await runtime.start();
      await runtime.list();
      await send('/tasks/oom', TaskOOM.encode({ containerId: 'c1' }));
      await send('/tasks/delete', TaskDelete.encode({ containerId: 'c1' }));
      await eventually('it is told', () => told.includes('uid-1'));
      assert.equal(looks, 4);
    });

    it('of one that was out of memory come again, where that is known only after the end', async () => {
      let reason = 'Error';
      await open({
        ListPodSandbox: () => ({ items: [READY] }),
        ListContainers: () => ({ containers: [{ ...CONTAINER, state: ContainerState.CONTAINER_EXITED }] }),
        PodSandboxStatus: () => ({ status: { id: 's1' } }),
        ContainerStatus: () => ({
          status: { id: 'c1', state: ContainerState.CONTAINER_EXITED, exitCode: 137, reason },
        }),
      });
      const send = sendContainerd();
      await runtime.start();
      await runtime.list();
      await send('/tasks/delete', TaskDelete.encode({ containerId: 'c1' }));
      await eventually('the end is told', () => told.includes('uid-1'));
      told.length = 0;
      await send('/tasks/oom', TaskOOM.encode({ containerId: 'c1' }));
      reason = 'OOMKilled';
      await eventually('the reason is told', () => told.includes('uid-1'));
      assert.equal((await runtime.get('uid-1'))?.containers[0]?.reason, 'OOMKilled');
    });

    it('of an end without a delete come all the same', async () => {
      await open({
        ListPodSandbox: () => ({ items: [READY] }),
        PodSandboxStatus: () => ({ status: { id: 's1', state: PodSandboxState.SANDBOX_NOTREADY } }),
      });
      const send = sendContainerd();
      await runtime.start();
      // It is not known yet, and looked up.
      await send('/tasks/exit', TaskExit.encode({ containerId: 's1', id: 's1' }));
      await eventually('it is told', () => told.includes('uid-1'));
    });

    it('of what is somebody else’s are nobody’s', async () => {
      await open();
      const send = sendContainerd();
      await runtime.start();
      await send('/tasks/delete', TaskDelete.encode({ containerId: 'foreign' }));
      await eventually('it was looked up', () => fake.calls.includes('ListContainers'));
      await eventually('it is known that it listens', () => told.length === 2);
      assert.deepEqual(told, [undefined, undefined]);
    });

    it('that cannot be read end the stream, and another one is opened', async () => {
      await open();
      const send = sendContainerd();
      await runtime.start();
      await send('/tasks/exit', Buffer.from([0xff]));
      const asked = (): number => fake.calls.filter((call) => call === 'Version').length;
      await eventually('it was connected to again', () => asked() === 3);
    });

    it('come from CRI where the runtime is not containerd', async () => {
      await open();
      const send = streamOf(CRI_EVENTS_PATH, ContainerEventResponse);
      await runtime.start();
      const pod = (uid: string, owner: string): Encodable<typeof ContainerEventResponse.fields> => ({
        podSandboxStatus: { metadata: { uid }, labels: { 'hawser.dev/managed-by': owner } },
      });
      await send(pod('foreign', 'kubelet'));
      await send(pod('uid-1', 'edgecore'));
      await eventually('it is told', () => told.includes('uid-1'));
      assert.ok(!told.includes('foreign'));
    });

    it('are looked for every second where the runtime has none', async () => {
      const clock = new FakeClock();
      let state: 0 | 1 | 2 = ContainerState.CONTAINER_RUNNING;
      await open(
        {
          ListPodSandbox: () => ({ items: [READY] }),
          ListContainers: () => ({ containers: [{ ...CONTAINER, state }] }),
        },
        clock,
      );
      const lists = (): number => fake.calls.filter((call) => call === 'ListContainers').length;
      await runtime.start();
      await eventually('it was looked at', () => lists() === 1);
      for (const count of [2, 3]) {
        await eventually('it waits', () => clock.pendingTimers > 0);
        await clock.advance(1_000);
        await eventually('it was looked at again', () => lists() === count);
      }
      assert.ok(!told.includes('uid-1'));
      state = ContainerState.CONTAINER_EXITED;
      await eventually('it waits', () => clock.pendingTimers > 0);
      await clock.advance(1_000);
      await eventually('it is told', () => told.includes('uid-1'));
    });
  });
});
