import assert from 'node:assert/strict';
import { deferred } from '@hawser/seams';
import { PodError } from '../../src/pods/pod-error.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/index.ts';
import { PodNode } from './pod-node.ts';

const DELETED_AT = '2026-01-01T00:10:00Z';

/** As it is once somebody has deleted it. */
function deleted(pod: Pod, graceSeconds = 30): Pod {
  const metadata = { ...pod.metadata, deletionTimestamp: DELETED_AT };
  return { ...pod, metadata: { ...metadata, deletionGracePeriodSeconds: graceSeconds } };
}

describe('Ending a pod', () => {
  let node: PodNode;

  beforeEach(() => {
    node = new PodNode();
  });
  afterEach(() => node.manager.stop());

  it('tells the containers, waits, says how it ended, removes everything, and says that it is gone', async () => {
    node.programs.set('main', { stopTakesMs: 4_000, stopExit: { exitCode: 143 } });
    await node.run(makePod('a'));
    node.scripted.log.length = 0;
    node.machine.log.length = 0;
    node.reports.length = 0;
    node.events.length = 0;
    await node.put(deleted(makePod('a')));
    await node.pass(3);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.deepEqual(node.manager.phases(), { sync: 0, terminating: 1, terminated: 0 });
    await node.pass(1);
    assert.deepEqual(node.scripted.log, [
      'preStop uid-a/main 30',
      'remove logs uid-a',
      'unmount uid-a',
      'remove cgroup uid-a',
    ]);
    assert.deepEqual(node.machine.log, [
      'exit uid-a/main#0 143',
      'stop uid-a',
      'remove uid-a/main#0',
      'remove uid-a',
    ]);
    assert.deepEqual(node.reports, ['a Failed', 'uid-a gone']);
    assert.deepEqual(node.events, ['Normal Killing main: Stopping container main']);
    assert.equal(node.container('uid-a', 'main').state.terminated?.exitCode, 143);
    await node.remove('a');
    await node.settle();
    assert.equal(node.state.values.size, 0);
    assert.equal(node.clock.pendingTimers, 1, 'but for the slow re-list');
  });

  it('kills what does not end within the grace that preStop has left', async () => {
    node.programs.set('main', { stopTakesMs: Infinity });
    node.scripted.preStop = () => Promise.resolve(7);
    await node.run(makePod('a'));
    await node.put(deleted(makePod('a')));
    await node.pass(6);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    await node.pass(1);
    assert.equal(node.container('uid-a', 'main').state.terminated?.exitCode, 137);
  });

  it('ends it sooner when somebody deletes it again with less grace', async () => {
    node.programs.set('main', { stopTakesMs: Infinity });
    await node.run(makePod('a'));
    await node.put(deleted(makePod('a'), 600));
    await node.pass(100);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    await node.put(deleted(makePod('a'), 20));
    await node.pass(19);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    await node.pass(1);
    assert.deepEqual(node.machine.running, []);
    assert.equal(node.scripted.log.filter((asked) => asked.startsWith('preStop')).length, 1);
    assert.equal(node.events.filter((event) => event.includes('Killing')).length, 1);
    assert.ok(node.reports.includes('uid-a gone'));
  });

  it('does not wait longer when the object is removed while it ends: somebody forced it', async () => {
    node.programs.set('main', { stopTakesMs: Infinity });
    await node.run(makePod('a'));
    await node.put(deleted(makePod('a'), 600));
    await node.pass(100);
    await node.remove('a');
    await node.pass(2);
    assert.deepEqual(node.machine.pods.all(), []);
    assert.equal(node.state.values.size, 0);
    assert.ok(!node.reports.includes('uid-a gone'));
  });

  it('gives the grace of its spec where the object is removed without a word', async () => {
    node.programs.set('main', { stopTakesMs: Infinity });
    await node.run(makePod('a', { spec: { terminationGracePeriodSeconds: 9 } }));
    await node.remove('a');
    await node.pass(8);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    await node.pass(1);
    assert.deepEqual(node.machine.pods.all(), []);
  });

  it('kills at once, with the least of grace, what is deleted with none', async () => {
    node.programs.set('main', { stopTakesMs: Infinity });
    await node.run(makePod('a'));
    await node.put(deleted(makePod('a'), 0));
    await node.pass(2);
    assert.ok(node.reports.includes('uid-a gone'));
  });

  it('does not wait for a pull, nor a hook, when the pod is deleted', async () => {
    for (const slow of ['ensure uid-a/main', 'postStart uid-a/main']) {
      node = new PodNode();
      node.scripted.before = (asked, signal) => {
        if (asked !== slow) return Promise.resolve();
        const never = deferred();
        signal?.addEventListener('abort', () => never.reject(signal.reason));
        return never.promise;
      };
      await node.run(makePod('a'));
      await node.put(deleted(makePod('a')));
      await node.pass(1);
      assert.ok(node.reports.includes('uid-a gone'), slow);
      assert.ok(!node.events.some((event) => event.startsWith('Warning')), node.events.join());
      await node.manager.stop();
    }
  });

  it('ends containers side by side, sidecars after them, the last one first, within one grace', async () => {
    for (const name of ['one', 'two', 's1', 's2']) node.programs.set(name, { stopTakesMs: 4_000 });
    const pod = makePod('a', {
      spec: {
        initContainers: [
          { name: 's1', restartPolicy: 'Always' },
          { name: 's2', restartPolicy: 'Always' },
        ],
        containers: [{ name: 'one' }, { name: 'two' }],
      },
    });
    await node.run(pod);
    await node.put(deleted(pod, 10));
    await node.pass(0);
    const preStops = node.scripted.log.filter((asked) => asked.startsWith('preStop')).sort();
    assert.deepEqual(preStops, [
      'preStop uid-a/one 10',
      'preStop uid-a/s1 10',
      'preStop uid-a/s2 10',
      'preStop uid-a/two 10',
    ]);
    await node.pass(4);
    assert.deepEqual(node.machine.running, ['uid-a/s1', 'uid-a/s2']);
    await node.pass(4);
    assert.deepEqual(node.machine.running, ['uid-a/s1']);
    await node.pass(2);
    assert.deepEqual(node.machine.running, [], 'it has 2 s left of the grace');
    assert.equal(node.container('uid-a', 's1').state.terminated?.exitCode, 137);
    assert.equal(node.container('uid-a', 's2').state.terminated?.exitCode, 0);
  });

  it('fails a pod that never started, when it is deleted', async () => {
    node.scripted.before = (asked) =>
      asked.startsWith('mount ') ? Promise.reject(new PodError('FailedMount', 'no')) : Promise.resolve();
    await node.run(makePod('a'));
    node.scripted.before = () => Promise.resolve();
    await node.put(deleted(makePod('a')));
    await node.settle();
    assert.equal(node.phase('uid-a'), 'Failed');
    assert.deepEqual(node.container('uid-a', 'main').state.terminated, {
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'The container could not be located when the pod was terminated',
    });
    assert.ok(node.reports.includes('uid-a gone'));
  });

  it('tries again what could not be removed, and is not gone before', async () => {
    await node.run(makePod('a'));
    let failures = 1;
    node.scripted.before = (asked) => {
      if (!asked.startsWith('unmount') || failures === 0) return Promise.resolve();
      failures -= 1;
      return Promise.reject(new PodError('FailedUnmount', 'busy'));
    };
    await node.put(deleted(makePod('a')));
    await node.settle();
    assert.ok(node.events.includes('Warning FailedUnmount: busy'));
    assert.ok(!node.reports.includes('uid-a gone'));
    await node.pass(1);
    assert.ok(node.reports.includes('uid-a gone'));
  });

  it('lets a pod end by itself, gives back what it had, and keeps its logs until it is deleted', async () => {
    node.programs.set('main', { endsAfterMs: 5_000 });
    node.programs.set('side', { stopTakesMs: 1_000 });
    const pod = makePod('a', {
      spec: {
        restartPolicy: 'Never',
        initContainers: [{ name: 'side', restartPolicy: 'Always' }],
      },
    });
    await node.run(pod);
    node.reports.length = 0;
    await node.pass(5);
    assert.equal(node.phase('uid-a'), 'Running', 'its sidecar has not ended');
    await node.pass(1);
    assert.equal(node.phase('uid-a'), 'Succeeded');
    assert.equal(node.machine.pods.get('uid-a')?.containers.length, 2);
    assert.equal(node.machine.pods.get('uid-a')?.sandboxes[0]?.ready, false);
    assert.deepEqual(node.scripted.log.slice(-2), ['unmount uid-a', 'remove cgroup uid-a']);
    assert.ok(!node.scripted.log.some((asked) => asked.startsWith('remove logs')));
    assert.ok(node.status('uid-a').podIP);
    const before = node.status('uid-a');
    node.machine.log.length = 0;
    await node.restart();
    await node.pass(120);
    assert.deepEqual(node.machine.log, []);
    assert.deepEqual(node.status('uid-a'), before);
    node.machine.powerCut(false);
    await node.restart();
    assert.deepEqual(node.machine.running, [], 'it is not started after a power cut either');
    assert.deepEqual(node.status('uid-a'), before);
    await node.put(deleted(pod));
    await node.settle();
    assert.ok(node.reports.includes('uid-a gone'));
    assert.ok(node.scripted.log.includes('remove logs uid-a'));
  });

  it('ends a pod at its deadline', async () => {
    node.programs.set('main', { stopTakesMs: 3_000 });
    await node.run(makePod('a', { spec: { activeDeadlineSeconds: 60 } }));
    await node.pass(59);
    assert.equal(node.phase('uid-a'), 'Running');
    await node.pass(1);
    assert.equal(node.phase('uid-a'), 'Running', 'as long as something of it does');
    const ready = node.status('uid-a').conditions.find(({ type }) => type === 'Ready');
    assert.equal(ready?.reason, 'PodFailed');
    await node.pass(3);
    const { phase, reason, message } = node.status('uid-a');
    assert.deepEqual([phase, reason], ['Failed', 'DeadlineExceeded']);
    assert.equal(message, 'Pod was active on the node longer than the specified deadline');
    assert.ok(node.events.includes(`Normal DeadlineExceeded: ${message}`));
  });
});
