import type { KeyObject } from 'node:crypto';
import { isSignedBy, poolStateKeys, rawPublicKey, readSignedState, signState } from '@hawser/sync';
import { versionNumber } from '../cluster/stamps.ts';

/** Settings of {@link PoolSigner}. */
export interface PoolSignerOptions {
  /** Seed of the key, 32 bytes, the same for all replicas: see `HubIdentity.poolStateSeed`. */
  readonly seed: Uint8Array;
  /** Which cluster and which life of it, as of now; undefined: not known yet. */
  readonly life: () => { readonly uid: string; readonly incarnation: string } | undefined;
}

/** What a stamp was made for, and what it is. */
export interface MadeStamp {
  readonly version: string;
  readonly digest: Uint8Array;
  readonly incarnation: string;
  readonly stamp: Uint8Array;
}

const NO_STAMP = new Uint8Array(0);

/** Signs states of pools' scopes, and reads them back: docs/pool.md, "Signed states". */
export class PoolSigner {
  /** Raw Ed25519 public keys, base64, the present one first: what members check states with. */
  readonly keys: readonly string[];
  readonly #privateKey: KeyObject;
  readonly #publicKeys: readonly KeyObject[];
  readonly #life: PoolSignerOptions['life'];

  constructor({ seed, life }: PoolSignerOptions) {
    const { privateKey, publicKey } = poolStateKeys(seed);
    this.#privateKey = privateKey;
    this.#publicKeys = [publicKey];
    this.keys = [rawPublicKey(publicKey)];
    this.#life = life;
  }

  /**
   * The stamp of a state. `before` is answered where it is of just this state and life. Empty, which is no stamp, while
   * the cluster is not known, and for a version that is no number.
   */
  sign(
    subject: string,
    state: { readonly version: string; readonly digest: Uint8Array },
    before?: MadeStamp,
  ): MadeStamp {
    const life = this.#life();
    const made = { ...state, incarnation: life?.incarnation ?? '' };
    if (life === undefined || versionNumber(state.version) === undefined) return { ...made, stamp: NO_STAMP };
    if (
      before?.version === state.version &&
      before.digest === state.digest &&
      before.incarnation === life.incarnation
    )
      return before;
    const of = { clusterUid: life.uid, incarnation: life.incarnation, subject };
    return { ...made, stamp: signState(state, of, this.#privateKey) };
  }

  /** What a stamp says; undefined where this cluster has not signed it in this life of it, for this subject. */
  read(subject: string, stamp: Uint8Array): { readonly version: bigint } | undefined {
    const life = this.#life();
    const state = readSignedState(stamp);
    const version = state && versionNumber(state.version);
    if (life === undefined || version === undefined) return undefined;
    const of = { clusterUid: life.uid, incarnation: life.incarnation, subject };
    return isSignedBy(stamp, of, this.#publicKeys) ? { version } : undefined;
  }
}
