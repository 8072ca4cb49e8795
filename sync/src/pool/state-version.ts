/** Digits of the largest number of 128 bits. Source: KEP-5504, "Comparable Resource Version". */
export const MAX_VERSION_DIGITS = 39;

const VERSION = /^(0|[1-9][0-9]{0,38})$/;

/** Whether it is a resourceVersion that can be compared: decimal, without leading zeroes. */
export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/** Order of resourceVersions of one life of a cluster, for `sort`. Of what is none, any order that is always the same. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  // Without leading zeroes the longer number is the higher one.
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}
