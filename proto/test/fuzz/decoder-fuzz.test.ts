import assert from 'node:assert/strict';
import { scaled } from '@hawser/seams/testing';
import { frameMessage } from '../../src/index.ts';
import { TestAuthority } from '../../testing/index.ts';
import { allGolden, golden } from '../codec/golden.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { corpus } from './corpus.ts';
import { feed, fuzz, FUZZ_SEED } from './fuzz.ts';
import { hostileBytes } from './mutate.ts';
import { FUZZ_TARGETS, type FuzzTargetName } from './targets.ts';

/** Inputs in `npm test`; 40 times as many in `npm run soak`. */
const INPUTS: Readonly<Record<FuzzTargetName, number>> = {
  mux: 60_000,
  frame: 60_000,
  'sync-message': 20_000,
  'connection-frame': 20_000,
  close: 20_000,
  head: 20_000,
  messages: 20_000,
  'session-stream': 20_000,
  'connection-stream': 10_000,
  certificate: 3_000,
};

const framed = (messages: readonly Buffer[]): Buffer[] => messages.map((message) => frameMessage(message));

async function seedsFor(target: FuzzTargetName): Promise<readonly Buffer[]> {
  switch (target) {
    case 'certificate': {
      const authority = await TestAuthority.create();
      const wishes = [
        {},
        { keyType: 'p256' },
        { names: ['a.example', '192.0.2.1'] },
        { isAuthority: true },
      ] as const;
      return Promise.all(wishes.map(async (wish) => (await authority.issue(wish)).certificate.raw));
    }
    case 'messages':
    case 'session-stream':
    case 'connection-stream':
      return [...framed(allGolden()), Buffer.concat(framed([...golden('session-frames').values()]))];
    default:
      return allGolden();
  }
}

describe('Decoders of a peer’s bytes', function () {
  this.timeout(scaled(60_000, 3_600_000));

  describe('given what once found something', () => {
    for (const { name, target, found, hex } of corpus()) {
      it(`${name}: ${found}`, () => feed(FUZZ_TARGETS[target], Buffer.from(hex, 'hex'), 0));
    }
  });

  for (const [name, inputs] of Object.entries(INPUTS) as [FuzzTargetName, number][]) {
    const count = scaled(inputs, inputs * 40);
    it(`(${name}) only ever throw what they may, over ${count} inputs`, async () => {
      const seeds = await seedsFor(name);
      for (const seed of seeds) await feed(FUZZ_TARGETS[name], seed, 0);
      collectGarbage();
      const beforeBytes = process.memoryUsage().heapUsed;
      await fuzz(FUZZ_TARGETS[name], {
        inputs: count,
        seed: FUZZ_SEED,
        make: (random) => hostileBytes(random, seeds),
      });
      collectGarbage();
      const grownBytes = process.memoryUsage().heapUsed - beforeBytes;
      assert.ok(grownBytes < 8 * 1024 * 1024, `the heap grew by ${grownBytes} bytes`);
    });
  }
});
