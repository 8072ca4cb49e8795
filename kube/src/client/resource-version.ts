const DECIMAL = /^[1-9]\d*$/;

/**
 * Compares two resourceVersions of the same resource: negative, 0 or positive as of a comparator. Undefined where
 * one is not a positive decimal number, and so opaque.
 * Source: KEP-5504 (comparable resource versions).
 */
export function compareVersions(left: string, right: string): number | undefined {
  if (!DECIMAL.test(left) || !DECIMAL.test(right)) return undefined;
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
