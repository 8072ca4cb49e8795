import assert from 'node:assert/strict';
import { isDiskFull } from '../../src/pods/disk-full.ts';
import { PodError } from '../../src/pods/pod-error.ts';
import { EdgeCoreError } from '../../src/errors.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';
import { makePod } from '../../testing/index.ts';
import { PodNode } from './pod-node.ts';

const full = (): Error => Object.assign(new Error('write'), { code: 'ENOSPC' });

describe('A disk that is full', () => {
  for (const [what, error, expected] of [
    ['the system', full(), true],
    ['a quota', Object.assign(new Error('write'), { code: 'EDQUOT' }), true],
    ['the store', new EdgeCoreError('ERR_EDGE_STORE_FULL', 'it is full'), true],
    ['a volume', new PodError('FailedMount', 'MountVolume failed', { cause: full() }), true],
    [
      'one of several volumes',
      new PodError('FailedMount', 'two', { cause: new AggregateError([full()]) }),
      true,
    ],
    ['the runtime', new RuntimeError('ERR_EDGECORE_RUNTIME', 'mkdir /x: no space left on device'), true],
    ['nothing of the kind', new PodError('FailedMount', 'no such secret'), false],
    ['no error', 'ENOSPC', false],
  ] as const) {
    it(`is ${expected ? '' : 'not '}what ${what} tells of`, () => assert.equal(isDiskFull(error), expected));
  }

  it('is not looked for without an end', () => {
    const error = new Error('one');
    error.cause = error;
    assert.equal(isDiskFull(error), false);
  });

  it('has a pod tried again soon after there is room, however long it was full', async () => {
    const node = new PodNode();
    let isFull = true;
    node.scripted.before = (asked) =>
      isFull && asked.startsWith('mount ') ? Promise.reject(full()) : Promise.resolve();
    await node.run(makePod('a'));
    for (let second = 0; second < 600; second += 1) await node.clock.advance(1_000);
    assert.equal(node.phase('uid-a'), 'Pending');
    isFull = false;
    await node.pass(5);
    assert.equal(node.phase('uid-a'), 'Running');
    await node.manager.stop();
  });
});
