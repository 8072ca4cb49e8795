import { randomBelow, type Random } from '@hawser/seams';

/** Numbers that decoders get wrong: borders of varints, of 32 and 64 bits, overlong and endless forms. */
const HOSTILE_NUMBERS: readonly Buffer[] = [
  '00',
  '01',
  '7f',
  '8000',
  '8001',
  'ff7f',
  'ffff03',
  'ffffffff07',
  '8080808008',
  'ffffffff0f',
  'ffffffff7f',
  '808080808000',
  'ffffffffffffff0f',
  '8080808080808010',
  'ffffffffffffffff7f',
  'ffffffffffffffffff01',
  'ffffffffffffffffffff01',
  '80808080808080808080808080',
].map((hex) => Buffer.from(hex, 'hex'));

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

function splice(bytes: Buffer, at: number, removed: number, inserted: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
}

function randomSlice(bytes: Buffer, random: Random): Buffer {
  const from = randomBelow(random, bytes.length + 1);
  return bytes.subarray(from, from + randomBelow(random, bytes.length - from + 1));
}

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const copy = Buffer.from(bytes);
    const at = randomBelow(random, copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << randomBelow(random, 8));
    return copy;
  },
  function setByte(bytes, random) {
    const copy = Buffer.from(bytes);
    copy[randomBelow(random, copy.length)] = randomBelow(random, 256);
    return copy;
  },
  (bytes, random) => bytes.subarray(0, randomBelow(random, bytes.length + 1)), // truncate
  (bytes, random) => bytes.subarray(randomBelow(random, bytes.length + 1)), // lose the head
  (bytes, random) => splice(bytes, randomBelow(random, bytes.length + 1), 0, randomBytes(random, 16)), // insert
  (bytes, random) =>
    splice(bytes, randomBelow(random, bytes.length + 1), randomBelow(random, 8), Buffer.alloc(0)), // cut out
  (bytes, random) => splice(bytes, randomBelow(random, bytes.length + 1), 0, randomSlice(bytes, random)), // duplicate
  (bytes, random, other) => Buffer.concat([randomSlice(bytes, random), randomSlice(other, random)]), // cross
  function attackNumber(bytes, random) {
    const number = HOSTILE_NUMBERS[randomBelow(random, HOSTILE_NUMBERS.length)] ?? Buffer.alloc(0);
    return splice(bytes, randomBelow(random, bytes.length + 1), randomBelow(random, 3), number);
  },
  (bytes, random) => Buffer.concat(Array.from({ length: 1 + randomBelow(random, 20) }, () => bytes)), // repeat
];

/** Up to `mostBytes` random bytes. */
export function randomBytes(random: Random, mostBytes: number): Buffer {
  const bytes = Buffer.alloc(randomBelow(random, mostBytes + 1));
  for (let at = 0; at < bytes.length; at++) bytes[at] = randomBelow(random, 256);
  return bytes;
}

/** One of the seeds after one to four mutations, cut to 64 KiB; or, one time in eight, random bytes. */
export function hostileBytes(random: Random, seeds: readonly Buffer[]): Buffer {
  if (randomBelow(random, 8) === 0) return randomBytes(random, 300);
  const pick = (): Buffer => seeds[randomBelow(random, seeds.length)] ?? Buffer.alloc(0);
  let bytes = pick();
  for (let rounds = 1 + randomBelow(random, 4); rounds > 0; rounds--) {
    const mutate = MUTATIONS[randomBelow(random, MUTATIONS.length)];
    if (mutate !== undefined) bytes = mutate(bytes, random, pick());
  }
  return bytes.subarray(0, 64 * 1024);
}

/** Cuts bytes into chunks of 1 to `largest`, with an empty one now and then. */
export function randomChunks(random: Random, bytes: Buffer, largest: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = randomBelow(random, largest + 1);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
