/** The two halves of `apiVersion`. */
export interface GroupVersion {
  /** `''` for the core group. */
  readonly group: string;
  readonly version: string;
}

/**
 * Splits `apiVersion`: `apps/v1` → apps and v1, `v1` → core group and v1.
 * Source: k8s.io/apimachinery runtime/schema ParseGroupVersion.
 * @throws SyntaxError for more than one slash.
 */
export function parseApiVersion(apiVersion: string): GroupVersion {
  const parts = apiVersion.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) throw new SyntaxError(`unexpected GroupVersion string: ${apiVersion}`);
  return second === undefined ? { group: '', version: first } : { group: first, version: second };
}

/** Joins what {@link parseApiVersion} splits. */
export function formatApiVersion({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`;
}

const KUBE_VERSION = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;
const STABILITY = ['', 'alpha', 'beta', 'stable'];

/**
 * Orders versions as clients prefer them: v10, v2, v1, v2beta1, v1beta2, v1alpha1, then others by name.
 * For `Array.sort`. Source: k8s.io/apimachinery version.CompareKubeAwareVersionStrings (descending).
 */
export function compareVersions(left: string, right: string): number {
  const a = rank(left);
  const b = rank(right);
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return other - value;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Stability, major, minor; zeros for what is no version of that form. */
function rank(version: string): number[] {
  const match = KUBE_VERSION.exec(version);
  if (match === null) return [0, 0, 0];
  const [, major = '0', stability = 'stable', minor = '0'] = match;
  return [STABILITY.indexOf(stability), Number(major), Number(minor)];
}
