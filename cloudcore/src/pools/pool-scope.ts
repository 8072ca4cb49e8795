import { compareResourceVersions } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import {
  DigestTree,
  type Content,
  type ContentHash,
  type ContentKey,
  type ScopeListener,
  type ScopeView,
} from '@hawser/sync';
import { catchUp } from '../cache/catch-up.ts';
import { Gate } from '../cache/gate.ts';
import { StampGuard } from '../cluster/stamp-guard.ts';
import type { MadeStamp, PoolSigner } from './pool-signer.ts';

/** What every scope of pools needs. */
export interface PoolScopeSettings {
  readonly signer: PoolSigner;
  readonly clock: Clock;
  readonly log: Logger;
  /** The API server went back to an older state: see `StampGuardOptions.onRollback`. */
  readonly onRollback: (reason: string) => Promise<void>;
}

/**
 * What the members of pools are to have of one resource: a view that any number of publishers share. Listeners hear of
 * a change while it happens, so that a stamp is never of a state that they have not been told of.
 */
export abstract class PoolScope implements ScopeView {
  /** The resource, as in keys. */
  readonly name: string;
  readonly scope: string;
  readonly #subject: string;
  readonly #settings: PoolScopeSettings;
  readonly #listeners = new Set<ScopeListener>();
  readonly #hashes = new DigestTree();
  readonly #complete = new Gate();
  readonly #guard: StampGuard;
  #stamp: MadeStamp | undefined;
  /** A version at which the API server was seen to have just this state. */
  #agreedVersion = '';

  /** @param subject what states are signed for: `stateSubject` of sync */
  constructor(name: string, subject: string, settings: PoolScopeSettings) {
    this.name = name;
    this.scope = `pool/*/${subject}`;
    this.#subject = subject;
    this.#settings = settings;
    this.#guard = new StampGuard({
      stamps: { read: (stamp) => settings.signer.read(subject, stamp) },
      currentVersion: (maxAgeMs, signal) => this.currentVersion(maxAgeMs, signal),
      seenVersion: async (signal) => {
        await this.#complete.wait(signal);
        return this.version;
      },
      onRollback: (reason) => settings.onRollback(reason),
    });
  }

  abstract get(key: ContentKey): Content | undefined;
  /** The highest version that what it is made of was seen at. */
  protected abstract get seenVersion(): string;
  /** The API server's newest version; see `ApiVersionReader.current`. */
  protected abstract currentVersion(maxAgeMs: number, signal: AbortSignal): Promise<string>;
  /** The version at which the API server has just what this scope shows; undefined: it has something else. */
  protected abstract agreedAt(signal: AbortSignal): Promise<string | undefined>;

  get ready(): boolean {
    return this.#complete.isOpen;
  }

  get size(): number {
    return this.#hashes.size;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** The resourceVersion that this state is of; `''`: none yet. */
  get version(): string {
    return laterVersion(this.seenVersion, this.#agreedVersion);
  }

  hashes(): Iterable<readonly [ContentKey, ContentHash]> {
    return this.#hashes.entries();
  }

  digest(): Uint8Array {
    return this.#hashes.digest();
  }

  /** Signed once for each state. */
  stamp(): Uint8Array {
    const state = { version: this.version, digest: this.digest() };
    this.#stamp = this.#settings.signer.sign(this.#subject, state, this.#stamp);
    return this.#stamp.stamp;
  }

  /** As `StampGuard.admitTo`, for signed states. */
  admit(stamp: Uint8Array, signal: AbortSignal): Promise<void> {
    return this.#guard.admitTo(this, stamp, signal);
  }

  catchUp(signal: AbortSignal): Promise<void> {
    const compared = { name: this.name, agrees: () => this.#agrees(signal) };
    return catchUp<PoolScope>(
      this,
      {
        currentVersion: (waiting) => this.currentVersion(0, waiting),
        behind: (version) => ((compareResourceVersions(this.version, version) ?? -1) < 0 ? [compared] : []),
        clock: this.#settings.clock,
      },
      signal,
    );
  }

  listen(listener: ScopeListener): () => void {
    // The same object may listen twice, and each place is its own.
    const own: ScopeListener = {
      changed: (key) => listener.changed(key),
      ready: () => listener.ready(),
    };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** All of it is there, or is not any more. */
  protected complete(isComplete: boolean): void {
    if (isComplete === this.#complete.isOpen) return;
    if (!isComplete) {
      this.#complete.close();
      return;
    }
    this.#complete.open();
    this.#tell((listener) => listener.ready());
  }

  /** The content of a key is another one; undefined: there is none. */
  protected changed(key: ContentKey, hash: ContentHash | undefined): void {
    if (this.#hashes.get(key) === hash) return;
    if (hash === undefined) this.#hashes.delete(key);
    else this.#hashes.set(key, hash);
    this.#tell((listener) => listener.changed(key));
  }

  /** What was seen before says nothing any more: the API server has another life. */
  protected forgetVersions(): void {
    this.#agreedVersion = '';
  }

  /** Nobody follows it any more. Whoever waits hears why. */
  protected fail(reason: Error): void {
    this.#complete.fail(reason);
  }

  async #agrees(signal: AbortSignal): Promise<boolean> {
    const version = await this.agreedAt(signal);
    if (version === undefined) return false;
    this.#agreedVersion = laterVersion(this.#agreedVersion, version);
    return true;
  }

  #tell(call: (listener: ScopeListener) => void): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        call(listener);
      } catch (err) {
        this.#settings.log.error({ scope: this.scope, err }, 'a listener failed');
      }
    }
  }
}

/** The later of two versions; one that cannot be compared, and `''`, comes before any other. */
export function laterVersion(left: string, right: string): string {
  if (left === '') return right;
  return (compareResourceVersions(right, left) ?? -1) > 0 ? right : left;
}
