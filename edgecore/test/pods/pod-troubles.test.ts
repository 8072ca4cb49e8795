import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import { ContainerError } from '../../src/pods/container-error.ts';
import { makePod, SimulatedRuntime } from '../../testing/index.ts';
import { PodNode } from './pod-node.ts';

const DELETED = { deletionTimestamp: '2026-01-01T00:01:00Z' };

describe('PodManager: troubles', () => {
  let node: PodNode;
  /** Calls that are never answered. */
  let silent: Set<string>;

  beforeEach(() => {
    node = new PodNode();
    silent = new Set();
  });
  afterEach(async () => {
    silent.clear();
    await comesOver('it has stopped', node.manager.stop());
  });

  /** Lets time pass until something is over. */
  async function comesOver(what: string, task: Promise<void>): Promise<void> {
    let isOver = false;
    void task.finally(() => (isOver = true));
    await eventually(what, async () => {
      await node.clock.advance(1_000);
      return isOver;
    });
    await task;
  }

  /** A runtime that takes calls and does not answer them, until it is stopped: its connection is closed then. */
  function silentRuntime(): SimulatedRuntime {
    const waiting: ((error: Error) => void)[] = [];
    const runtime = new SimulatedRuntime({ machine: node.machine });
    for (const call of ['list', 'get'] as const) {
      const answer = runtime[call].bind(runtime) as (...given: unknown[]) => Promise<never>;
      runtime[call] = (...given: unknown[]): Promise<never> =>
        silent.has(call) ? new Promise((_, reject) => waiting.push(reject)) : answer(...given);
    }
    const stop = runtime.stop.bind(runtime);
    runtime.stop = async () => {
      for (const reject of waiting.splice(0)) reject(new Error('the connection was closed'));
      await stop();
    };
    return runtime;
  }

  it('starts although the runtime takes calls and answers none', async () => {
    node.again(silentRuntime());
    silent.add('list').add('get');
    await node.put(makePod('a'));
    const fromMs = node.clock.monotonicMs();
    await comesOver('it has started', node.manager.start());
    const tookMs = node.clock.monotonicMs() - fromMs;
    assert.ok(tookMs <= 15_000, `after ${tookMs} ms`);
    assert.equal(node.manager.pods().length, 1);
  });

  it('starts although the runtime tells of changes just then, and answers none', async () => {
    const runtime = silentRuntime();
    node.again(runtime);
    silent.add('list').add('get');
    const listen = runtime.listen.bind(runtime);
    runtime.listen = (listener) => {
      const undo = listen(listener);
      listener(undefined); // as one does that is just connected
      return undo;
    };
    await node.put(makePod('a'));
    const fromMs = node.clock.monotonicMs();
    await comesOver('it has started', node.manager.start());
    const tookMs = node.clock.monotonicMs() - fromMs;
    assert.ok(tookMs <= 15_000, `after ${tookMs} ms`);
  });

  it('stops although the runtime takes calls and answers none', async () => {
    node.again(silentRuntime());
    await node.run(makePod('a'));
    silent.add('list').add('get');
    node.machine.note('uid-a', 'something');
    await node.pass(61);
    await comesOver('it has stopped', node.manager.stop());
  });

  it('does not make one sandbox after the other where each dies at once', async () => {
    const runtime = new SimulatedRuntime({ machine: node.machine });
    const make = runtime.createSandbox.bind(runtime);
    runtime.createSandbox = async (config, signal) => {
      const id = await make(config, signal);
      node.machine.stopSandbox(id);
      return id;
    };
    node.again(runtime);
    await node.put(makePod('a'));
    await node.manager.start();
    await node.pass(0);
    const made = (): number => node.machine.pods.get('uid-a')?.sandboxes.length ?? 0;
    assert.ok(made() >= 1 && made() <= 3, `${made()} sandboxes at once`);
    for (let second = 0; second < 60; second++) await node.pass(1);
    assert.ok(made() >= 5 && made() <= 12, `${made()} sandboxes in a minute`);
  });

  it('tries what could not be started again in its time, though the clock was set back meanwhile', async () => {
    let refusals = 0;
    node.scripted.before = (asked) => {
      if (!asked.startsWith('ensure') || refusals > 0) return Promise.resolve();
      refusals += 1;
      return Promise.reject(new ContainerError('ErrImagePull', 'no such host'));
    };
    await node.run(makePod('a'));
    assert.equal(node.container('uid-a', 'main').state.waiting?.reason, 'ErrImagePull');
    node.clock.jumpWall(-86_400_000);
    await node.pass(20);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
  });

  it('makes another sandbox at once for one that has lived', async () => {
    await node.run(makePod('a'));
    await node.pass(60);
    node.machine.killSandbox('uid-a');
    await node.settle();
    await node.settle();
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.equal(node.machine.pods.get('uid-a')?.sandboxes[0]?.attempt, 1);
  });

  it('ends what is evicted although its status cannot be written: the disk is full', async () => {
    await node.run(makePod('a'));
    await node.becomes('uid-a', 'Running');
    node.state.failure = new Error('the disk is full');
    node.manager.evict('uid-a', 'it has taken too much');
    await node.settle();
    assert.deepEqual(node.machine.running, []);
    node.state.failure = undefined;
    await eventually('it is said', async () => {
      await node.pass(10);
      return node.phase('uid-a') === 'Failed';
    });
    assert.equal(node.status('uid-a').reason, 'Evicted');
  });

  it('ends what is deleted although its status cannot be written', async () => {
    await node.run(makePod('a'));
    await node.becomes('uid-a', 'Running');
    node.state.failure = new Error('the disk is full');
    await node.put(makePod('a', { metadata: DELETED }));
    await node.settle();
    assert.deepEqual(node.machine.running, []);
    assert.ok(!node.reports.includes('uid-a gone'), 'its last status has to be said first');
    assert.ok(node.scripted.volumes.has('uid-a'));
    node.state.failure = undefined;
    await eventually('it is gone', async () => {
      await node.pass(10);
      return node.reports.includes('uid-a gone');
    });
    assert.ok(node.reports.indexOf('a Succeeded') < node.reports.indexOf('uid-a gone'));
  });

  it('does not wait for a pull of another container when a pod is evicted', async () => {
    node.scripted.before = (asked, signal) =>
      asked === 'ensure uid-a/slow'
        ? new Promise((_, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          })
        : Promise.resolve();
    const containers = [
      { name: 'main', image: 'app:1' },
      { name: 'slow', image: 'app:1' },
    ];
    await node.run(makePod('a', { spec: { containers } }));
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    node.manager.evict('uid-a', 'it has taken too much');
    await node.settle();
    assert.deepEqual(node.machine.running, []);
    await node.becomes('uid-a', 'Failed');
  });

  it('lets each of three pods of one name wait for the one before, also where the first one was found late', async () => {
    node.machine.program = () => ({ stopTakesMs: 5_000 });
    await node.run(makePod('a', { uid: 'one' }));
    await node.manager.stop();
    const runtime = new SimulatedRuntime({ machine: node.machine });
    runtime.failNext.set('list', [new Error('it is away')]);
    node.again(runtime);
    await node.remove('a');
    await node.put(makePod('a', { uid: 'two' }));
    await node.manager.start();
    await node.settle();
    await node.pass(61);
    await node.pass(10);
    assert.deepEqual(node.machine.running, ['two/main']);
    await node.put(makePod('a', { uid: 'three' }));
    await node.pass(1);
    assert.deepEqual(node.machine.running, ['two/main'], 'it is still ending');
    await node.pass(10);
    assert.deepEqual(node.machine.running, ['three/main']);
  });
});
