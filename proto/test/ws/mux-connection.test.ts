import assert from 'node:assert/strict';
import type { CloseReason, Stream } from '../../src/index.ts';
import { encodeStreamOpen } from '../../src/codec/codec.ts';
import { decodeCloseReason, encodeCloseReason } from '../../src/transport/close-reason.ts';
import { encodeCredit, encodeMuxFrame, FRAME } from '../../src/transport/mux/mux-frame.ts';
import type { MuxConnection } from '../../src/transport/mux/mux-connection.ts';
import { rejectsWith } from '../../testing/index.ts';
import { golden } from '../codec/golden.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { hubEnd, settle, type FakeSocket } from './fake-socket.ts';

const open = (id: number): Buffer => encodeMuxFrame(FRAME.open, id, encodeStreamOpen('test'));

/** The reason in the CLOSE that was sent, if any. */
function closeSent(socket: FakeSocket): CloseReason | undefined {
  const frame = socket.frames().find(({ type }) => type === FRAME.close);
  return frame === undefined ? undefined : decodeCloseReason(frame.payload);
}

/** Resets every stream that comes. */
async function refuseStreams(connection: MuxConnection): Promise<void> {
  for (
    let stream = await connection.acceptStream();
    stream !== undefined;
    stream = await connection.acceptStream()
  )
    stream.reset();
}

async function accept(connection: MuxConnection): Promise<Stream> {
  const stream = await connection.acceptStream();
  assert.ok(stream);
  return stream;
}

describe('MuxConnection', () => {
  it('opens a stream in the message that carries the first bytes written to it', async () => {
    const { socket, connection } = hubEnd();
    const stream = await connection.openStream('test');
    await stream.write(Buffer.from('hello'));
    await settle();
    assert.deepEqual(
      socket.frames().map(({ type }) => type),
      [FRAME.open, FRAME.data],
    );
    assert.equal(socket.sent.length, 1, 'one message, one TLS record, one packet');
    connection.destroy({ code: 'normal', message: 'done' });
  });

  it('opens a stream to which nothing is written yet at once', async () => {
    const { socket, connection } = hubEnd();
    await connection.openStream('test');
    await settle();
    assert.deepEqual(
      socket.frames().map(({ type }) => type),
      [FRAME.open],
    );
    connection.destroy({ code: 'normal', message: 'done' });
  });

  it('says CLOSE and closes the WebSocket in one go', async () => {
    const { socket, connection } = hubEnd();
    await connection.close({ code: 'going-away', message: 'bye' });
    await settle();
    assert.equal(closeSent(socket)?.code, 'going-away');
    assert.deepEqual([socket.closedWith, socket.closedCorked, socket.corked], [1000, true, 0]);
  });

  it('tears the connection down once the peer has said CLOSE, which waits for nothing else', async () => {
    const { socket, connection } = hubEnd();
    const notice = encodeCloseReason({ code: 'normal', message: 'done' });
    socket.emit('message', encodeMuxFrame(FRAME.close, 0, notice), true);
    const { code, by } = await connection.closed;
    assert.deepEqual([code, by], ['normal', 'remote']);
    assert.ok(socket.terminated);
    assert.equal(socket.closedWith, undefined);
    assert.deepEqual(socket.sent, []);
  });

  it('answers pings one at a time, then the latest, when the peer does not read', async () => {
    const { socket, connection } = hubEnd();
    socket.flows = false;
    for (let i = 0; i < 100_000; i++) socket.emit('ping', Buffer.from(String(i)));
    assert.deepEqual(socket.pongs, ['0']);
    socket.flow();
    assert.deepEqual(socket.pongs, ['0', '99999']);
    socket.flow();
    socket.emit('ping', Buffer.from('again'));
    assert.deepEqual(socket.pongs, ['0', '99999', 'again']);
    connection.destroy({ code: 'normal', message: 'done' });
    await settle();
    socket.emit('ping', Buffer.from('late'));
    assert.equal(socket.pongs.length, 3);
  });

  it('closes, once, on a peer that opens streams and never reads that they are refused', async () => {
    const { socket, connection } = hubEnd();
    const refusing = refuseStreams(connection);
    socket.flows = false;
    collectGarbage();
    const beforeBytes = process.memoryUsage().heapUsed;
    let ended: CloseReason | undefined;
    void connection.closed.then((reason) => (ended = reason));
    let opened = 0;
    let id = 1;
    let highestBytes = 0;
    for (; ended === undefined; id += 2) {
      socket.emit('message', open(id), true);
      opened += 1;
      assert.ok(opened < 2_000_000, 'this never ends');
      if (opened % 20 === 0) await settle(); // streams are refused, and credit given back
      if (opened % 10_000 === 0) {
        collectGarbage();
        highestBytes = Math.max(highestBytes, process.memoryUsage().heapUsed - beforeBytes);
      }
    }
    assert.equal(ended.code, 'limit-exceeded');
    assert.equal(closeSent(socket)?.code, 'limit-exceeded');
    assert.equal(socket.frames().filter(({ type }) => type === FRAME.close).length, 1);
    assert.ok(
      opened > 10_000 && highestBytes < 16 * 1024 * 1024,
      `${highestBytes} bytes of heap for one peer`,
    );
    await refusing;
    assert.equal(connection.stats.openStreams, 0);
  });

  it('keeps what nobody reads within the windows of the streams, however it is wrapped', async () => {
    const { socket, connection } = hubEnd({ maxStreams: 4, streamWindowBytes: 16 * 1024 });
    collectGarbage();
    const before = process.memoryUsage();
    const padding = encodeMuxFrame(0x80, 0, Buffer.alloc(64 * 1024));
    for (const id of [1, 3, 5, 7]) {
      socket.emit('message', open(id), true);
      // Every byte in a message of 64 KiB of its own: 4 GiB, if what is ignored were kept.
      for (let i = 0; i < 16 * 1024; i += 16) {
        socket.emit(
          'message',
          Buffer.concat([padding, encodeMuxFrame(FRAME.data, id, Buffer.alloc(16, i))]),
          true,
        );
      }
    }
    collectGarbage();
    const after = process.memoryUsage();
    const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(grownBytes < 1024 * 1024, `${grownBytes} bytes for 64 KiB that wait`);
    const stream = await accept(connection);
    let read = 0;
    while (read < 16 * 1024) read += (await stream.read())?.length ?? 0;
    connection.destroy({ code: 'normal', message: 'done' });
  });

  it('passes over frames of later releases that may be ignored', async () => {
    const { socket, connection } = hubEnd();
    socket.emit('message', open(1), true);
    const stream = await accept(connection);
    const later = golden('future').get('mux: ignorable type before data');
    assert.ok(later);
    socket.emit('message', later, true);
    assert.equal(Buffer.from((await stream.read()) ?? []).toString(), 'x');
    const unknown = golden('future').get('mux: type 8');
    socket.emit('message', unknown, true);
    assert.equal((await connection.closed).code, 'protocol-error');
    assert.match(closeSent(socket)?.message ?? '', /^ERR_TUNNEL_UNKNOWN_FRAME/);
  });

  it('ends on text, on garbage within a message, and keeps what came before it', async () => {
    const text = hubEnd();
    text.socket.emit('message', Buffer.from('hello'), false);
    assert.equal((await text.connection.closed).code, 'protocol-error');
    const torn = hubEnd();
    torn.socket.emit('message', Buffer.concat([open(1), Buffer.from('0201ff', 'hex')]), true);
    assert.equal((await torn.connection.closed).code, 'protocol-error');
    assert.equal(torn.connection.stats.streamsAccepted, 1);
  });

  it('fails what waits when it ends, and everything that comes later', async () => {
    const { socket, connection } = hubEnd({ maxStreams: 1 });
    socket.emit('message', open(1), true);
    const stream = await accept(connection);
    const reading = stream.read();
    const own = await connection.openStream('test');
    const waiting = connection.openStream('test'); // there is credit for one
    const pinging = connection.ping();
    const accepting = connection.acceptStream();
    const failures = [reading, own.read(), waiting, pinging].map((promise) =>
      rejectsWith(promise, 'ERR_TUNNEL_CLOSED'),
    );
    await connection.close({ code: 'going-away', message: 'enough' });
    await Promise.all(failures);
    assert.equal(await accepting, undefined);
    await rejectsWith(connection.openStream('test'), 'ERR_TUNNEL_CLOSED');
    await rejectsWith(connection.ping(), 'ERR_TUNNEL_CLOSED');
    assert.deepEqual(await connection.closed, { code: 'going-away', message: 'enough', by: 'local' });
    assert.equal(closeSent(socket)?.code, 'going-away');
    assert.equal(socket.closedWith, 1000);
    await connection.close({ code: 'internal', message: 'a second reason counts for nothing' });
    assert.equal(connection.stats.openStreams, 0);
  });

  it('gives credit for streams back in batches', async () => {
    const { socket, connection } = hubEnd({ maxStreams: 16 });
    const refusing = refuseStreams(connection);
    const credits = (): number[] =>
      socket
        .frames()
        .filter(({ type }) => type === FRAME.streams)
        .map(({ payload }) => payload[0] ?? 0);
    for (let id = 1; id < 2 * 3; id += 2) socket.emit('message', open(id), true);
    await settle();
    assert.deepEqual(credits(), []);
    for (let id = 7; id < 2 * 8; id += 2) socket.emit('message', open(id), true);
    await settle();
    assert.deepEqual(credits(), [4, 4]);
    connection.destroy({ code: 'normal', message: 'done' });
    await refusing;
  });

  it('takes credit for streams, and opens those that waited in order', async () => {
    const { socket, connection } = hubEnd({ maxStreams: 1 });
    const first = await connection.openStream('test');
    const second = connection.openStream('test');
    const third = connection.openStream('test');
    socket.emit('message', encodeMuxFrame(FRAME.streams, 0, encodeCredit(2)), true);
    assert.deepEqual([first.id, (await second).id, (await third).id], [2, 4, 6]);
    connection.destroy({ code: 'normal', message: 'done' });
  });
});
