import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import {
  hashOf,
  MAX_INVENTORY_BYTES,
  MAX_KEY_BYTES,
  pack,
  packInventory,
  SyncError,
  unpack,
  unpackInventory,
} from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';

const hashFor = (text: string): string => hashOf(Buffer.from(text));

function entries(count: number): Map<string, string> {
  const all = new Map<string, string>();
  for (let index = 0; index < count; index++)
    all.set(`configmaps/ns-${index % 5}/settings-ž-${index}`, hashFor(`${index}`));
  return all;
}

function raw(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return pack(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part))),
  );
}

/** One entry as it travels, with any key. */
function entry(key: string | Uint8Array, hash = '11'.repeat(16)): Buffer {
  const name = Buffer.from(key as string);
  return Buffer.concat([
    Buffer.of((name.length & 0x7f) | 0x80, name.length >> 7),
    name,
    Buffer.from(hash, 'hex'),
  ]);
}

describe('An inventory', () => {
  it('of nothing is one message', () => {
    const messages = packInventory([]);
    assert.deepEqual(
      messages.map((message) => [...message]),
      [[0]],
    );
    assert.equal(unpackInventory(messages[0] ?? Buffer.alloc(0)).size, 0);
  });

  it('is what it always was', () => {
    const key = Buffer.from('pods/a/b').toString('hex');
    const [message] = packInventory([['pods/a/b', 'ba7816bf8f01cfea414140de5dae2223']]);
    assert.equal(Buffer.from(message ?? []).toString('hex'), `0008${key}ba7816bf8f01cfea414140de5dae2223`);
  });

  it('of a node fits in one small message', () => {
    const all = entries(20);
    const [message, ...more] = packInventory(all);
    assert.ok(message !== undefined && more.length === 0);
    assert.deepEqual(unpackInventory(message), all);
    // 16 bytes of each are a hash, which no packing makes smaller.
    assert.ok(message.length < 20 * (16 + 8), `${message.length} bytes`);
  });

  it('of a large scope comes in messages of a bounded size', () => {
    const all = entries(30_000);
    const messages = packInventory(all);
    assert.ok(messages.length >= 3);
    const found = messages.flatMap((message) => {
      assert.ok(unpack(message).length <= MAX_INVENTORY_BYTES);
      return [...unpackInventory(message)];
    });
    assert.deepEqual(new Map(found), all);
    assert.equal(found.length, all.size);
  });

  it('takes the longest key', () => {
    const key = `pods/a/${'x'.repeat(MAX_KEY_BYTES - 7)}`;
    const [message] = packInventory([[key, hashFor('a')]]);
    assert.equal(unpackInventory(message ?? Buffer.alloc(0)).get(key), hashFor('a'));
  });

  it('is not made of hashes that are none', () => {
    throwsCode(() => packInventory([['pods/a/b', 'beef']]), 'ERR_SYNC_BAD_HASH');
  });

  it('that is malformed is refused', () => {
    const good = entry('pods/a/b');
    for (const [why, packed] of Object.entries({
      'truncated in the hash': raw(good.subarray(0, -1)),
      'truncated in the key': raw(good.subarray(0, 5)),
      'truncated in the length': raw(good, '80'),
      'an endless length': raw('ffffffffffffffffff01'),
      'a length beyond the bytes': raw('7f', '6162'),
      'a key that is too long': raw(entry(`pods/a/${'x'.repeat(MAX_KEY_BYTES)}`)),
      'a key twice': raw(good, good),
      'a key that is not UTF-8': raw('03', '61ff2f', '11'.repeat(16)),
    }))
      assert.match(
        throwsCode(() => unpackInventory(packed), 'ERR_SYNC_BAD_INVENTORY'),
        /^inventory: /,
        why,
      );
    throwsCode(() => unpackInventory(raw(entry('no key'))), 'ERR_SYNC_BAD_KEY');
    throwsCode(() => unpackInventory(raw(entry(''))), 'ERR_SYNC_BAD_KEY');
    throwsCode(() => unpackInventory(Buffer.of(1, 2, 3)), 'ERR_SYNC_BAD_PACK');
    throwsCode(() => unpackInventory(pack(Buffer.alloc(MAX_INVENTORY_BYTES + 1))), 'ERR_SYNC_TOO_LARGE');
  });

  it('of random bytes only ever gives a code', () => {
    const random = seededRandom(20_260_204);
    const seeds = packInventory(entries(3)).concat(
      pack(Buffer.concat([entry('pods/a/b'), entry('nodes//a')])),
    );
    for (let round = 0; round < scaled(5000, 500_000); round++) {
      const bytes = Buffer.from(seeds[randomBelow(random, seeds.length)] ?? []);
      for (let times = 1 + randomBelow(random, 3); times > 0; times--)
        bytes[randomBelow(random, bytes.length)] = randomBelow(random, 256);
      try {
        unpackInventory(bytes.subarray(0, 1 + randomBelow(random, bytes.length)));
      } catch (error) {
        assert.ok(error instanceof SyncError, bytes.toString('hex'));
      }
    }
  });
});
