import assert from 'node:assert/strict';
import { SpdyStatus } from '../../src/kubelet-endpoint/spdy-status.ts';

/** A data frame. */
function data(stream: number, text: string | Buffer, flags = 0): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE(body.length, 4);
  head[4] = flags;
  return Buffer.concat([head, body]);
}

/** SYN_REPLY of a stream, without headers. */
const REPLY = Buffer.from([0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, 1]);

describe('the status of a command over SPDY', () => {
  it('passes whole frames on, whatever pieces they come in', () => {
    const whole = Buffer.concat([REPLY, data(5, 'out'), data(5, Buffer.alloc(40_000, 7)), data(7, '')]);
    for (const size of [1, 3, 8, 11, 1000, whole.length]) {
      const status = new SpdyStatus();
      const passed: Buffer[] = [];
      for (let at = 0; at < whole.length; at += size) passed.push(status.feed(whole.subarray(at, at + size)));
      assert.ok(Buffer.concat(passed).equals(whole), `pieces of ${size}`);
    }
    const half = new SpdyStatus();
    assert.equal(half.feed(data(5, 'out').subarray(0, 9)).length, 0, 'half a frame is held');
  });

  it('says in place of the runtime that a command has failed', () => {
    const status = new SpdyStatus();
    status.feed(Buffer.concat([REPLY, data(5, 'out'), data(5, 'cut off').subarray(0, 10)]));
    const said = status.failure('the line was cut');
    assert.deepEqual(
      [said.readUInt32BE(0), said[4], said.readUInt32BE(4) & 0xff_ffff],
      [1, 1, said.length - 8],
    );
    const { status: what, message } = JSON.parse(said.subarray(8).toString()) as Record<string, string>;
    assert.deepEqual([what, message], ['Failure', 'the line was cut']);
    assert.equal(status.failure('again').length, 0, 'once');
  });

  it('says nothing where the runtime has', () => {
    const status = new SpdyStatus();
    status.feed(Buffer.concat([data(5, 'out'), data(1, '{"status":"Success"}', 1)]));
    assert.equal(status.failure('cut').length, 0);
  });

  it('does not hold frames that are too long, nor speak in the middle of one', () => {
    const status = new SpdyStatus();
    const long = data(5, Buffer.alloc(1_000_000));
    assert.equal(status.feed(long.subarray(0, 100)).length, 100);
    assert.equal(status.failure('cut').length, 0);
    assert.equal(status.feed(long.subarray(100)).length, long.length - 100);
    assert.ok(status.failure('cut').length > 0);
  });
});
