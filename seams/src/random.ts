/** Where randomness that need not be secret comes from (jitter, shuffles). Keys and tokens use `node:crypto`. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** The machine's randomness. */
export const systemRandom: Random = { next: () => Math.random() };

/**
 * A reproducible generator: the same seed gives the same numbers on every machine.
 * Source: mulberry32, a 32-bit generator by Tommy Ettinger (public domain).
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** A whole number in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}
