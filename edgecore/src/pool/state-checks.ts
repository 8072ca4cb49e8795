import type { KeyObject } from 'node:crypto';
import {
  isSignedBy,
  parsePoolScope,
  publicKeyFromRaw,
  readSignedState,
  stateSubject,
  SyncError,
  type CheckedState,
  type ClusterIdentity,
  type PoolMembership,
} from '@hawser/sync';

const PREFIX = 'pool/';

/** With what a scope ends whose giver has altered what it gave: contents that are not as they say, states that nobody signed. */
export const ALTERED: ReadonlySet<string> = new Set(['ERR_SYNC_FORGED', 'ERR_SYNC_WRONG_HASH']);

/** Holds stamps against the keys of the membership, and the life of the cluster that this node has accepted. */
export class StateChecks {
  readonly #life: () => ClusterIdentity | undefined;
  #texts = '';
  #keys: readonly KeyObject[] = [];

  /** @param life the cluster that this node has accepted; undefined: none yet */
  constructor(life: () => ClusterIdentity | undefined) {
    this.#life = life;
  }

  /** The life of the cluster that this node has accepted, as states are of one; empty: none yet. */
  get life(): string {
    const life = this.#life();
    return life === undefined ? '' : nameOf(life);
  }

  /** Takes the keys of a membership; those that are none are left out, and answered. */
  use({ keys }: Pick<PoolMembership, 'keys'>): readonly string[] {
    const texts = keys.join();
    if (texts === this.#texts) return [];
    this.#texts = texts;
    const unreadable: string[] = [];
    this.#keys = keys.flatMap((text) => {
      try {
        return [publicKeyFromRaw(text)];
      } catch {
        unreadable.push(text); // told by whoever called
        return [];
      }
    });
    return unreadable;
  }

  /** For `PoolStore`. @throws SyncError `ERR_SYNC_FORGED` */
  readonly check = (scope: string, stamp: Uint8Array): CheckedState => {
    const parsed = scope.startsWith(PREFIX) ? parsePoolScope(scope.slice(PREFIX.length)) : undefined;
    const life = this.#life();
    const state = readSignedState(stamp);
    if (parsed === undefined || state === undefined || life === undefined)
      throw new SyncError('ERR_SYNC_FORGED', `${scope}: a state that cannot be checked`);
    const subject = stateSubject(parsed.pool, parsed.resource);
    const { clusterUid, incarnation } = life;
    if (!isSignedBy(stamp, { clusterUid, incarnation, subject }, this.#keys))
      throw new SyncError('ERR_SYNC_FORGED', `${scope}: a state that the hub has not signed`);
    return { ...state, life: nameOf(life) };
  };
}

/** Whether two members have accepted the same life of the cluster, as far as they say; those of older releases do not. */
export function isSameLife(one: string, other: string): boolean {
  return one === other || one === '' || other === '';
}

function nameOf({ clusterUid, incarnation }: ClusterIdentity): string {
  return `${clusterUid}/${incarnation}`;
}
