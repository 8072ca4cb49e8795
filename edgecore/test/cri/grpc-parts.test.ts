import assert from 'node:assert/strict';
import { CallSlots } from '../../src/cri/call-slots.ts';
import { frameOf, FrameReader } from '../../src/cri/grpc-frames.ts';
import { decodeGrpcMessage } from '../../src/cri/grpc-status.ts';

describe('gRPC messages in a stream', () => {
  const messages = ['', 'a', 'x'.repeat(300), '', 'end'].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(messages.map(frameOf));

  for (const size of [1, 2, 3, 5, 7, 64, 311, 10_000]) {
    it(`come out of pieces of ${size} bytes`, () => {
      const reader = new FrameReader(1_000);
      const read: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        read.push(...reader.push(bytes.subarray(at, at + size)).map((data) => Buffer.from(data)));
      }
      assert.deepEqual(read, messages);
      assert.equal(reader.partial, false);
    });
  }

  it('are at most as large as allowed, and not compressed', () => {
    assert.equal(new FrameReader(3).push(frameOf(Buffer.from('abc'))).length, 1);
    assert.throws(
      () => new FrameReader(2).push(frameOf(Buffer.from('abc')).subarray(0, 5)),
      /3 bytes; more than 2/,
    );
    assert.throws(() => new FrameReader(9).push(Buffer.from([1, 0, 0, 0, 0])), /compressed/);
  });

  it('are partial until they are whole', () => {
    const reader = new FrameReader(9);
    assert.deepEqual(reader.push(Buffer.from([0, 0])), []);
    assert.equal(reader.partial, true);
  });
});

describe('grpc-message', () => {
  for (const [encoded, text] of [
    ['plain', 'plain'],
    ['a%20b%25', 'a b%'],
    ['k%C3%A4se', 'käse'],
    ['%', '%'],
    ['%4', '%4'],
    ['%zz%41', '%zzA'],
    ['käse', 'k\u{fffd}se'], // Latin-1 of a header: not what gRPC allows, and shown all the same
  ] as const) {
    it(`${encoded} is ${text}`, () => assert.equal(decodeGrpcMessage(encoded), text));
  }
});

describe('CallSlots', () => {
  it('serves in order, and gives a place back once', async () => {
    const slots = new CallSlots(1, 2);
    const order: number[] = [];
    const release = await slots.take();
    const second = slots.take().then((free) => (order.push(2), free));
    const third = slots.take().then((free) => (order.push(3), free));
    assert.deepEqual(slots.load, { taken: 1, waiting: 2 });
    await assert.rejects(slots.take(), { code: 'ERR_EDGECORE_RUNTIME', message: /1 calls .* 2 wait/ });
    release();
    release();
    (await second)();
    (await third)();
    assert.deepEqual(order, [2, 3]);
    assert.deepEqual(slots.load, { taken: 0, waiting: 0 });
  });

  it('forgets who gave up', async () => {
    const slots = new CallSlots(1, 2);
    const release = await slots.take();
    const abort = new AbortController();
    const reason = new Error('enough');
    const waiting = slots.take(abort.signal);
    abort.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    await assert.rejects(slots.take(abort.signal), (error) => error === reason);
    release();
    assert.deepEqual(slots.load, { taken: 0, waiting: 0 });
  });
});
