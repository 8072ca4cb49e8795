import assert from 'node:assert/strict';
import { deferred } from '@hawser/seams';
import { PodError } from '../../src/pods/pod-error.ts';
import { makePod } from '../../testing/index.ts';
import { PodNode } from './pod-node.ts';

describe('What is said of a pod that starts', () => {
  let node: PodNode;

  beforeEach(() => {
    node = new PodNode();
  });
  afterEach(() => node.manager.stop());

  it('is what it came to, where it is over within two seconds', async () => {
    const image = deferred<undefined>();
    node.scripted.before = (asked) => (asked.startsWith('ensure') ? image.promise : Promise.resolve());
    await node.run(makePod('a'));
    await node.pass(1);
    image.resolve(undefined);
    await node.settle();
    assert.deepEqual(node.reports, ['a Running']);
  });

  it('is that it starts, where it takes longer', async () => {
    const image = deferred<undefined>();
    node.scripted.before = (asked) => (asked.startsWith('ensure') ? image.promise : Promise.resolve());
    await node.run(makePod('a'));
    await node.pass(2);
    assert.deepEqual(node.reports, ['a Pending']);
    assert.equal(node.status('uid-a').podIP, '10.88.0.1');
    image.resolve(undefined);
    await node.settle();
    assert.deepEqual(node.reports, ['a Pending', 'a Running']);
    assert.equal(node.status('uid-a').startTime, '2026-01-01T00:00:00Z', 'when it was seen first');
  });

  it('is said at once where it fails', async () => {
    node.scripted.before = (asked) =>
      asked.startsWith('mount ')
        ? Promise.reject(new PodError('FailedMount', 'no such disk'))
        : Promise.resolve();
    await node.run(makePod('a'));
    assert.deepEqual(node.reports, ['a Pending']);
  });

  it('is one thing for a restart that is over at once, with how the one before ended', async () => {
    await node.run(makePod('a'));
    node.reports.length = 0;
    node.machine.exitOf('uid-a', 'main', { exitCode: 1 });
    await node.settle();
    assert.deepEqual(node.reports, ['a Running']);
    const { restartCount, lastState } = node.container('uid-a', 'main');
    assert.deepEqual([restartCount, lastState.terminated?.exitCode], [1, 1]);
  });

  it('is that a container has ended, where its restart takes longer', async () => {
    await node.run(makePod('a'));
    node.reports.length = 0;
    const image = deferred<undefined>();
    node.scripted.before = (asked) => (asked.startsWith('ensure') ? image.promise : Promise.resolve());
    node.machine.exitOf('uid-a', 'main', { exitCode: 1 });
    await node.settle();
    assert.deepEqual(node.reports, []);
    await node.clock.advance(250);
    await node.settle();
    assert.equal(node.reports.length, 1);
    assert.equal(node.container('uid-a', 'main').ready, false);
    image.resolve(undefined);
    await node.settle();
  });

  it('is nothing of what it was about to be, once it is to be deleted', async () => {
    const image = deferred<undefined>();
    node.scripted.before = (asked) => (asked.startsWith('ensure') ? image.promise : Promise.resolve());
    await node.run(makePod('a'));
    const deletionTimestamp = new Date(node.clock.wallMs()).toISOString();
    await node.put(makePod('a', { metadata: { deletionTimestamp, deletionGracePeriodSeconds: 0 } }));
    image.reject(new Error('not wanted any more'));
    await node.settle();
    assert.equal(node.reports.at(-1), 'uid-a gone');
    assert.equal(node.phase('uid-a'), 'Failed');
  });
});
