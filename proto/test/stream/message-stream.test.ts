import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { frameMessage, MessageStream } from '../../src/index.ts';
import { rejectsWith } from '../../testing/index.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { MemoryStream } from './memory-stream.ts';

const MAX_BYTES = 4 * 1024 * 1024;

function split(bytes: Buffer, random: Random, largest: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = randomBelow(random, largest + 1); // empty chunks too
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

async function receiveAll(stream: MemoryStream, maxBytes = MAX_BYTES): Promise<Uint8Array[]> {
  const messages = new MessageStream(stream, maxBytes);
  const received: Uint8Array[] = [];
  for (let next = await messages.receive(); next !== undefined; next = await messages.receive())
    received.push(next);
  return received;
}

describe('MessageStream', () => {
  it('writes the length as a varint before the message', () => {
    assert.equal(frameMessage(new Uint8Array(0)).toString('hex'), '00');
    assert.equal(frameMessage(Buffer.from('ab')).toString('hex'), '026162');
    assert.equal(frameMessage(Buffer.alloc(0x7f)).subarray(0, 2).toString('hex'), '7f00');
    assert.equal(frameMessage(Buffer.alloc(0x80)).subarray(0, 3).toString('hex'), '800100');
    assert.equal(
      frameMessage(Buffer.alloc(2 ** 21))
        .subarray(0, 5)
        .toString('hex'),
      '8080800100',
    );
  });

  it('reads what was sent, however it is cut into chunks', async () => {
    const random = seededRandom(7);
    for (const largest of [1, 2, 7, 100, 5000, 200_000]) {
      const sent = [0, 1, 127, 128, 4095, 4096, 4097, 20_000, 0, 70_000].map((length) =>
        Buffer.alloc(length, randomBelow(random, 256)),
      );
      const bytes = Buffer.concat(sent.map((message) => frameMessage(message)));
      const received = await receiveAll(new MemoryStream(split(bytes, random, largest)));
      assert.deepEqual(
        received.map(({ length }) => length),
        sent.map(({ length }) => length),
      );
      assert.ok(Buffer.concat(received).equals(Buffer.concat(sent)), `chunks of up to ${largest} bytes`);
    }
  });

  it('gives what follows the last message to whoever reads on', async () => {
    const bytes = Buffer.concat([frameMessage(Buffer.from('head')), Buffer.from('the rest')]);
    const messages = new MessageStream(new MemoryStream([bytes]), 100);
    assert.equal(Buffer.from((await messages.receive()) ?? []).toString(), 'head');
    assert.equal(Buffer.from(messages.takeUnread() ?? []).toString(), 'the rest');
    assert.equal(messages.takeUnread(), undefined);
  });

  it('accepts exactly maxBytes, and refuses a longer one by its prefix, unread', async () => {
    const exact = await receiveAll(new MemoryStream([frameMessage(Buffer.alloc(1000))]), 1000);
    assert.equal(exact[0]?.length, 1000);
    const stream = new MemoryStream([frameMessage(Buffer.alloc(1001)).subarray(0, 2)], { ends: false });
    await rejectsWith(new MessageStream(stream, 1000).receive(), 'ERR_TUNNEL_LIMIT');
    assert.equal(stream.reads, 1);
  });

  it('refuses a prefix that does not end', async () => {
    for (const hex of ['8080808080', 'ffffffffff', '808080808000']) {
      const stream = new MemoryStream([Buffer.from(hex, 'hex')]);
      await rejectsWith(new MessageStream(stream, MAX_BYTES).receive(), 'ERR_TUNNEL_BAD_FRAME');
    }
    const largest = new MemoryStream([Buffer.from('ffffffff7f', 'hex')]);
    await rejectsWith(new MessageStream(largest, MAX_BYTES).receive(), 'ERR_TUNNEL_LIMIT');
  });

  it('refuses an end within a prefix or a message', async () => {
    for (const hex of ['80', '8080', '01', '0261']) {
      const stream = new MemoryStream([Buffer.from(hex, 'hex')]);
      await rejectsWith(new MessageStream(stream, MAX_BYTES).receive(), 'ERR_TUNNEL_BAD_FRAME');
    }
  });

  it('spends no memory on a promise of bytes', async () => {
    const prefix = frameMessage(Buffer.alloc(MAX_BYTES)).subarray(0, 4);
    collectGarbage();
    const beforeBytes = process.memoryUsage().arrayBuffers;
    const streams = Array.from(
      { length: 200 },
      () => new MemoryStream([prefix, Buffer.from('x')], { ends: false }),
    );
    const waiting = streams.map((stream) => new MessageStream(stream, MAX_BYTES).receive());
    await eventually('all are read to the end', () => streams.every(({ reads }) => reads === 3));
    const grownBytes = process.memoryUsage().arrayBuffers - beforeBytes;
    assert.ok(grownBytes < 200 * 16 * 1024, `${grownBytes} bytes for 200 promises of 4 MiB`);
    assert.equal(waiting.length, 200);
  });

  it('keeps bytes, not the large chunks that single bytes came in', async () => {
    const count = 3000;
    function* chunks(): Generator<Uint8Array> {
      yield frameMessage(Buffer.alloc(count + 1)).subarray(0, 2);
      for (let i = 0; i < count; i++)
        yield Buffer.allocUnsafeSlow(64 * 1024)
          .fill(i)
          .subarray(9, 10);
    }
    collectGarbage();
    const beforeBytes = process.memoryUsage().arrayBuffers;
    const stream = new MemoryStream(chunks(), { ends: false });
    const receiving = new MessageStream(stream, MAX_BYTES).receive();
    await eventually('all but the last byte is read', () => stream.reads === count + 2);
    collectGarbage();
    const grownBytes = process.memoryUsage().arrayBuffers - beforeBytes;
    assert.ok(grownBytes < 1024 * 1024, `${grownBytes} bytes for a message of ${count}`);
    assert.ok(receiving instanceof Promise);
  });
});
