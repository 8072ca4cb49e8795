import type { Content, ContentHash, ContentKey } from '../content/content.ts';
import { DigestTree } from '../content/digest-tree.ts';
import { compareKeys } from '../content/key.ts';
import type { ReplicaChange, ReplicaEntry, ReplicaRecord } from '../edge/replica-store.ts';
import { SyncError } from '../errors.ts';
import type { PoolChange, PoolCommit, PoolView } from './pool-view.ts';
import type { SignedState } from './signed-state.ts';
import { compareVersions, isVersion } from './state-version.ts';

/** What a stamp says, once it was checked. */
export interface CheckedState extends SignedState {
  /** The life of the cluster that it is of: versions are compared within one. Default: all are of one life. */
  readonly life?: string;
}

/** A content as it is kept: bytes of its own, once. */
export class KeptContent implements Content, ReplicaEntry {
  readonly key: ContentKey;
  readonly hash: ContentHash;
  readonly version: string;
  readonly bytes: Uint8Array;

  constructor(key: ContentKey, hash: ContentHash, version: string, bytes: Uint8Array) {
    this.key = key;
    this.hash = hash;
    this.version = version;
    this.bytes = bytes;
  }

  get sizeBytes(): number {
    return this.bytes.length;
  }
}

const NO_DIGEST = new Uint8Array(0);
const EMPTY_RECORD: ReplicaRecord = { normalForm: 0, stamp: new Uint8Array(0) };

/** One scope of a `PoolStore`: what is staged, and what is committed. */
export class PoolScope implements PoolView {
  readonly scope: string;
  readonly #check: (stamp: Uint8Array) => CheckedState;
  readonly #listeners = new Set<(commit: PoolCommit) => void>();
  /** What is staged over what is committed: all of it. */
  readonly #staged = new Map<ContentKey, KeptContent>();
  readonly #committed = new Map<ContentKey, KeptContent>();
  /** Keys of which the two may differ. */
  readonly #dirty = new Set<ContentKey>();
  /** Over what is staged. */
  #tree = new DigestTree();
  #record = EMPTY_RECORD;
  #committedRecord = EMPTY_RECORD;
  #state: CheckedState | undefined;
  #changed = '';
  /** The last stamp that was checked, beside the committed one. */
  #checked: { readonly stamp: Uint8Array; readonly state: CheckedState } | undefined;
  #stagedBytes = 0;
  #committedBytes = 0;

  constructor(scope: string, check: (stamp: Uint8Array) => CheckedState) {
    this.scope = scope;
    this.#check = check;
  }

  // ── what is committed ──────────────────────────────────────────────────────────────────────────────────────

  get ready(): boolean {
    return this.#state !== undefined;
  }

  get version(): string {
    return this.#state?.version ?? '';
  }

  get changed(): string {
    return this.#changed;
  }

  get stamp(): Uint8Array {
    return this.#committedRecord.stamp;
  }

  /** Of the cluster that what is committed was signed in; undefined: nothing is, or all are of one. */
  get life(): string | undefined {
    return this.#state?.life;
  }

  /** Version of the normal form of what is committed; 0: nothing is. */
  get normalForm(): number {
    return this.#committedRecord.normalForm;
  }

  get size(): number {
    return this.#committed.size;
  }

  /** Bytes of what is committed. */
  get bytes(): number {
    return this.#committedBytes;
  }

  get(key: ContentKey): Content | undefined {
    return this.#committed.get(key);
  }

  contents(): Iterable<Content> {
    return this.#committed.values();
  }

  listen(listener: (commit: PoolCommit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ── what is staged ─────────────────────────────────────────────────────────────────────────────────────────

  get entries(): ReadonlyMap<ContentKey, KeptContent> {
    return this.#staged;
  }

  get record(): ReplicaRecord {
    return this.#record;
  }

  /** Bytes of what is staged, with what is committed and still in it. */
  get stagedBytes(): number {
    return this.#stagedBytes;
  }

  /** Whether all that is staged is committed, with the stamp that came last. */
  get isSettled(): boolean {
    return this.#state !== undefined && this.#dirty.size === 0 && isSame(this.#record.stamp, this.stamp);
  }

  /**
   * Looks at a stamp before anything that came with it is taken.
   * @throws SyncError `ERR_SYNC_FORGED`, `ERR_SYNC_OLD_STATE`
   */
  judge(stamp: Uint8Array): CheckedState {
    if (this.#state !== undefined && isSame(stamp, this.stamp)) return this.#state;
    if (this.#checked !== undefined && isSame(stamp, this.#checked.stamp)) return this.#checked.state;
    const state = this.#check(stamp);
    // Where nothing has changed since, the older one says no less: whoever gives it was told of no change.
    if (this.#isBehind(state) && !isSame(state.digest, this.#state?.digest ?? NO_DIGEST))
      throw new SyncError(
        'ERR_SYNC_OLD_STATE',
        `${this.scope}: the state of version ${state.version} is older than that of ${this.version}`,
      );
    this.#checked = { stamp: new Uint8Array(stamp), state };
    return state;
  }

  /** How much would be staged after these changes. */
  after(changes: readonly ReplicaChange[]): { readonly objects: number; readonly bytes: number } {
    const sizes = new Map<ContentKey, number | undefined>();
    let bytes = this.#stagedBytes;
    let objects = this.#staged.size;
    for (const change of changes) {
      const key = 'put' in change ? change.put.key : change.remove;
      const before = sizes.has(key) ? sizes.get(key) : this.#staged.get(key)?.sizeBytes;
      const size = 'put' in change ? change.put.bytes.length : undefined;
      bytes += (size ?? 0) - (before ?? 0);
      objects += Number(size !== undefined) - Number(before !== undefined);
      sizes.set(key, size);
    }
    return { objects, bytes };
  }

  /** Stages, and commits where a signed state says that what is staged is right. @throws as {@link judge} */
  apply(changes: readonly ReplicaChange[], record: ReplicaRecord = this.#record): void {
    const state = record.stamp.length === 0 ? undefined : this.judge(record.stamp);
    for (const change of changes) {
      if ('put' in change) this.#put(change.put);
      else this.#remove(change.remove);
    }
    if (state !== undefined && this.#isBehind(state)) {
      // The same, signed before: what is committed says it with a newer version.
      this.#record = this.#committedRecord;
      return;
    }
    if (!isSame(record.stamp, this.#record.stamp) || record.normalForm !== this.#record.normalForm)
      this.#record = { normalForm: record.normalForm, stamp: new Uint8Array(record.stamp) };
    if (state !== undefined && !this.isSettled && isSame(this.#tree.digest(), state.digest))
      this.#commit(state);
  }

  /** What was committed last was here before, with this as {@link changed}. */
  restored(changed: string): void {
    if (isVersion(changed) && compareVersions(changed, this.version) < 0) this.#changed = changed;
  }

  /** Gives up what is staged and not committed. */
  discard(): void {
    for (const key of this.#dirty) {
      const committed = this.#committed.get(key);
      if (committed === undefined) this.#remove(key);
      else this.#put(committed);
    }
    this.#dirty.clear();
    this.#record = this.#committedRecord;
    this.#checked = undefined;
  }

  /** Is as new again, but for those who listen. */
  clear(): void {
    this.#staged.clear();
    this.#committed.clear();
    this.#dirty.clear();
    this.#tree = new DigestTree();
    this.#record = EMPTY_RECORD;
    this.#committedRecord = EMPTY_RECORD;
    this.#state = undefined;
    this.#changed = '';
    this.#checked = undefined;
    this.#stagedBytes = 0;
    this.#committedBytes = 0;
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether a state is of a version before the committed one, in the same life. */
  #isBehind(state: CheckedState): boolean {
    const before = this.#state;
    if (before === undefined || before.life !== state.life) return false;
    return compareVersions(state.version, before.version) < 0;
  }

  #put({ key, hash, version, bytes }: Content): void {
    const before = this.#staged.get(key);
    if (before?.hash === hash) return;
    this.#stage(before?.key ?? key, new KeptContent(before?.key ?? key, hash, version, ownBytes(bytes)));
    this.#tree.set(key, hash);
    this.#stagedBytes += bytes.length - (before?.sizeBytes ?? 0);
  }

  #stage(key: ContentKey, content: KeptContent): void {
    const committed = this.#committed.get(key);
    // Back to what is committed: one object, and no difference any more.
    const isBack = committed?.hash === content.hash;
    this.#staged.set(key, isBack ? committed : content);
    if (isBack) this.#dirty.delete(key);
    else this.#dirty.add(key);
  }

  #remove(key: ContentKey): void {
    const before = this.#staged.get(key);
    if (before === undefined) return;
    this.#staged.delete(key);
    this.#tree.delete(key);
    this.#stagedBytes -= before.sizeBytes;
    if (this.#committed.has(key)) this.#dirty.add(key);
    else this.#dirty.delete(key);
  }

  #commit(state: CheckedState): void {
    const floor = this.#state?.life === state.life ? this.#state?.version : undefined;
    const changed: PoolChange[] = [];
    const gone: PoolChange[] = [];
    for (const key of this.#dirty) {
      const previous = this.#committed.get(key);
      const staged = this.#staged.get(key);
      if (staged === undefined) {
        this.#committed.delete(key);
        gone.push({ key, content: undefined, previous });
        continue;
      }
      const content = within(staged, floor, state.version);
      if (content !== staged) this.#staged.set(key, content);
      this.#committed.set(key, content);
      changed.push({ key, content, previous });
    }
    this.#dirty.clear();
    if (floor === undefined || changed.length + gone.length > 0) this.#changed = state.version;
    this.#state = state;
    this.#checked = undefined;
    this.#committedRecord = this.#record;
    this.#committedBytes = this.#stagedBytes;
    changed.sort(byVersion);
    gone.sort(byVersion);
    const commit = { scope: this.scope, version: state.version, changes: [...changed, ...gone] };
    for (const listener of [...this.#listeners]) listener(commit);
  }
}

/**
 * A content's resourceVersion is not signed. What changed between two states has one between theirs; where it says
 * otherwise it counts as of the newer state, so that no reader is sent back, or so far ahead that it misses what
 * follows.
 */
function within(content: KeptContent, floor: string | undefined, version: string): KeptContent {
  const isCredible =
    isVersion(content.version) &&
    compareVersions(content.version, version) <= 0 &&
    (floor === undefined || compareVersions(content.version, floor) > 0);
  return isCredible ? content : new KeptContent(content.key, content.hash, version, content.bytes);
}

function byVersion(a: PoolChange, b: PoolChange): number {
  return compareVersions(a.content?.version ?? '', b.content?.version ?? '') || compareKeys(a.key, b.key);
}

/** What came may be a view of a whole batch, which would stay in memory with it. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
