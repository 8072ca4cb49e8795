import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { seededRandom } from '@hawser/seams';
import { FakeClock, scaled } from '@hawser/seams/testing';
import { withCrc } from '../src/crc.ts';
import { SerialWire } from '../src/serial-wire.ts';
import { TcpWire } from '../src/tcp-wire.ts';
import { LinkDown } from '../src/words.ts';

/** What both a socket and a serial line have of what a wire uses. */
class Line extends EventEmitter {
  readonly sent: Buffer[] = [];
  destroyed = false;

  write(bytes: Buffer): boolean {
    this.sent.push(bytes);
    return true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  flush(done: (error: null) => void): void {
    done(null);
  }

  close(done: (error: null) => void): void {
    this.destroyed = true;
    done(null);
  }
}

const REQUEST = withCrc(Buffer.from([1, 3, 0, 0, 0, 1]));
const ANSWER = withCrc(Buffer.from([1, 3, 2, 0, 42]));

describe('a wire with noise', () => {
  it('of TCP hands on the answer to its request only, however bytes are cut', () => {
    const random = seededRandom(1);
    for (let round = 0; round < scaled(300, 10_000); round += 1) {
      const line = new Line();
      const wire = new TcpWire(line as unknown as Socket).attach();
      const frames: Buffer[] = [];
      wire.on('data', (frame: Buffer) => frames.push(frame));
      wire.write(REQUEST);
      const header = line.sent[0] ?? Buffer.alloc(0);
      assert.deepEqual(header.subarray(2), Buffer.from([0, 0, 0, 6, 1, 3, 0, 0, 0, 1]));
      const other = Buffer.from([0x7f, 0x7f, 0, 0, 0, 5, 1, 3, 2, 0, 9]);
      const own = Buffer.concat([header.subarray(0, 2), Buffer.from([0, 0, 0, 5, 1, 3, 2, 0, 42])]);
      const stream = Buffer.concat([other, own, own, other]);
      for (let at = 0; at < stream.length;) {
        const length = 1 + Math.floor(random.next() * 7);
        line.emit('data', stream.subarray(at, at + length));
        at += length;
      }
      assert.deepEqual(frames, [ANSWER]);
    }
  });

  it('of TCP ends at what is no frame, and never throws', function () {
    this.timeout(scaled(10_000, 60_000));
    const random = seededRandom(2);
    for (let round = 0; round < scaled(1000, 20_000); round += 1) {
      const line = new Line();
      const wire = new TcpWire(line as unknown as Socket).attach();
      let down: Error | undefined;
      wire.on('down', (reason: Error) => (down = reason));
      wire.write(REQUEST);
      const bytes = Buffer.from(
        Array.from({ length: Math.floor(random.next() * 600) }, () => Math.floor(random.next() * 256)),
      );
      line.emit('data', bytes);
      if (bytes.length >= 6 && bytes.readUInt16BE(2) !== 0) {
        assert.ok(down instanceof LinkDown && line.destroyed && !wire.isOpen);
        line.emit('data', bytes);
      }
    }
  });

  it('of a serial line finds the answer among any noise', function () {
    this.timeout(scaled(10_000, 60_000));
    const random = seededRandom(3);
    for (let round = 0; round < scaled(1000, 10_000); round += 1) {
      const line = new Line();
      const wire = new SerialWire(line, {
        clock: new FakeClock(),
        baudRate: 9600,
        bitsPerByte: 10,
      }).attach();
      const frames: Buffer[] = [];
      wire.on('data', (frame: Buffer) => frames.push(frame));
      wire.write(REQUEST);
      // Unit and function, never the right length behind them: one noise in 65,536 would have the right CRC.
      const noise = Buffer.from(
        Array.from(
          { length: Math.floor(random.next() * 700) },
          () => [0, 1, 3][Math.floor(random.next() * 3)] ?? 0,
        ),
      );
      const stream = Buffer.concat([noise, ANSWER]);
      for (let at = 0; at < stream.length;) {
        const length = 1 + Math.floor(random.next() * 60);
        line.emit('data', stream.subarray(at, at + length));
        at += length;
      }
      assert.deepEqual(frames, [ANSWER], noise.toString('hex'));
      wire.destroy();
    }
  });

  it('of a serial line is over with its last error, whenever that comes', () => {
    const line = new Line();
    const wire = new SerialWire(line, {
      clock: new FakeClock(),
      baudRate: 9600,
      bitsPerByte: 10,
    }).attach();
    const reasons: Error[] = [];
    wire.on('down', (reason: Error) => reasons.push(reason));
    wire.destroy();
    line.emit('error', new Error('one more'));
    line.emit('close', null);
    line.emit('data', ANSWER);
    assert.deepEqual(
      reasons.map(({ message }) => message),
      ['the serial line was closed'],
    );
  });
});
