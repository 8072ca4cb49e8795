import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { applyDelta, encodeDelta, pack, SyncError, unpack } from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';
import { GeneratedConfigMap, randomText } from './generated-content.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Encodes, checks that it comes out right, and answers how long the delta is. */
function deltaBytes(base: Uint8Array, target: Uint8Array): number {
  const delta = encodeDelta(base, target);
  assert.equal(Buffer.compare(applyDelta(base, delta), target), 0, 'the target comes out');
  return delta.length;
}

/** The fastest of some runs, milliseconds: what the work takes when nothing else is in the way. */
function fastestMs(run: () => void, runs = 5): number {
  const times = Array.from({ length: runs }, () => {
    const startedMs = performance.now();
    run();
    return performance.now() - startedMs;
  });
  return Math.min(...times);
}

/** Instructions by hand, packed. */
function instructions(hex: string): Uint8Array {
  return pack(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

describe('A delta', () => {
  describe('of a ConfigMap', () => {
    let map: GeneratedConfigMap;

    function change(
      bytes: number,
      edit: (map: GeneratedConfigMap) => void,
    ): { base: Uint8Array; target: Uint8Array } {
      map = new GeneratedConfigMap(seededRandom(20_260_205), bytes);
      const base = map.content.bytes;
      assert.ok(base.length >= bytes);
      edit(map);
      return { base, target: map.content.bytes };
    }

    it('of 20 KiB with one key changed has at most 64 bytes', () => {
      for (const part of [0, 0.4, 1]) {
        const { base, target } = change(20 * KIB, () => map.change(part));
        const bytes = deltaBytes(base, target);
        assert.ok(bytes <= 64, `${bytes} bytes`);
      }
    });

    it('of 300 KiB with one key changed has at most 64 bytes, and takes 10 ms at most', () => {
      const { base, target } = change(300 * KIB, () => map.change(0.4));
      const bytes = deltaBytes(base, target);
      assert.ok(bytes <= 64, `${bytes} bytes`);
      const encodeMs = fastestMs(() => encodeDelta(base, target));
      assert.ok(encodeMs <= 10, `${encodeMs.toFixed(1)} ms`);
      const delta = encodeDelta(base, target);
      const applyMs = fastestMs(() => applyDelta(base, delta));
      assert.ok(applyMs <= 3, `${applyMs.toFixed(1)} ms`);
    });

    it('of 300 KiB with two keys changed that are far apart has at most 128 bytes, in 10 ms', () => {
      const { base, target } = change(300 * KIB, () => [0.1, 0.8].forEach((part) => map.change(part)));
      const bytes = deltaBytes(base, target);
      assert.ok(bytes <= 128, `${bytes} bytes`);
      const encodeMs = fastestMs(() => encodeDelta(base, target));
      assert.ok(encodeMs <= 10, `${encodeMs.toFixed(1)} ms`);
    });

    it('of 300 KiB with a key moved to the other end has at most 64 bytes', () => {
      const { base, target } = change(300 * KIB, () => map.rename(0.1, 'zzz'));
      const bytes = deltaBytes(base, target);
      assert.ok(bytes <= 64, `${bytes} bytes`);
    });

    it('of 300 KiB with fifty keys changed has little more than their values', () => {
      const { base, target } = change(300 * KIB, () => {
        for (let count = 0; count < 50; count++) map.change(count / 50);
      });
      const bytes = deltaBytes(base, target);
      assert.ok(bytes <= 50 * 40, `${bytes} bytes`);
    });
  });

  it('of the same content has some bytes', () => {
    const bytes = Buffer.from(randomText(seededRandom(1), 5000));
    assert.ok(deltaBytes(bytes, bytes) <= 8);
  });

  it('goes from and to nothing', () => {
    const text = Buffer.from('something that is not there before');
    deltaBytes(Buffer.alloc(0), text);
    deltaBytes(text, Buffer.alloc(0));
    deltaBytes(Buffer.alloc(0), Buffer.alloc(0));
  });

  it('finds what was swapped, wherever its blocks begin', () => {
    const halves = [randomText(seededRandom(2), 100_003), randomText(seededRandom(3), 90_001)] as const;
    const bytes = deltaBytes(Buffer.from(halves[0] + halves[1]), Buffer.from(`${halves[1]}-${halves[0]}`));
    assert.ok(bytes <= 32, `${bytes} bytes`);
  });

  it('finds every common part of 31 bytes', () => {
    const random = seededRandom(20_260_206);
    const parts = Array.from({ length: 200 }, () => randomText(random, 31));
    const base = Buffer.from(parts.join(''));
    const target = Buffer.from(parts.reverse().join('.'));
    const bytes = deltaBytes(base, target);
    assert.ok(bytes <= parts.length * 6, `${bytes} bytes for ${parts.length} parts`);
  });

  describe('comes out right for random edits', () => {
    const makers: Readonly<Record<string, (random: Random) => Buffer>> = {
      text: (random) => Buffer.from(randomText(random, randomBelow(random, 3000))),
      'text of lines that are alike': (random) =>
        Buffer.from(
          Array.from(
            { length: randomBelow(random, 100) },
            () => `  - {address: ${40_000 + randomBelow(random, 50)}, name: sensor, type: int16}\n`,
          ).join(''),
        ),
      JSON: (random) => {
        const fields = Array.from({ length: randomBelow(random, 60) }, () => [
          `k${randomBelow(random, 100)}`,
          randomBelow(random, 2) === 0
            ? randomBelow(random, 10)
            : { v: randomText(random, 20), list: [1, 2] },
        ]);
        return Buffer.from(JSON.stringify(Object.fromEntries(fields)));
      },
      binary: (random) =>
        Buffer.from(Array.from({ length: randomBelow(random, 2000) }, () => randomBelow(random, 256))),
      bits: (random) =>
        Buffer.from(Array.from({ length: randomBelow(random, 2000) }, () => randomBelow(random, 2))),
      'one byte': (random) => Buffer.alloc(randomBelow(random, 2000), 7),
      periods: (random) => {
        const period = 1 + randomBelow(random, 40);
        return Buffer.from(Array.from({ length: randomBelow(random, 2000) }, (_, index) => index % period));
      },
    };

    /** Inserts, removes, moves and repeats some parts. */
    function edited(bytes: Buffer, random: Random, make: (random: Random) => Buffer): Buffer {
      let result = bytes;
      for (let times = randomBelow(random, 6); times > 0; times--) {
        const at = randomBelow(random, result.length + 1);
        const length = randomBelow(random, Math.min(200, result.length - at) + 1);
        const part = result.subarray(at, at + length);
        const rest = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
        const to = randomBelow(random, rest.length + 1);
        const inserted = [Buffer.alloc(0), part, make(random).subarray(0, 100), Buffer.concat([part, part])];
        const what = inserted[randomBelow(random, inserted.length)] ?? part;
        result = Buffer.concat([rest.subarray(0, to), what, rest.subarray(to)]);
      }
      return result;
    }

    for (const [name, make] of Object.entries(makers)) {
      const rounds = scaled(300, 30_000);
      it(`of ${name}, ${rounds} times`, function () {
        this.timeout(scaled(10_000, 600_000));
        const random = seededRandom(20_260_207);
        for (let round = 0; round < rounds; round++) {
          const base = make(random);
          const target = randomBelow(random, 10) === 0 ? make(random) : edited(base, random, make);
          const delta = encodeDelta(base, target);
          assert.equal(
            Buffer.compare(applyDelta(base, delta), target),
            0,
            `${base.toString('hex')} → ${target.toString('hex')}`,
          );
          assert.ok(delta.length <= target.length + 16, 'hardly longer than the target');
        }
      });
    }
  });

  describe('takes time in proportion to what it is made from:', () => {
    const periodic = (period: number, length: number, from = 0): Buffer =>
      Buffer.from(Array.from({ length }, (_, index) => (index + from) % period));
    /** Every block is like every other but for its last byte, and no block of the target is like any. */
    const nearly = (period: number, length: number): Buffer =>
      Buffer.from(Array.from({ length }, (_, index) => (index % period === period - 1 ? 1 : 0)));
    const noise = (length: number): Buffer => randomFillSync(Buffer.alloc(length));
    const between = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(255), bytes, Buffer.of(255)]);

    const cases: Readonly<Record<string, (length: number) => readonly [Buffer, Buffer]>> = {
      'all zeroes': (length) => [Buffer.alloc(length), between(Buffer.alloc(length))],
      'zeroes, three times as many': (length) => [Buffer.alloc(length), between(Buffer.alloc(length * 3))],
      'a period of 7': (length) => [periodic(7, length), between(periodic(7, length, 3))],
      'a period of 16, shifted': (length) => [periodic(16, length), between(periodic(16, length, 1))],
      'periods of 17 and 19': (length) => [periodic(17, length), between(periodic(19, length))],
      'blocks that nearly match': (length) => [nearly(16, length), between(nearly(15, length))],
      'noise against other noise': (length) => [noise(length), noise(length)],
      'noise against zeroes': (length) => [noise(length), Buffer.alloc(length)],
    };

    for (const [name, make] of Object.entries(cases)) {
      it(`${name}, 1 MiB`, () => {
        const [base, target] = make(MIB);
        const ms = fastestMs(() => deltaBytes(base, target), 2);
        // Quadratic time would be many seconds. What is measured is 5 to 80 ms.
        assert.ok(ms < 1000, `${ms.toFixed(0)} ms`);
      });
    }
  });

  describe('from a peer', () => {
    const base = Buffer.from('the old version of it');

    it('is read as it is written down', () => {
      // 21 bytes; copy 8 without a gap; insert 3; copy 10 from 3 before the place without a gap.
      const made = applyDelta(base, instructions('15 10 00 07 6e6577 14 05'));
      assert.equal(Buffer.from(made).toString(), 'the old newversion of');
      // 4 bytes; insert 1; copy 3 from 18, which is 17 after the place without a gap (1).
      assert.equal(Buffer.from(applyDelta(base, instructions('04 03 3e 06 22'))).toString(), '> it');
    });

    it('makes memory of its own', () => {
      const made = applyDelta(base, encodeDelta(base, base));
      assert.equal(made.buffer.byteLength, base.length);
      made.fill(0);
      assert.equal(base.toString(), 'the old version of it');
    });

    for (const [why, hex] of Object.entries({
      'no bytes': '',
      'a length that is not reached': '05 03 61',
      'more than the length': '01 05 6161',
      'an insertion of nothing': '01 01 03 61',
      'a copy of nothing': '01 00 00 03 61',
      'an insertion beyond the bytes': '05 0b 6161',
      'a copy beyond the base': '16 2c 00',
      'a copy from before the base': '04 08 01',
      'a copy from far beyond the base': '04 08 feffffff0f',
      'a copy without a place': '04 08',
      'a number that does not end': '04 ffffffffffffffff',
      'bytes after the end': '01 03 61 03 61',
    })) {
      it(`is refused with ${why}`, () => {
        throwsCode(() => applyDelta(base, instructions(hex)), 'ERR_SYNC_BAD_DELTA');
      });
    }

    it('is refused above the limit, whatever it says', () => {
      throwsCode(() => applyDelta(base, instructions('808080808001')), 'ERR_SYNC_TOO_LARGE');
      throwsCode(() => applyDelta(base, encodeDelta(base, base), base.length - 1), 'ERR_SYNC_TOO_LARGE');
      throwsCode(() => applyDelta(base, pack(Buffer.alloc(5000)), 4000), 'ERR_SYNC_TOO_LARGE');
      throwsCode(() => applyDelta(base, Buffer.of(7)), 'ERR_SYNC_BAD_PACK');
    });

    it('makes nothing large before it is known to be sound', () => {
      const before = process.memoryUsage().arrayBuffers;
      // 16 MiB, says its head.
      throwsCode(() => applyDelta(base, instructions('80808008 03 61')), 'ERR_SYNC_BAD_DELTA');
      assert.ok(process.memoryUsage().arrayBuffers - before < MIB);
    });

    it('may make much of little, up to the limit', () => {
      const doubled = Buffer.concat(Array.from({ length: 4 }, () => Buffer.alloc(MIB)));
      assert.ok(deltaBytes(Buffer.alloc(MIB), doubled) < 256);
      throwsCode(
        () => applyDelta(Buffer.alloc(MIB), encodeDelta(Buffer.alloc(MIB), doubled), 3 * MIB),
        'ERR_SYNC_TOO_LARGE',
      );
    });

    it('of random bytes gives a code or something within the limit', () => {
      const random = seededRandom(20_260_208);
      const long = Buffer.from(randomText(random, 500));
      const target = Buffer.concat([long.subarray(200), Buffer.from('inserted'), long.subarray(0, 250)]);
      const sound = Buffer.from(unpack(encodeDelta(long, target)));
      let made = 0;
      for (let round = 0; round < scaled(20_000, 2_000_000); round++) {
        const delta = Buffer.from(sound);
        for (let times = 1 + randomBelow(random, 3); times > 0; times--)
          delta[randomBelow(random, delta.length)] = randomBelow(random, 256);
        try {
          const result = applyDelta(long, Buffer.concat([Buffer.of(0), delta]), 1000);
          assert.ok(result.length <= 1000);
          made += 1;
        } catch (error) {
          assert.ok(error instanceof SyncError, delta.toString('hex'));
        }
      }
      assert.ok(made > 0);
    });
  });
});
