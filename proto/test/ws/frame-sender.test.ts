import assert from 'node:assert/strict';
import { ConnectionStats } from '../../src/transport/connection-stats.ts';
import { FrameSender, MAX_MESSAGE_BYTES } from '../../src/transport/mux/frame-sender.ts';
import { decodeMuxFrames, encodeMuxFrame, FRAME, type MuxFrame } from '../../src/transport/mux/mux-frame.ts';
import type { MuxStream } from '../../src/transport/mux/mux-stream.ts';
import { ScriptedHost } from './scripted-host.ts';

const KIB = 1024;
const TURN_BYTES = 16 * KIB;
const MESSAGE_BYTES = 64 * KIB;

/** A sender whose messages pile up here until the test says that they left for the network. */
class Bench {
  readonly messages: Buffer[] = [];
  readonly stats = new ConnectionStats(0);
  readonly host = new ScriptedHost();
  readonly sender: FrameSender;
  overflows = 0;
  onOverflow = (): void => {};
  /** Bytes handed over that did not leave yet, and the most there ever were. */
  unwrittenBytes = 0;
  highestBytes = 0;
  readonly #unwritten: (() => void)[] = [];

  constructor(bufferBytes = 128 * KIB) {
    this.sender = new FrameSender({
      sink: {
        send: (message, written) => {
          this.messages.push(message);
          this.unwrittenBytes += message.length;
          this.highestBytes = Math.max(this.highestBytes, this.unwrittenBytes);
          this.#unwritten.push(() => {
            this.unwrittenBytes -= message.length;
            written();
          });
        },
      },
      stats: this.stats,
      bufferBytes,
      onOverflow: () => {
        this.overflows += 1;
        this.onOverflow();
      },
    });
    this.host.onReady = (stream) => {
      if (stream.isSendable()) this.sender.ready(stream);
    };
  }

  /** A stream that may send as much as it likes. */
  stream(id: number): MuxStream {
    const stream = this.host.stream(id);
    stream.addCredit(2 ** 30);
    return stream;
  }

  /** The oldest message that the network has not taken, it takes now. Returns false if there is none. */
  writeOne(): boolean {
    const written = this.#unwritten.shift();
    written?.();
    return written !== undefined;
  }

  writeAll(): void {
    while (this.writeOne());
  }

  frames(): readonly MuxFrame[] {
    return this.messages.flatMap((message) => [...decodeMuxFrames(message)]);
  }
}

/** Lets the sender's microtask run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const control = (id: number): Buffer => encodeMuxFrame(FRAME.reset, id);

describe('FrameSender', () => {
  it('puts the frames of one turn of the loop into one message', async () => {
    const bench = new Bench();
    for (const id of [1, 3, 5]) bench.sender.control(control(id));
    void bench.stream(7).write(Buffer.from('seven'));
    assert.equal(bench.messages.length, 0, 'nothing is sent before the turn is over');
    await turn();
    assert.equal(bench.messages.length, 1);
    assert.deepEqual(
      bench.frames().map(({ type, streamId }) => [type, streamId]),
      [
        [FRAME.reset, 1],
        [FRAME.reset, 3],
        [FRAME.reset, 5],
        [FRAME.data, 7],
      ],
    );
    bench.sender.control(control(9));
    await turn();
    assert.equal(bench.messages.length, 2, 'the next turn has a message of its own');
  });

  it('sends control before data that was queued earlier', async () => {
    const bench = new Bench(1);
    const stream = bench.stream(1);
    void stream.write(Buffer.alloc(300 * KIB));
    await turn();
    assert.equal(bench.messages.length, 1, 'the buffer is full');
    bench.sender.control(control(3));
    await turn();
    assert.equal(bench.messages.length, 1, 'control waits for room too');
    bench.writeOne();
    const [first, second] = decodeMuxFrames(bench.messages[1] ?? Buffer.alloc(0));
    assert.deepEqual([first?.type, first?.streamId], [FRAME.reset, 3]);
    assert.deepEqual([second?.type, second?.streamId], [FRAME.data, 1]);
  });

  it('gives streams that wait together turns of 16 KiB', async () => {
    const bench = new Bench();
    const ids = [1, 3, 5, 7, 9];
    for (const id of ids) void bench.stream(id).write(Buffer.alloc(512 * KIB, id));
    await turn();
    bench.writeAll();
    const sent = new Map(ids.map((id) => [id, 0]));
    for (const { streamId, payload } of bench.frames()) {
      const waiting = ids.filter((id) => (sent.get(id) ?? 0) < 512 * KIB);
      if (waiting.length > 1) assert.ok(payload.length <= TURN_BYTES, `a turn of ${payload.length} bytes`);
      assert.ok(
        payload.every((byte) => byte === streamId),
        'bytes of another stream',
      );
      sent.set(streamId, (sent.get(streamId) ?? 0) + payload.length);
      // The last frame of a message may be short, hence two turns, not one.
      const amounts = [...sent.values()];
      assert.ok(
        Math.max(...amounts) - Math.min(...amounts) <= 2 * TURN_BYTES,
        `unfair: ${amounts.join(' ')}`,
      );
    }
    assert.deepEqual(
      [...sent.values()],
      ids.map(() => 512 * KIB),
    );
  });

  it('lets a small stream pass between two turns of large ones', async () => {
    const bench = new Bench(1);
    for (const id of [1, 3]) void bench.stream(id).write(Buffer.alloc(1024 * KIB));
    await turn();
    void bench.stream(5).write(Buffer.from('small'));
    await turn();
    let ahead = 0;
    while (!bench.frames().some(({ streamId }) => streamId === 5)) {
      ahead = bench.messages.length;
      assert.ok(bench.writeOne());
    }
    assert.equal(ahead, 1, 'the small write is in the very next message');
  });

  it('gives a stream that is alone whole messages', async () => {
    const bench = new Bench();
    void bench.stream(1).write(Buffer.alloc(256 * KIB));
    await turn();
    bench.writeAll();
    assert.equal(bench.frames().length, 5, '256 KiB in messages of just under 64 KiB');
    for (const message of bench.messages) assert.ok(message.length <= MESSAGE_BYTES);
  });

  for (const bufferBytes of [1, 64 * KIB, 128 * KIB, 1024 * KIB]) {
    it(`hands at most ${bufferBytes} bytes and one message to the socket ahead`, async () => {
      const bench = new Bench(bufferBytes);
      for (const id of [1, 3, 5]) void bench.stream(id).write(Buffer.alloc(1024 * KIB));
      await turn();
      for (let urgent = 100; urgent > 0; urgent--) {
        assert.equal(bench.stats.sendQueueBytes, bench.unwrittenBytes);
        bench.sender.control(control(7));
        bench.writeOne();
      }
      bench.writeAll();
      assert.ok(bench.highestBytes < bufferBytes + MESSAGE_BYTES, `${bench.highestBytes} bytes ahead`);
      assert.ok(bench.highestBytes >= bufferBytes, 'and the room was used');
      assert.equal(bench.stats.sendQueueBytes, 0);
    });
  }

  it('never makes a message that the peer would refuse', async () => {
    const bench = new Bench(16 * 1024 * KIB);
    for (let id = 1; id < 60_000; id += 2)
      bench.sender.control(encodeMuxFrame(FRAME.window, id, Buffer.from([1])));
    for (let id = 1; id < 20; id += 2) void bench.stream(id).write(Buffer.alloc(100 * KIB));
    await turn();
    assert.ok(bench.messages.length > 10);
    for (const message of bench.messages) assert.ok(message.length <= MAX_MESSAGE_BYTES);
  });

  it('sends the last control frames without waiting for room', async () => {
    const bench = new Bench(1);
    void bench.stream(1).write(Buffer.alloc(300 * KIB));
    await turn();
    bench.sender.control(control(3));
    bench.sender.flushControl();
    assert.equal(bench.messages.length, 2);
    assert.deepEqual(
      [...decodeMuxFrames(bench.messages[1] ?? Buffer.alloc(0))].map(({ type }) => type),
      [FRAME.reset],
    );
  });

  it('says once that a peer does not read, and still takes the CLOSE that follows', async () => {
    const bench = new Bench(1);
    bench.onOverflow = () => {
      bench.sender.control(encodeMuxFrame(FRAME.close, 0)); // what a connection does in answer
      bench.sender.flushControl();
      bench.sender.stop();
    };
    void bench.stream(1).write(Buffer.alloc(64 * KIB));
    await turn();
    for (let i = 0; i < 200_000; i++) bench.sender.control(control(1));
    assert.equal(bench.overflows, 1);
    const last = bench.messages.at(-1);
    assert.ok(last);
    assert.equal([...decodeMuxFrames(last)].at(-1)?.type, FRAME.close);
  });

  it('sends END after the data, once, and forgets what it is told to forget', async () => {
    const bench = new Bench(1);
    const [first, second] = [bench.stream(1), bench.stream(3)];
    void first.write(Buffer.from('a'));
    void first.end();
    void first.end();
    void second.write(Buffer.from('b'));
    bench.sender.forget(second);
    await turn();
    bench.writeAll();
    assert.deepEqual(
      bench.frames().map(({ type, streamId }) => [type, streamId]),
      [
        [FRAME.data, 1],
        [FRAME.end, 1],
      ],
    );
  });

  it('keeps to the credit of a stream, byte by byte', async () => {
    const bench = new Bench();
    const stream = bench.host.stream(1, 10);
    void stream.write(Buffer.from('0123456789abcdef'));
    await turn();
    assert.equal(Buffer.concat(bench.frames().map(({ payload }) => payload)).toString(), '0123456789');
    stream.addCredit(3);
    bench.host.streamReady(stream);
    await turn();
    assert.equal(Buffer.concat(bench.frames().map(({ payload }) => payload)).toString(), '0123456789abc');
  });

  it('sends nothing after a stop', async () => {
    const bench = new Bench();
    bench.sender.control(control(1));
    void bench.stream(3).write(Buffer.from('x'));
    bench.sender.stop();
    bench.sender.control(control(5));
    bench.sender.ready(bench.stream(7));
    await turn();
    assert.equal(bench.messages.length, 0);
  });
});
