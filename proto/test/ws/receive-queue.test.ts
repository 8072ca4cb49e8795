import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { ReceiveQueue } from '../../src/transport/mux/receive-queue.ts';

/** Memory that chunks keep alive, each piece of memory counted once. */
function keptBytes(chunks: readonly Uint8Array[]): number {
  const memory = new Set(chunks.map(({ buffer }) => buffer));
  return [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function takeAll(queue: ReceiveQueue): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) chunks.push(chunk);
  return chunks;
}

describe('ReceiveQueue', () => {
  it('gives back what was put in, in order, whatever the sizes', () => {
    const random = seededRandom(20260101);
    for (let round = 0; round < 200; round++) {
      const queue = new ReceiveQueue();
      const put: Buffer[] = [];
      const got: Buffer[] = [];
      for (let step = 0; step < 200; step++) {
        if (randomBelow(random, 3) > 0) {
          const message = Buffer.alloc(
            1 + randomBelow(random, [4, 300, 3000, 70_000][randomBelow(random, 4)] ?? 1),
          );
          for (let i = 0; i < message.length; i += 1 + (message.length >> 6))
            message[i] = randomBelow(random, 256);
          const from = randomBelow(random, message.length);
          const piece = message.subarray(randomBelow(random, 2) * from);
          put.push(Buffer.from(piece));
          queue.push(piece);
        } else {
          const chunk = queue.shift();
          // A copy, so that a later change behind the reader's back would show.
          if (chunk !== undefined) got.push(Buffer.from(chunk));
        }
      }
      got.push(...takeAll(queue).map((chunk) => Buffer.from(chunk)));
      assert.ok(queue.isEmpty);
      assert.ok(Buffer.concat(got).equals(Buffer.concat(put)), `round ${round}`);
    }
  });

  it('does not change a chunk that the reader has', () => {
    const queue = new ReceiveQueue();
    queue.push(Buffer.from('one'));
    const first = queue.shift();
    queue.push(Buffer.from('two'));
    assert.equal(Buffer.from(first ?? []).toString(), 'one');
    assert.equal(Buffer.from(queue.shift() ?? []).toString(), 'two');
  });

  it('keeps single bytes of large messages at the cost of bytes, not of messages', () => {
    const queue = new ReceiveQueue();
    for (let i = 0; i < 128 * 1024; i++) queue.push(Buffer.alloc(1024).subarray(7, 8));
    assert.ok(queue.length < 32, `${queue.length} chunks`);
    assert.ok(keptBytes(takeAll(queue)) <= 2 * 128 * 1024);
  });

  it('is not misled by single bytes between large pieces', () => {
    const queue = new ReceiveQueue();
    let bytes = 0;
    for (; bytes < 128 * 1024; bytes += 1101) {
      queue.push(Buffer.allocUnsafeSlow(1100));
      queue.push(Buffer.alloc(64 * 1024).subarray(0, 1));
    }
    assert.ok(keptBytes(takeAll(queue)) <= 2 * bytes);
  });

  it('does not copy a large piece that is most of its message', () => {
    const queue = new ReceiveQueue();
    const message = Buffer.allocUnsafeSlow(64 * 1024);
    queue.push(message.subarray(4));
    assert.equal(queue.shift()?.buffer, message.buffer);
  });

  it('is empty after clear', () => {
    const queue = new ReceiveQueue();
    queue.push(Buffer.from('x'));
    queue.clear();
    assert.ok(queue.isEmpty);
    assert.equal(queue.shift(), undefined);
  });
});
