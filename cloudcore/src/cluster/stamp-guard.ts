import type { ScopeView } from '@hawser/sync';
import { CloudCoreError } from '../errors.ts';
import { versionNumber, type StampFacts } from './stamps.ts';

/**
 * What a stamp tells. `none`: there is none, or no version to compare; `foreign`: not one of this cluster and
 * incarnation; `current`: the API server has what the edge was given; `rollback`: it has lost some of it.
 */
export type StampVerdict = 'none' | 'foreign' | 'current' | 'rollback';

/** What reads stamps: those of nodes' scopes, or signed states of pools. */
export interface StampReader {
  /** What a stamp says; undefined where it is not one of this cluster and incarnation. Takes any bytes. */
  read(stamp: Uint8Array): (Pick<StampFacts, 'version'> & Partial<StampFacts>) | undefined;
}

/** Settings of {@link StampGuard}. */
export interface StampGuardOptions {
  readonly stamps: StampReader;
  /** The API server's newest version, read at most so long ago; 0: not before the call. See `ApiVersionReader`. */
  readonly currentVersion: (maxAgeMs: number, signal: AbortSignal) => Promise<string>;
  /**
   * The highest version that this replica's caches have seen, once they are synced. Default: views are not waited for.
   */
  readonly seenVersion?: (signal: AbortSignal) => Promise<string>;
  /**
   * The API server went back. Called once for all stamps that tell it in the present incarnation; what it rejects
   * with ends {@link StampGuard.admit}.
   */
  readonly onRollback: (reason: string) => Promise<void>;
  /**
   * How old a read may be that says that all is well, milliseconds. Whoever notices trouble with the API server makes
   * the reader forget. Default 10000: a thousand edges that come back together cost a few reads.
   */
  readonly shareMs?: number;
}

/**
 * Rule 3 of docs/sync.md, "Guards": an edge that was given more than the API server has proves that it went back to an
 * older state. What an edge hands in is not trusted: only a stamp that this cluster once gave counts.
 */
export class StampGuard {
  readonly #options: StampGuardOptions;
  #rollingBack: Promise<void> | undefined;

  constructor(options: StampGuardOptions) {
    this.#options = options;
  }

  /** Errors: those of the read; `signal.reason`. */
  async check(stamp: Uint8Array, signal: AbortSignal): Promise<StampVerdict> {
    return (await this.#judge(stamp, signal)).verdict;
  }

  /**
   * Resolves where the edge may go on.
   * Errors: `ERR_CLOUDCORE_ROLLBACK`, after {@link StampGuardOptions.onRollback}; those of {@link check}.
   */
  async admit(stamp: Uint8Array, signal: AbortSignal): Promise<void> {
    const { verdict, reason } = await this.#judge(stamp, signal);
    if (verdict !== 'rollback') return;
    // Of a life that has ended just now: what it proves was known.
    if (this.#options.stamps.read(stamp) === undefined)
      throw new CloudCoreError('ERR_CLOUDCORE_ROLLBACK', reason);
    this.#rollingBack ??= this.#options.onRollback(reason).finally(() => {
      this.#rollingBack = undefined;
    });
    await this.#rollingBack;
    throw new CloudCoreError('ERR_CLOUDCORE_ROLLBACK', reason);
  }

  /**
   * As {@link admit}, and resolves once the view is as new as the stamp: another replica may have given the edge what
   * the watches of this one have not brought yet, and it must not be taken back.
   * Errors: those of {@link admit}, and of `ScopeView.catchUp`.
   */
  async admitTo(view: Pick<ScopeView, 'catchUp'>, stamp: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.admit(stamp, signal);
    const { stamps, seenVersion } = this.#options;
    const facts = stamps.read(stamp);
    if (facts === undefined || seenVersion === undefined) return;
    const seen = versionNumber(await seenVersion(signal));
    if (seen === undefined || facts.version > seen) await view.catchUp(signal);
  }

  async #judge(stamp: Uint8Array, signal: AbortSignal): Promise<{ verdict: StampVerdict; reason: string }> {
    const { stamps, currentVersion, shareMs = 10_000 } = this.#options;
    const reason = '';
    if (stamp.length === 0) return { verdict: 'none', reason };
    const facts = stamps.read(stamp);
    if (facts === undefined) return { verdict: 'foreign', reason };
    const recent = versionNumber(await currentVersion(shareMs, signal));
    if (recent === undefined) return { verdict: 'none', reason };
    if (facts.version <= recent) return { verdict: 'current', reason };
    // The stamp may only be newer than that read: another replica may have given it since.
    const fresh = versionNumber(await currentVersion(0, signal));
    if (fresh === undefined) return { verdict: 'none', reason };
    if (facts.version <= fresh) return { verdict: 'current', reason };
    // While we asked, another edge may have told, and the stamp be one of an earlier incarnation.
    if (stamps.read(stamp) === undefined) return { verdict: 'foreign', reason };
    return {
      verdict: 'rollback',
      reason: `the API server is at version ${fresh}, and was at ${facts.version} when an edge was given its state${when(facts.issuedAtMs)}`,
    };
  }
}

function when(issuedAtMs: number | undefined): string {
  return issuedAtMs === undefined ? '' : `, ${new Date(issuedAtMs).toISOString()}`;
}
