import assert from 'node:assert/strict';
import type { Stream } from '../../src/index.ts';
import { AcceptQueue } from '../../src/transport/accept-queue.ts';
import { ScriptedHost } from '../ws/scripted-host.ts';

describe('AcceptQueue', () => {
  let queue: AcceptQueue;
  let host: ScriptedHost;
  const stream = (id: number): Stream => host.stream(id);

  beforeEach(() => {
    queue = new AcceptQueue();
    host = new ScriptedHost();
  });

  it('gives streams in the order in which they came', async () => {
    const [one, two] = [stream(1), stream(3)];
    queue.push(one);
    queue.push(two);
    assert.equal(await queue.take(), one);
    assert.equal(await queue.take(), two);
  });

  it('gives a stream to whoever waits', async () => {
    const taking = queue.take();
    const one = stream(1);
    queue.push(one);
    assert.equal(await taking, one);
  });

  it('lets one wait at a time', async () => {
    const taking = queue.take();
    await assert.rejects(queue.take(), TypeError);
    queue.end();
    assert.equal(await taking, undefined);
  });

  it('forgets streams that ended before anybody took them', async () => {
    for (let id = 1; id < 200; id += 2) {
      const dead = stream(id);
      queue.push(dead);
      dead.reset();
      await dead.closed;
    }
    const alive = stream(201);
    queue.push(alive);
    assert.equal(await queue.take(), alive);
  });

  it('has no more after the end, and resets what comes later', async () => {
    queue.push(stream(1));
    queue.end();
    assert.equal(await queue.take(), undefined);
    const late = stream(3);
    queue.push(late);
    assert.deepEqual(host.resets, [late]);
    queue.end();
    assert.equal(await queue.take(), undefined);
  });
});
