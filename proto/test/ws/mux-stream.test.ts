import assert from 'node:assert/strict';
import { TunnelError } from '../../src/index.ts';
import type { MuxStream } from '../../src/transport/mux/mux-stream.ts';
import { rejectsWith } from '../../testing/index.ts';
import { ScriptedHost } from './scripted-host.ts';

const WINDOW_BYTES = 1024;

async function textOf(reading: Promise<Uint8Array | undefined>): Promise<string | undefined> {
  const chunk = await reading;
  return chunk === undefined ? undefined : Buffer.from(chunk).toString();
}

/** What the sender would put into frames now. */
function takeAll(stream: MuxStream, limitBytes = 2 ** 20): string[] {
  const frames: string[] = [];
  while (stream.isSendable()) {
    const piece = stream.takeData(limitBytes);
    frames.push(piece === undefined ? 'END' : Buffer.from(piece).toString());
    if (piece === undefined) stream.markEndSent();
  }
  return frames;
}

describe('MuxStream', () => {
  let host: ScriptedHost;
  let stream: MuxStream;

  beforeEach(() => {
    host = new ScriptedHost();
    stream = host.stream(1, WINDOW_BYTES);
  });

  describe('receiving', () => {
    it('gives bytes in order, and undefined at the end, again and again', async () => {
      stream.receive(Buffer.from('a'));
      const first = stream.read();
      assert.equal(await textOf(first), 'a');
      const second = stream.read();
      stream.receive(Buffer.from('b'));
      assert.equal(await textOf(second), 'b');
      stream.receive(Buffer.from('c'));
      stream.receiveEnd();
      assert.equal(await textOf(stream.read()), 'c');
      assert.equal(await stream.read(), undefined);
      assert.equal(await stream.read(), undefined);
    });

    it('ends a read that waits', async () => {
      const reading = stream.read();
      stream.receiveEnd();
      assert.equal(await reading, undefined);
    });

    it('takes one read at a time', async () => {
      const reading = stream.read();
      await assert.rejects(stream.read(), TypeError);
      stream.receive(Buffer.from('x'));
      assert.equal(await textOf(reading), 'x');
    });

    it('grants more once half of the window was taken, and not while nobody reads', async () => {
      stream.receive(Buffer.alloc(WINDOW_BYTES / 2 - 1));
      await stream.read();
      assert.deepEqual(host.grants, []);
      stream.receive(Buffer.alloc(1));
      assert.deepEqual(host.grants, [], 'not before it is read');
      await stream.read();
      assert.deepEqual(host.grants, [{ stream, credit: WINDOW_BYTES / 2 }]);
    });

    it('takes exactly the window, and refuses one byte more', () => {
      assert.equal(stream.receive(Buffer.alloc(WINDOW_BYTES - 1)), true);
      assert.equal(stream.receive(Buffer.alloc(1)), true);
      assert.equal(stream.receive(Buffer.alloc(0)), true, 'nothing is not too much');
      assert.equal(stream.receive(Buffer.alloc(1)), false);
    });

    it('takes what it granted, and no more', async () => {
      stream.receive(Buffer.alloc(WINDOW_BYTES));
      await stream.read();
      assert.equal(host.grants.length, 1);
      assert.equal(stream.receive(Buffer.alloc(WINDOW_BYTES)), true);
      assert.equal(stream.receive(Buffer.alloc(1)), false);
    });

    it('refuses bytes after the end, and a second end', () => {
      assert.equal(stream.receiveEnd(), true);
      assert.equal(stream.receive(Buffer.from('x')), false);
      assert.equal(stream.receiveEnd(), false);
    });

    it('grants nothing to a peer that has ended', async () => {
      stream.receive(Buffer.alloc(WINDOW_BYTES));
      stream.receiveEnd();
      await stream.read();
      assert.deepEqual(host.grants, []);
    });

    it('leaves the stream as it was when a read is aborted', async () => {
      const abort = new AbortController();
      const reading = stream.read({ signal: abort.signal });
      const reason = new Error('changed my mind');
      abort.abort(reason);
      await assert.rejects(reading, reason);
      stream.receive(Buffer.from('still here'));
      assert.equal(await textOf(stream.read()), 'still here');
      await assert.rejects(stream.read({ signal: abort.signal }), reason);
    });

    it('gathers single bytes that nobody reads', async () => {
      for (let i = 0; i < 300; i++) stream.receive(Buffer.alloc(4096, i).subarray(0, 1));
      const chunk = await stream.read();
      assert.ok(chunk);
      assert.equal(chunk.length, 300);
      assert.deepEqual([...chunk].slice(254, 258), [254, 255, 0, 1]);
    });
  });

  describe('sending', () => {
    it('resolves a write once the last byte is in a frame', async () => {
      let resolved = false;
      const writing = stream.write(Buffer.from('abcdef')).then(() => (resolved = true));
      stream.takeData(4);
      await Promise.resolve();
      assert.equal(resolved, false);
      stream.takeData(4);
      await writing;
    });

    it('keeps writes in order and apart, END last', () => {
      void stream.write(Buffer.from('one'));
      void stream.write(new Uint8Array(0));
      void stream.write(Buffer.from('two'));
      void stream.end();
      assert.deepEqual(takeAll(stream), ['one', 'two', 'END']);
      assert.equal(stream.isSendable(), false);
    });

    it('stops at the credit and goes on with more', () => {
      stream = host.stream(1, 4);
      void stream.write(Buffer.from('abcdef'));
      void stream.end();
      assert.deepEqual(takeAll(stream), ['abcd']);
      assert.equal(stream.addCredit(1), true);
      assert.deepEqual(takeAll(stream), ['e']);
      assert.equal(stream.addCredit(100), true);
      assert.deepEqual(takeAll(stream), ['f', 'END']);
    });

    it('sends END without credit', () => {
      stream = host.stream(1, 1);
      void stream.write(Buffer.from('x'));
      assert.deepEqual(takeAll(stream), ['x']);
      void stream.end();
      assert.deepEqual(takeAll(stream), ['END']);
    });

    it('refuses credit beyond 2 GiB', () => {
      assert.equal(stream.addCredit(2 ** 31 - WINDOW_BYTES), true);
      assert.equal(stream.addCredit(1), false);
    });

    it('refuses a write after end, and resolves end once END is in a frame', async () => {
      const ending = stream.end();
      await rejectsWith(stream.write(Buffer.from('late')), 'ERR_TUNNEL_ABORTED');
      takeAll(stream);
      await ending;
      await stream.end();
    });

    it('resets the stream when a write is aborted', async () => {
      const abort = new AbortController();
      const writing = stream.write(Buffer.from('half a message'), { signal: abort.signal });
      const reason = new Error('enough');
      abort.abort(reason);
      await assert.rejects(writing, reason);
      assert.deepEqual(host.resets, [stream]);
      assert.equal(stream.isSendable(), false);
      await rejectsWith(stream.write(Buffer.from('more')), 'ERR_TUNNEL_ABORTED');
    });
  });

  describe('ending', () => {
    it('is done when both directions have ended and everything is read', async () => {
      stream.receive(Buffer.from('last words'));
      stream.receiveEnd();
      void stream.end();
      takeAll(stream);
      assert.deepEqual(host.done, [], 'there is still something to read');
      await stream.read();
      assert.deepEqual(host.done, [stream]);
      assert.equal(await stream.closed, undefined);
    });

    it('is done once, whatever comes after', async () => {
      stream.receiveEnd();
      void stream.end();
      takeAll(stream);
      stream.reset();
      stream.fail(new Error('late'));
      assert.deepEqual(host.done, [stream]);
      assert.deepEqual(host.resets, [], 'a reset after the end is harmless');
      assert.equal(await stream.closed, undefined);
    });

    it('fails whatever waits when it is reset, and drops what was not read', async () => {
      stream.receive(Buffer.from('dropped'));
      const writing = stream.write(Buffer.from('never sent'));
      const ending = stream.end();
      stream.reset();
      stream.reset();
      assert.deepEqual(host.resets, [stream]);
      await rejectsWith(writing, 'ERR_TUNNEL_ABORTED');
      await rejectsWith(ending, 'ERR_TUNNEL_ABORTED');
      await rejectsWith(stream.read(), 'ERR_TUNNEL_ABORTED');
      assert.deepEqual(host.done, [stream]);
      assert.ok((await stream.closed) instanceof TunnelError);
    });

    it('swallows what was in flight when it was reset', () => {
      stream.reset();
      assert.equal(stream.receive(Buffer.alloc(WINDOW_BYTES * 10)), true);
      assert.equal(stream.receiveEnd(), true);
      assert.equal(stream.receiveEnd(), true);
      assert.deepEqual(host.grants, []);
    });

    it('gives the host’s error to a read that waits', async () => {
      const reading = stream.read();
      stream.fail(new TunnelError('ERR_TUNNEL_STREAM_RESET', 'gone'));
      await rejectsWith(reading, 'ERR_TUNNEL_STREAM_RESET');
      assert.deepEqual(host.resets, [], 'nobody is told what the host knows');
    });

    it('reads to the end by iteration, and resets when the loop is left', async () => {
      stream.receive(Buffer.from('a'));
      for await (const chunk of stream) {
        assert.equal(Buffer.from(chunk).toString(), 'a');
        break;
      }
      assert.deepEqual(host.resets, [stream]);
    });
  });
});
