/** What came out of looking at one thing. */
export interface CheckResult {
  readonly result: 'good' | 'warning' | 'failed';
  /** What was found, in a few words. */
  readonly found: string;
  /** How to mend it. */
  readonly remedy?: string;
}

/** One thing to look at before a machine joins. */
export interface Check {
  /** For `--skip-checks`. */
  readonly name: CheckName;
  /** Never rejects but for an abort: what cannot be looked at is a result too. */
  readonly run: () => Promise<CheckResult | undefined>;
}

/** Names of all checks, in the order in which they are made. */
export const CHECK_NAMES = [
  'node-version',
  'rights',
  'hostname',
  'running',
  'joined',
  'disk',
  'memory',
  'swap',
  'cgroups',
  'runtime',
  'cloud',
  'clock',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

/** It is as it should be. */
export function good(found: string): CheckResult {
  return { result: 'good', found };
}

/** It may become a problem. */
export function warning(found: string, remedy: string): CheckResult {
  return { result: 'warning', found, remedy };
}

/** A join, or the node after it, would not work. */
export function failed(found: string, remedy: string): CheckResult {
  return { result: 'failed', found, remedy };
}
