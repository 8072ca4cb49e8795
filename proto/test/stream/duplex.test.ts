import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { eventually, FakeClock, within } from '@hawser/seams/testing';
import { StreamDuplex, TunnelError } from '../../src/index.ts';
import { drain, streamPair } from '../../testing/index.ts';

const WINDOW_BYTES = 8 * 1024;

/** A pair of ends, the near one as a Duplex. */
function pair(): {
  duplex: StreamDuplex;
  far: ReturnType<typeof streamPair>['far'];
  lose: () => void;
  near: ReturnType<typeof streamPair>['near'];
} {
  const { near, far, lose } = streamPair({ windowBytes: WINDOW_BYTES });
  return { duplex: new StreamDuplex(near, { highWaterMark: 1024 }), near, far, lose };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof TunnelError ? error.code : undefined;
}

async function errorOf(duplex: StreamDuplex): Promise<unknown> {
  const [error] = (await within('an error', once(duplex, 'error'))) as [unknown];
  return error;
}

describe('StreamDuplex', () => {
  describe('bytes', () => {
    it('carries both ways, and ends in good order once both directions have', async () => {
      const { duplex, near, far } = pair();
      const sent = Buffer.alloc(100_000, 'abc');
      const echoed = (async () => {
        for (let chunk = await far.read(); chunk !== undefined; chunk = await far.read())
          await far.write(chunk);
        await far.end();
      })();
      const received: Buffer[] = [];
      duplex.on('data', (chunk: Buffer) => received.push(chunk));
      duplex.end(sent);
      await within('the close', once(duplex, 'close'));
      await echoed;
      assert.ok(Buffer.concat(received).equals(sent));
      assert.equal(await near.closed, undefined);
      assert.equal(await far.closed, undefined);
    });

    it('sends small writes that wait as one', async () => {
      const { duplex, near, far } = pair();
      const writes: number[] = [];
      const write = near.write.bind(near);
      near.write = (data, options) => {
        writes.push(data.length);
        return write(data, options);
      };
      duplex.cork();
      for (let at = 0; at < 10; at++) duplex.write('0123456789');
      duplex.uncork();
      duplex.end();
      assert.equal((await drain(far)).length, 100);
      assert.deepEqual(writes, [100]);
      duplex.destroy();
    });
  });

  describe('back-pressure', () => {
    it('reads no more than its reader takes', async () => {
      const { duplex, far } = pair();
      let sent = 0;
      const sending = (async () => {
        for (;;) {
          await far.write(Buffer.alloc(512));
          sent += 512;
        }
      })();
      const ended = assert.rejects(sending, { code: 'ERR_TUNNEL_STREAM_RESET' });
      duplex.once('readable', () => {});
      await eventually('the sender to be stopped', async () => {
        const before = sent;
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
        return before > 0 && sent === before;
      });
      // One window in the stream, and what is read ahead: one chunk above the mark.
      assert.ok(sent <= 2 * WINDOW_BYTES, `${sent} bytes were taken`);
      assert.ok(duplex.readableLength <= WINDOW_BYTES + 1024, `${duplex.readableLength} bytes are kept`);
      duplex.destroy();
      await ended;
    });

    it('says so to its writer, and drains when the other end reads', async () => {
      const { duplex, far } = pair();
      let written = 0;
      while (duplex.write(Buffer.alloc(512))) {
        written += 1;
        assert.ok(written < 1000, 'nobody said stop');
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(duplex.writableLength <= 1024 + 512);
      const drained = once(duplex, 'drain');
      const read = drain(far);
      await within('room', drained);
      duplex.end();
      assert.equal((await read).length, (written + 1) * 512);
      duplex.resume();
      await far.end();
      await within('the close', once(duplex, 'close'));
    });
  });

  describe('half-close', () => {
    it('goes on reading after its own end', async () => {
      const { duplex, far } = pair();
      duplex.end('question');
      assert.equal((await drain(far)).toString(), 'question');
      await far.write(Buffer.from('answer'));
      await far.end();
      const chunks: Buffer[] = [];
      for await (const chunk of duplex) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), 'answer');
    });

    it("goes on writing after the peer's end", async () => {
      const { duplex, far } = pair();
      await far.end();
      duplex.resume();
      await within('the end', once(duplex, 'end'));
      assert.equal(duplex.destroyed, false);
      duplex.end('still here');
      assert.equal((await drain(far)).toString(), 'still here');
      await within('the close', once(duplex, 'close'));
    });
  });

  describe('errors', () => {
    it('is destroyed by a reset of the peer, though nobody reads', async () => {
      const { duplex, far } = pair();
      await far.write(Buffer.alloc(WINDOW_BYTES));
      const failed = errorOf(duplex);
      far.reset();
      assert.equal(codeOf(await failed), 'ERR_TUNNEL_STREAM_RESET');
      assert.equal(duplex.destroyed, true);
    });

    it('is destroyed when the connection is lost, and a write that waits fails', async () => {
      const { duplex, lose } = pair();
      const written = new Promise<Error | null | undefined>((resolve) => {
        duplex.write(Buffer.alloc(2 * WINDOW_BYTES), resolve);
      });
      const failed = errorOf(duplex);
      await eventually('the window to be full', () => duplex.writableLength > 0);
      lose();
      assert.equal(codeOf(await failed), 'ERR_TUNNEL_CONNECTION_LOST');
      assert.equal(codeOf(await written), 'ERR_TUNNEL_CONNECTION_LOST');
    });

    it('resets the stream when it is destroyed, and says no error of its own', async () => {
      const { duplex, near, far } = pair();
      const errors: unknown[] = [];
      duplex.on('error', (error) => errors.push(error));
      duplex.resume();
      await far.write(Buffer.from('x'));
      duplex.destroy();
      await within('the close', once(duplex, 'close'));
      assert.equal(codeOf(await near.closed), 'ERR_TUNNEL_ABORTED');
      assert.equal(codeOf(await far.closed), 'ERR_TUNNEL_STREAM_RESET');
      assert.deepEqual(errors, []);
    });

    it('passes the error on that it is destroyed with', async () => {
      const { duplex, far } = pair();
      const failed = errorOf(duplex);
      const reason = new Error('enough');
      duplex.destroy(reason);
      assert.equal(await failed, reason);
      assert.equal(codeOf(await far.closed), 'ERR_TUNNEL_STREAM_RESET');
    });

    it('ends a pipeline with the error of the stream', async () => {
      const { duplex, far } = pair();
      const other = pair();
      const piped = pipeline(duplex, other.duplex);
      await far.write(Buffer.from('x'));
      far.reset();
      await assert.rejects(within('the pipeline', piped), { code: 'ERR_TUNNEL_STREAM_RESET' });
      assert.equal(codeOf(await other.far.closed), 'ERR_TUNNEL_STREAM_RESET');
    });
  });

  describe('setTimeout', () => {
    it('tells once of a time without bytes, not before', async () => {
      const clock = new FakeClock();
      const { near, far } = streamPair();
      const duplex = new StreamDuplex(near, { clock });
      let timeouts = 0;
      duplex.setTimeout(1000, () => (timeouts += 1));
      duplex.on('data', () => {});
      await clock.advance(900);
      await far.write(Buffer.from('x'));
      await within('the byte', once(duplex, 'data'));
      await clock.advance(900);
      assert.equal(timeouts, 0);
      await clock.advance(100);
      assert.equal(timeouts, 1);
      await clock.advance(10_000);
      assert.equal(timeouts, 1);
      duplex.destroy();
    });

    it('is taken back with 0, and ends with the stream', async () => {
      const clock = new FakeClock();
      const duplex = new StreamDuplex(streamPair().near, { clock });
      let timeouts = 0;
      const listener = (): void => void (timeouts += 1);
      duplex.setTimeout(1000, listener);
      duplex.setTimeout(0, listener);
      await clock.advance(2000);
      duplex.setTimeout(1000, listener);
      duplex.destroy();
      await clock.advance(2000);
      assert.equal(timeouts, 0);
      assert.equal(duplex.listenerCount('timeout'), 1);
    });
  });

  describe('HTTP', () => {
    let server: Server;

    beforeEach(() => {
      server = createServer((asked, response) => {
        asked.pipe(response.writeHead(200, { 'content-type': 'text/plain' }));
      });
    });

    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it('serves a request and its answer, and ends in good order', async () => {
      const { near, far } = streamPair();
      server.emit('connection', new StreamDuplex(far));
      const asked = request({ method: 'POST', path: '/x', createConnection: () => new StreamDuplex(near) });
      const body = Buffer.alloc(300_000, 'z');
      asked.end(body);
      const [response] = (await within('the answer', once(asked, 'response'))) as [AsyncIterable<Buffer>];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(body));
      assert.equal(await within('the near end', near.closed), undefined);
      assert.equal(await within('the far end', far.closed), undefined);
    });

    it('serves an upgrade, and then bytes', async () => {
      server.on('upgrade', (_asked, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      });
      const { near, far } = streamPair();
      server.emit('connection', new StreamDuplex(far));
      const duplex = new StreamDuplex(near);
      const asked = request({
        headers: { connection: 'Upgrade', upgrade: 'echo' },
        createConnection: () => duplex,
      });
      asked.end();
      await within('the upgrade', once(asked, 'upgrade'));
      duplex.end('hello');
      const chunks: Buffer[] = [];
      for await (const chunk of duplex) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), 'hello');
    });

    it('lets go of a request whose client has gone', async () => {
      const { near, far } = streamPair();
      let isClosed: Promise<unknown> | undefined;
      server.removeAllListeners('request').on('request', (asked: IncomingMessage) => {
        asked.on('error', () => {});
        isClosed = new Promise((resolve) => asked.once('close', resolve));
      });
      server.emit('connection', new StreamDuplex(far));
      await near.write(Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc'));
      await eventually('the request', () => isClosed !== undefined);
      near.reset();
      await within('its end', Promise.resolve(isClosed));
    });
  });
});
