import { randomBelow, seededRandom, type Random } from '@hawser/seams';

/** Randomness of a simulation, with the questions that one asks. */
export class Dice implements Random {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  next(): number {
    return this.#random.next();
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return randomBelow(this.#random, bound);
  }

  /** A number in [from, to). */
  between(from: number, to: number): number {
    return from + this.#random.next() * (to - from);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  /** One of them; undefined if there is none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  /** `count` of them at most, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    const taken: T[] = [];
    while (taken.length < count && rest.length > 0) taken.push(...rest.splice(this.below(rest.length), 1));
    return taken;
  }

  /** One of the names, each as likely as its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.#random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new RangeError('there is nothing to choose from');
  }

  /** Another generator that depends on this one, so that what it is asked for does not shift what follows here. */
  fork(): Dice {
    return new Dice(this.below(2 ** 31));
  }
}
