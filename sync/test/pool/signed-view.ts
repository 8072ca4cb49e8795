import {
  isSignedBy,
  poolStateKeys,
  PoolStore,
  readSignedState,
  signState,
  SyncError,
  type CheckedState,
  type Content,
  type PoolStoreOptions,
  type StateSubject,
} from '../../src/index.ts';
import { MemoryScopeView, sampleContent } from '../../testing/index.ts';

/** A scope that is the same in all pools. */
export const SCOPE = 'pool/berlin/services';
export const OF: StateSubject = { clusterUid: 'cluster-1', incarnation: 'first', subject: 'services' };
/** The hub's keys, and those of somebody who is not the hub. */
export const HUB = poolStateKeys(new Uint8Array(32).fill(1));
export const FORGER = poolStateKeys(new Uint8Array(32).fill(2));

/** What a hub has of a scope: each change is a version, each state is signed. */
export class SignedView extends MemoryScopeView {
  of = OF;
  version = 100;
  /** Digest, in hex, of the state of each version. */
  readonly states = new Map<string, string>();

  constructor(scope = SCOPE, catchUp?: () => Promise<void>) {
    super({ scope, stamp: () => this.#sign(), ...(catchUp && { catchUp }) });
  }

  /** Writes an object with this text. */
  write(name: string, text: string): Content {
    this.version += 1;
    const content = service(name, text, this.version);
    this.put(content);
    return content;
  }

  take(name: string): void {
    this.version += 1;
    this.remove(`services/default/${name}`);
  }

  #sign(): Uint8Array {
    const version = String(this.version);
    this.states.set(version, hex(this.digest()));
    return signState({ version, digest: this.digest() }, this.of, HUB.privateKey);
  }
}

export function service(name: string, text: string, version: number | string): Content {
  return sampleContent(`services/default/${name}`, text, String(version));
}

/** As a member checks it. */
export function checkOf(of: StateSubject): PoolStoreOptions['check'] {
  return (scope: string, stamp: Uint8Array): CheckedState => {
    const state = readSignedState(stamp);
    if (state === undefined || !isSignedBy(stamp, of, [HUB.publicKey]))
      throw new SyncError('ERR_SYNC_FORGED', `${scope}: not signed`);
    return { ...state, life: of.incarnation };
  };
}

export function poolStore(options: Partial<PoolStoreOptions> = {}): PoolStore {
  return new PoolStore({ check: checkOf(OF), ...options });
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
