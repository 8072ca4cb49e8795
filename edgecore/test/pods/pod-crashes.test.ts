import assert from 'node:assert/strict';
import type { Pod } from '../../src/pods/pod.ts';
import { makePod, SimulatedRuntime } from '../../testing/index.ts';
import { PodNode } from './pod-node.ts';

const pod = makePod('a', {
  spec: {
    initContainers: [{ name: 'setup' }, { name: 'side', restartPolicy: 'Always' }],
    containers: [{ name: 'one' }, { name: 'two' }],
  },
});
const deleted: Pod = {
  ...pod,
  metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:10:00Z', deletionGracePeriodSeconds: 5 },
};

describe('Restarts of the edge core, and of the machine', () => {
  let node: PodNode;

  beforeEach(() => {
    node = new PodNode();
    node.programs.set('setup', { endsAfterMs: 0 });
  });
  afterEach(() => node.manager.stop());

  it('takes over what runs, and leaves it alone', async () => {
    await node.run(pod);
    const before = node.status('uid-a');
    node.machine.log.length = 0;
    node.statuses.clear();
    await node.pass(3_600);
    await node.restart();
    await node.pass(600);
    assert.deepEqual(node.machine.log, []);
    assert.deepEqual(node.status('uid-a'), before);
  });

  it('starts a pod again after a power cut, and goes on counting', async () => {
    for (const keepsRecords of [true, false]) {
      node = new PodNode();
      node.programs.set('setup', { endsAfterMs: 0 });
      await node.run(pod);
      await node.manager.stop();
      node.machine.powerCut(keepsRecords);
      node.machine.log.length = 0;
      await node.pass(60);
      await node.restart();
      assert.deepEqual(node.machine.running, ['uid-a/one', 'uid-a/side', 'uid-a/two']);
      const { restartCount, lastState, state } = node.container('uid-a', 'one');
      assert.equal(restartCount, 1);
      assert.ok(state.running);
      assert.deepEqual(
        [lastState.terminated?.exitCode, lastState.terminated?.reason],
        keepsRecords ? [255, 'Unknown'] : [137, 'ContainerStatusUnknown'],
      );
      assert.equal(node.container('uid-a', 'setup').restartCount, 1, 'initialized anew');
      assert.equal(node.phase('uid-a'), 'Running');
      await node.manager.stop();
    }
  });

  it('does not run twice what is to run once', async () => {
    for (const keepsRecords of [true, false]) {
      node = new PodNode();
      await node.run(makePod('a', { spec: { restartPolicy: 'Never' } }));
      await node.manager.stop();
      node.machine.powerCut(keepsRecords);
      node.machine.log.length = 0;
      await node.restart();
      assert.deepEqual(node.machine.running, []);
      assert.equal(node.phase('uid-a'), 'Failed');
      const { exitCode, reason } = node.container('uid-a', 'main').state.terminated ?? {};
      assert.deepEqual([exitCode, reason], keepsRecords ? [255, 'Unknown'] : [137, 'ContainerStatusUnknown']);
      await node.manager.stop();
    }
  });

  it('makes another sandbox when one dies', async () => {
    await node.run(pod);
    node.machine.log.length = 0;
    node.machine.killSandbox('uid-a');
    await node.settle();
    assert.deepEqual(node.machine.running, ['uid-a/one', 'uid-a/side', 'uid-a/two']);
    assert.ok(node.machine.log.includes('sandbox uid-a#1'));
    assert.ok(
      node.events.includes('Normal SandboxChanged: Pod sandbox changed, it will be killed and re-created.'),
    );
  });

  it('notices what no event tells of, by its slow re-list', async () => {
    await node.run(pod);
    node.machine.listeners.clear();
    node.machine.exitOf('uid-a', 'one', { exitCode: 1 });
    await node.pass(30);
    assert.ok(!node.machine.running.includes('uid-a/one'));
    await node.pass(30);
    assert.ok(node.machine.running.includes('uid-a/one'));
  });

  it('takes what the slow re-list has for what there is, and asks for no pod by itself', async () => {
    await node.run(pod);
    node.machine.listeners.clear();
    let gets = 0;
    const { runtime } = node;
    const get = runtime.get.bind(runtime);
    runtime.get = (uid) => {
      gets += 1;
      return get(uid);
    };
    await node.pass(60);
    assert.equal(gets, 0);
    node.machine.exitOf('uid-a', 'one', { exitCode: 1 });
    await node.pass(60);
    assert.ok(node.machine.running.includes('uid-a/one'));
    assert.equal(gets, 1, 'after what it has done');
  });

  it('asks for a pod that has changed while all were being listed', async () => {
    await node.run(pod);
    const { runtime } = node;
    const list = runtime.list.bind(runtime);
    const old = await list();
    // It ends, and is started again, before the list is there: what that has of it is over.
    runtime.list = async () => {
      runtime.list = list;
      node.machine.exitOf('uid-a', 'one', { exitCode: 1 });
      await node.settle();
      return old;
    };
    await node.pass(60);
    const present = node.machine.pods.get('uid-a')?.containers.find(({ name }) => name === 'one');
    assert.equal(present?.attempt, 1);
    assert.equal(node.container('uid-a', 'one').containerID, `simulated://${present.id}`);
  });

  it('comes to the same whatever moment a life of it ends at', async () => {
    for (let lastCall = 1; ; lastCall++) {
      node = new PodNode();
      node.programs.set('setup', { endsAfterMs: 0 });
      await endsAt(node, lastCall);
      await node.put(pod);
      await node.manager.start().catch(() => {});
      await node.settle();
      const isDone = node.phase('uid-a') === 'Running' && node.machine.running.length === 3;
      void node.manager.stop();
      node.scripted.before = () => Promise.resolve();
      node.again();
      await node.manager.start();
      await node.settle();
      assert.deepEqual(
        node.machine.running,
        ['uid-a/one', 'uid-a/side', 'uid-a/two'],
        `after ${lastCall} calls`,
      );
      assert.equal(node.machine.pods.get('uid-a')?.sandboxes.length, 1);
      const starts = node.machine.log.filter((line) => line.startsWith('start'));
      assert.deepEqual(
        [...new Set(starts)].length,
        starts.length,
        `nothing is started twice: ${starts.join()}`,
      );
      await node.manager.stop();
      if (!isDone) continue;
      assert.ok(lastCall > 20, 'there are more moments than that');
      break;
    }
  });

  it('leaves nothing behind whatever moment a life of it ends at, even if its object is gone then', async () => {
    for (const isForgotten of [false, true]) {
      for (let lastCall = 1; ; lastCall++) {
        node = new PodNode();
        node.programs.set('setup', { endsAfterMs: 0 });
        await node.run(pod);
        node.scripted.logs.add('uid-a');
        await node.manager.stop();
        node.again();
        await endsAt(node, lastCall);
        await node.put(deleted);
        await node.manager.start().catch(() => {});
        await node.pass(10);
        const isDone = node.reports.includes('uid-a gone');
        void node.manager.stop();
        if (isForgotten) await node.remove('a');
        node.scripted.before = () => Promise.resolve();
        node.again();
        node.reports.length = 0;
        await node.manager.start();
        await node.pass(10);
        if (!isForgotten) {
          assert.ok(node.reports.includes('uid-a gone'), `after ${lastCall} calls`);
          await node.remove('a');
          await node.settle();
        }
        assert.deepEqual(node.machine.pods.all(), [], `after ${lastCall} calls`);
        const { volumes, cgroups, logs } = node.scripted;
        assert.deepEqual([...volumes, ...cgroups, ...logs], [], `after ${lastCall} calls`);
        assert.equal(node.state.values.size, 0);
        await node.manager.stop();
        if (isDone) break;
      }
    }
  });

  it('lets run on what cannot be read for a while, and sees what it is once it can', async () => {
    const troubles = [
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error('the disk cannot read this')),
    ];
    for (const trouble of troubles) {
      node = new PodNode();
      node.programs.set('setup', { endsAfterMs: 0 });
      await node.run(pod);
      const sound = node.replica.read.bind(node.replica);
      node.replica.read = trouble;
      await node.put(deleted);
      await node.pass(120);
      assert.equal(node.machine.running.length, 3);
      node.replica.read = sound;
      await node.pass(60);
      assert.ok(node.reports.includes('uid-a gone'));
      await node.manager.stop();
    }
  });

  it('says again that a pod is gone which was wanted again meanwhile, and does not revive it', async () => {
    await node.run(pod);
    for (let times = 1; times <= 2; times++) {
      await node.put(deleted);
      await node.pass(1);
      assert.equal(node.reports.filter((report) => report === 'uid-a gone').length, times);
      await node.put(pod);
      await node.pass(1);
      assert.deepEqual(node.machine.running, []);
      assert.equal(node.phase('uid-a'), 'Succeeded');
    }
  });

  it('looks after a pod that comes back just as the last of it is forgotten', async () => {
    const once = makePod('a', { spec: { restartPolicy: 'Always' } });
    await node.run(once);
    const remove = node.state.remove.bind(node.state);
    node.state.remove = async (key) => {
      node.state.remove = remove;
      await remove(key);
      await node.put(once);
      for (let n = 0; n < 10; n++) await Promise.resolve();
    };
    await node.remove('a');
    await node.settle();
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.deepEqual(node.manager.phases(), { sync: 1, terminating: 0, terminated: 0 });
  });

  it('removes what is left of pods that are in neither store nor runtime', async () => {
    node.scripted.volumes.add('uid-x');
    node.scripted.cgroups.add('uid-y');
    await node.run(pod);
    assert.deepEqual([...node.scripted.volumes], ['uid-a']);
    node.scripted.cgroups.add('uid-z');
    await node.pass(60);
    assert.deepEqual([...node.scripted.cgroups], ['uid-a']);
    assert.ok(node.scripted.log.includes('remove logs uid-z'));
    assert.deepEqual(node.manager.phases(), { sync: 1, terminating: 0, terminated: 0 });
  });
});

/** Lets nothing more happen after so many calls of parts and of the runtime: they never come back. */
async function endsAt(node: PodNode, lastCall: number): Promise<void> {
  let calls = 0;
  const never = (): Promise<never> => new Promise(() => {});
  const isOver = (): boolean => {
    calls += 1;
    return calls > lastCall;
  };
  node.scripted.before = () => (isOver() ? never() : Promise.resolve());
  const { runtime } = node;
  const { prototype } = SimulatedRuntime;
  for (const name of [
    'createSandbox',
    'stopSandbox',
    'removeSandbox',
    'createContainer',
    'startContainer',
    'stopContainer',
    'removeContainer',
  ] as const) {
    const call = prototype[name].bind(runtime) as (...args: unknown[]) => Promise<unknown>;
    Object.assign(runtime, {
      [name]: async (...args: unknown[]): Promise<unknown> => {
        if (isOver()) return never();
        const answer = await call(...args);
        // Done, and nobody is there to hear it.
        return isOver() ? never() : answer;
      },
    });
  }
  await node.settle();
}
