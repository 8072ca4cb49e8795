import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { TunnelError } from '../../src/index.ts';
import { CapsuleGuard } from '../../src/transport/webtransport/capsule-guard.ts';
import { FUZZ_SEED } from '../fuzz/fuzz.ts';
import { hostileBytes } from '../fuzz/mutate.ts';
import { CAPSULE, capsule, streamBytes, varint } from './raw-client.ts';

const LAWFUL: Readonly<Record<string, Buffer>> = {
  'bytes of the stream': streamBytes(Buffer.alloc(300, 7)),
  'the stream without a byte': streamBytes(Buffer.alloc(0)),
  'a window of the session': capsule(CAPSULE.maxData, varint(2 ** 24)),
  'a window of the stream': capsule(CAPSULE.maxStreamData, Buffer.concat([varint(1), varint(2 ** 40)])),
  'a session that is blocked': capsule(CAPSULE.dataBlocked, varint(9)),
  'a stream that is blocked': capsule(CAPSULE.streamDataBlocked, Buffer.concat([varint(1), varint(9)])),
  'a close': capsule(CAPSULE.close, Buffer.from('\0\0\0\x01bye', 'latin1')),
};

/** Each of these does harm in the library, or has no business between two ends of ours. */
const UNLAWFUL: Readonly<Record<string, Buffer>> = {
  'a close shorter than its code': Buffer.concat([capsule(CAPSULE.close, Buffer.of(0, 0)), Buffer.alloc(8)]),
  'a close longer than a reason': capsule(CAPSULE.close, Buffer.alloc(2000)),
  'another stream of the client': streamBytes(Buffer.of(1), 5),
  'a stream of the other side': streamBytes(Buffer.of(1), 0),
  'a stream one way': streamBytes(Buffer.of(1), 3),
  'a stream without its id': capsule(CAPSULE.stream, Buffer.alloc(0)),
  'a stream id longer than the capsule': capsule(CAPSULE.stream, Buffer.of(0xc0, 0, 0, 0, 0, 0, 0, 1), 2),
  'more bytes than any window': capsule(CAPSULE.stream, Buffer.of(1), 5 * 1024 * 1024),
  'the end of the stream': capsule(CAPSULE.streamWithEnd, Buffer.of(1)),
  'a reset': capsule(CAPSULE.reset, Buffer.of(1, 0)),
  'a wish that sending stops': capsule(CAPSULE.stopSending, Buffer.of(1, 0)),
  'a window without a number': capsule(CAPSULE.maxData, Buffer.alloc(0)),
  'a window with more than a number': capsule(CAPSULE.maxData, Buffer.of(1, 2)),
  'a window of another stream': capsule(CAPSULE.maxStreamData, Buffer.of(5, 2)),
  'leave for more streams': capsule(CAPSULE.maxStreams, Buffer.of(9)),
  'a wish for more streams': capsule(CAPSULE.streamsBlocked, Buffer.of(9)),
  'a datagram': capsule(CAPSULE.datagram, Buffer.of(1, 2, 3)),
  padding: capsule(CAPSULE.padding, Buffer.alloc(3)),
  'a drain': capsule(CAPSULE.drain, Buffer.alloc(0)),
  'an unknown capsule': capsule(0x1234, Buffer.of(1)),
  'a type of 2^62 - 1': Buffer.concat([Buffer.alloc(8, 0xff), Buffer.of(0)]),
};

/** What the guard says of bytes that come in these pieces. */
function verdict(pieces: readonly Uint8Array[]): string {
  const guard = new CapsuleGuard();
  try {
    for (const piece of pieces) guard.check(piece);
    return 'passes';
  } catch (error) {
    assert.ok(error instanceof TunnelError, String(error));
    assert.equal(error.code, 'ERR_TUNNEL_BAD_FRAME');
    return error.message;
  }
}

const byteByByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte));

describe('CapsuleGuard', () => {
  for (const [name, bytes] of Object.entries(LAWFUL)) {
    it(`lets ${name} pass, in one piece and byte by byte`, () => {
      assert.equal(verdict([bytes]), 'passes');
      assert.equal(verdict(byteByByte(bytes)), 'passes');
    });
  }

  it('lets them pass one after the other, wherever they are cut', () => {
    const all = Buffer.concat(Object.values(LAWFUL));
    for (let at = 0; at <= all.length; at++)
      assert.equal(verdict([all.subarray(0, at), all.subarray(at)]), 'passes', `cut at ${at}`);
  });

  for (const [name, bytes] of Object.entries(UNLAWFUL)) {
    it(`refuses ${name}`, () => {
      assert.notEqual(verdict([bytes]), 'passes');
      assert.equal(verdict(byteByByte(bytes)), verdict([bytes]));
      assert.equal(verdict([...Object.values(LAWFUL), bytes]), verdict([bytes]));
    });
  }

  it('says the same of any bytes, however they are cut', () => {
    const random = seededRandom(FUZZ_SEED);
    const seeds = [...Object.values(LAWFUL), ...Object.values(UNLAWFUL)];
    let refused = 0;
    for (let round = 0; round < scaled(6000, 2_000_000); round++) {
      const bytes = hostileBytes(random, seeds);
      const at = randomBelow(random, bytes.length + 1);
      const whole = verdict([bytes]);
      assert.equal(verdict([bytes.subarray(0, at), bytes.subarray(at)]), whole, bytes.toString('hex'));
      if (whole !== 'passes') refused += 1;
    }
    assert.ok(refused > 1000, `${refused} refused`);
  });
});
