import assert from 'node:assert/strict';
import { deferred } from '@hawser/seams';
import type { ContainerExit } from '../../src/runtime/pod-table.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/index.ts';
import { PodNode } from './pod-node.ts';

/** How long after the end of a container its state says so, milliseconds. */
const SETTLES_MS = 40;

describe('A container whose end is told before its state says so', () => {
  let node: PodNode;

  beforeEach(() => {
    node = new PodNode();
    node.machine.settlesAfterMs = () => SETTLES_MS;
  });
  afterEach(() => node.manager.stop());

  /** A pod runs, and its container has ended just now. */
  async function end(exit: ContainerExit, spec: Partial<Pod['spec']> = {}): Promise<void> {
    await node.run(makePod('a', { spec }));
    node.reports.length = 0;
    node.events.length = 0;
    await node.pass(5);
    node.machine.exitOf('uid-a', 'main', exit);
    await node.settle();
  }

  async function settled(): Promise<void> {
    await node.clock.advance(SETTLES_MS);
    await node.settle();
  }

  it('is followed at once; what is told of it has all of its end', async () => {
    await end({ exitCode: 137, reason: 'OOMKilled', message: 'too much' });
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.deepEqual(node.reports, [], 'the reason is not known yet');
    await settled();
    assert.deepEqual(node.reports, ['a Running']);
    const { restartCount, state, lastState } = node.container('uid-a', 'main');
    assert.equal(restartCount, 1);
    assert.equal(state.running?.startedAt, '2026-01-01T00:00:05Z');
    const { containerID, ...terminated } = lastState.terminated ?? {};
    assert.match(String(containerID), /^simulated:/);
    assert.deepEqual(terminated, {
      exitCode: 137,
      reason: 'OOMKilled',
      message: 'too much',
      startedAt: '2026-01-01T00:00:00Z',
      finishedAt: '2026-01-01T00:00:05Z',
    });
    assert.deepEqual(
      node.events.filter((event) => !/Pulled|Created|Started/.test(event)),
      [],
      'nothing was killed',
    );
  });

  it('waits for its back-off as any other, and is said to', async () => {
    await end({ exitCode: 1 });
    await settled();
    await node.pass(1);
    node.machine.exitOf('uid-a', 'main', { exitCode: 2 });
    await node.settle();
    assert.deepEqual(node.machine.running, []);
    assert.equal(node.container('uid-a', 'main').state.waiting, undefined);
    await settled();
    const { state, lastState, restartCount } = node.container('uid-a', 'main');
    assert.equal(state.waiting?.reason, 'CrashLoopBackOff');
    assert.deepEqual([lastState.terminated?.exitCode, restartCount], [2, 1]);
    await node.pass(9);
    assert.deepEqual(node.machine.running, []);
    await node.pass(1);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.equal(node.container('uid-a', 'main').restartCount, 2);
  });

  for (const [what, exitCode, restartPolicy, phase] of [
    ['that is not to run again', 1, 'Never', 'Failed'],
    ['that has done its work', 0, 'OnFailure', 'Succeeded'],
  ] as const)
    it(`has its pod end when its state says so: of one ${what}`, async () => {
      await end({ exitCode }, { restartPolicy });
      assert.deepEqual(node.reports, []);
      await settled();
      assert.equal(node.phase('uid-a'), phase);
      assert.equal(node.container('uid-a', 'main').state.terminated?.exitCode, exitCode);
      assert.deepEqual(node.events, [], 'nothing was killed');
    });

  for (const field of ['hostPID', 'shareProcessNamespace'] as const)
    it(`is followed when its state says so where its processes may outlive it (${field})`, async () => {
      await end({ exitCode: 1 }, { [field]: true });
      assert.deepEqual(node.machine.running, []);
      await settled();
      assert.deepEqual(node.machine.running, ['uid-a/main']);
      assert.equal(node.container('uid-a', 'main').restartCount, 1);
    });

  it('is told of while the next one takes its time to start', async () => {
    const image = deferred<undefined>();
    await node.run(makePod('a'));
    node.reports.length = 0;
    node.scripted.before = (asked) => (asked.startsWith('ensure') ? image.promise : Promise.resolve());
    node.machine.exitOf('uid-a', 'main', { exitCode: 3 });
    await node.settle();
    await node.clock.advance(249);
    await node.settle();
    assert.deepEqual(node.reports, []);
    await node.clock.advance(1);
    await node.settle();
    assert.deepEqual(node.reports, ['a Running']);
    assert.equal(node.container('uid-a', 'main').state.terminated?.exitCode, 3);
    image.resolve(undefined);
    await node.settle();
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.equal(node.container('uid-a', 'main').lastState.terminated?.exitCode, 3);
  });

  it('is said to have ended as it did, where its pod is deleted just then', async () => {
    await end({ exitCode: 4 });
    const deletionTimestamp = new Date(node.clock.wallMs()).toISOString();
    node.machine.exitOf('uid-a', 'main', { exitCode: 5 });
    await node.put(makePod('a', { metadata: { deletionTimestamp, deletionGracePeriodSeconds: 30 } }));
    await node.settle();
    await settled();
    await settled();
    assert.deepEqual(node.machine.running, []);
    assert.equal(node.reports.at(-1), 'uid-a gone');
    const { state, lastState, restartCount } = node.container('uid-a', 'main');
    assert.deepEqual([state.terminated?.exitCode, lastState.terminated?.exitCode, restartCount], [5, 4, 1]);
  });

  it('ends nothing else of its pod', async () => {
    const containers = [{ name: 'main' }, { name: 'other' }];
    await end({ exitCode: 1 }, { containers });
    assert.deepEqual(node.machine.running, ['uid-a/main', 'uid-a/other']);
    await settled();
    assert.equal(node.container('uid-a', 'main').restartCount, 1);
    assert.equal(node.container('uid-a', 'other').restartCount, 0);
  });
});
