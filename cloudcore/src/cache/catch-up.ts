import { delay, type Clock } from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';
import type { NodeScope } from './node-scope.ts';

/** What is to catch up: the scope of a node, or one of pools. */
export interface LaggingScope {
  /** Of whom errors speak. */
  readonly name: string;
  readonly scope: string;
  readonly ready: boolean;
}

/** A resource whose watch may lag, as {@link catchUp} compares it with the API server for one scope. */
export interface ComparedResource<S = NodeScope> {
  readonly name: string;
  /**
   * Whether what is kept of it for the node is what the API server has: nothing is missing, nothing older, nothing
   * that is gone. Asks the API server.
   */
  agrees(scope: S, signal: AbortSignal): Promise<boolean>;
}

/** What {@link catchUp} needs. */
export interface CatchUpOptions<S = NodeScope> {
  /** The newest version of the API server, as of now. */
  readonly currentVersion: (signal: AbortSignal) => Promise<string>;
  /** Resources that have not certainly reached the version. */
  readonly behind: (version: string) => readonly ComparedResource<S>[];
  readonly clock: Clock;
  /** Default 20000. */
  readonly deadlineMs?: number;
}

/** Watches that are at work are this late at most; it spares the comparison. */
const PATIENCE_MS = 200;
const POLL_MS = 20;
/** Time between comparisons that found a difference. */
const COMPARE_MS = 500;

/**
 * Resolves once all that the API server had at the time of the call is in what the node is to have. Asks for the
 * newest version; waits for the watches to reach it; where one lags, since nothing happens in its resource and
 * bookmarks are rare, compares what the node has of it. Changes nothing: what is missing, the watch brings.
 * Errors: `ERR_CLOUDCORE_CATCH_UP` after `deadlineMs`; those of `ApiClient`; `signal.reason`.
 */
export async function catchUp<S extends LaggingScope>(
  scope: S,
  options: CatchUpOptions<S>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, currentVersion, behind, deadlineMs = 20_000 } = options;
  const startedMs = clock.monotonicMs();
  const version = await currentVersion(signal);
  const agreed = new Set<string>();
  let compareMs = clock.monotonicMs() + PATIENCE_MS;
  while (true) {
    const late = behind(version).filter(({ name }) => !agreed.has(name));
    if (late.length === 0 && scope.ready) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - startedMs > deadlineMs) {
      const names = late.map(({ name }) => name).join(', ');
      throw new CloudCoreError(
        'ERR_CLOUDCORE_CATCH_UP',
        `${scope.scope} did not reach version ${version} within ${deadlineMs} ms${names === '' ? '' : `: ${names}`}`,
        { about: scope.name },
      );
    }
    if (late.length > 0 && nowMs >= compareMs) {
      for (const resource of late) if (await resource.agrees(scope, signal)) agreed.add(resource.name);
      compareMs = clock.monotonicMs() + COMPARE_MS;
      continue;
    }
    await delay(POLL_MS, { clock, signal });
  }
}
