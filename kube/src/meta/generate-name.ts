import { randomBelow, type Random } from '@hawser/seams';

/** No vowels and nothing that looks alike: no words arise. Source: k8s.io/apimachinery util/rand. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const NAME_LIMIT = 63;

/** `length` random characters that may stand in a name. */
export function randomSuffix(random: Random, length: number = SUFFIX_LENGTH): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomBelow(random, ALPHABET.length))).join('');
}

/** A name from `metadata.generateName`: the prefix cut so that the whole fits 63 characters, and five random ones. */
export function generateName(prefix: string, random: Random): string {
  return prefix.slice(0, NAME_LIMIT - SUFFIX_LENGTH) + randomSuffix(random);
}
