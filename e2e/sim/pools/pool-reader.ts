import type { PoolMember } from '@hawser/edgecore/testing/pools';
import { POOL_RESOURCES, type PoolCommit, type PoolView } from '@hawser/sync';
import type { SignedContents, SignedStates } from './signed-states.ts';

/** What a {@link SimPoolReader} is made of. */
export interface SimPoolReaderOptions {
  readonly node: string;
  readonly member: PoolMember;
  readonly signed: SignedStates;
  readonly fail: (what: string) => void;
}

/** What a reader has of one scope: as it was at first, and what commits have made of it. */
interface Copy {
  readonly view: PoolView;
  readonly stop: () => void;
  /** Hash and resourceVersion, by key. */
  readonly objects: Map<string, { readonly hash: string; readonly version: string }>;
  state: SignedContents | undefined;
}

/** An emptied scope is looked at again after so long: it is not emptied before, with something to spare for clocks. */
const CONFIRMED_MS = 1_990;

/**
 * A reader of all views of one member's process, as the local API is one: it begins with what is there, and goes by the
 * commits alone. Whatever it is told is held against what the cloud had.
 */
export class SimPoolReader {
  readonly #options: SimPoolReaderOptions;
  readonly #copies = new Map<string, Copy>();
  readonly #stop: () => void;
  /** Commits that were heard, and changes in them. */
  commits = 0;
  changes = 0;

  constructor(options: SimPoolReaderOptions) {
    this.#options = options;
    this.#stop = options.member.listen(() => this.#look());
    this.#look();
  }

  /** The process is gone. */
  stop(): void {
    this.#stop();
    for (const { stop } of this.#copies.values()) stop();
    this.#copies.clear();
  }

  /** Holds the copies against the views: at any moment. */
  check(): void {
    const { member } = this.#options;
    this.#look();
    for (const [scope, { view, objects, state }] of this.#copies) {
      if (state === undefined) continue;
      if (!view.ready) {
        // A pool that is being left says so in a moment.
        if (member.run !== undefined) this.#fail(`${scope} has lost what it had`);
      } else if (view.version !== state.version)
        this.#fail(`${scope} shows ${view.version}, and readers heard of ${state.version}`);
      else if (view.size !== objects.size)
        this.#fail(`${scope} has ${view.size} objects, and its reader ${objects.size}`);
    }
  }

  #look(): void {
    const { member } = this.#options;
    const present = new Set<string>();
    for (const resource of [...member.resources().keys(), POOL_RESOURCES.roster]) {
      const view = member.view(resource);
      if (view === undefined) continue;
      present.add(view.scope);
      if (this.#copies.get(view.scope)?.view !== view) this.#begin(view);
    }
    for (const [scope, copy] of [...this.#copies]) {
      if (present.has(scope)) continue;
      copy.stop();
      this.#copies.delete(scope);
    }
  }

  #begin(view: PoolView): void {
    this.#copies.get(view.scope)?.stop();
    const objects = new Map<string, { readonly hash: string; readonly version: string }>();
    for (const { key, hash, version } of view.contents()) objects.set(key, { hash, version });
    const stop = view.listen((commit) => this.#onCommit(copy, commit));
    const copy: Copy = { view, stop, objects, state: undefined };
    this.#copies.set(view.scope, copy);
    if (view.ready) copy.state = this.#stateOf(view);
  }

  #onCommit(copy: Copy, commit: PoolCommit): void {
    const { view, objects } = copy;
    const { scope } = view;
    this.commits += 1;
    this.changes += commit.changes.length;
    const before = copy.state;
    const had = objects.size;
    const state = this.#stateOf(view);
    const isSameLife = before !== undefined && before.incarnation === state?.incarnation;
    if (commit.scope !== scope || commit.version !== view.version)
      this.#fail(`${scope} shows ${view.version}, and tells of ${commit.scope} ${commit.version}`);
    if (isSameLife && Number(commit.version) < Number(before.version))
      this.#fail(`${scope} went back from ${before.version} to ${commit.version}`);
    let last = '';
    const gone: string[] = [];
    for (const { key, content, previous } of commit.changes) {
      const known = objects.get(key);
      if (known?.hash !== previous?.hash || known?.version !== previous?.version)
        this.#fail(
          `${scope} says that ${key} was ${previous?.version}, and its reader has ${known?.version}`,
        );
      if (content === undefined) {
        if (known === undefined) this.#fail(`${scope} says twice that ${key} is gone`);
        gone.push(key);
        objects.delete(key);
        continue;
      }
      if (known?.hash === content.hash) this.#fail(`${scope} says twice that ${key} is ${content.version}`);
      if (gone.length > 0 || Number(content.version) < Number(last))
        this.#fail(`${scope} tells of ${key} ${content.version} out of order`);
      if (Number(content.version) > Number(commit.version))
        this.#fail(`${scope} shows ${key} ${content.version} in ${commit.version}`);
      if (isSameLife && Number(content.version) <= Number(before.version))
        this.#fail(`${scope} tells of ${key} ${content.version} after ${before.version}`);
      last = content.version;
      objects.set(key, { hash: content.hash, version: content.version });
    }
    copy.state = state;
    this.#compare(copy);
    if (had > 0 && objects.size === 0 && isSameLife) this.#checkEmptied(scope, gone, before);
  }

  /** What the view shows is what its stamp says, and what the commits have made of the copy. */
  #compare({ view, objects, state }: Copy): void {
    const { scope } = view;
    let count = 0;
    for (const { key, hash, version } of view.contents()) {
      count += 1;
      const mine = objects.get(key);
      if (mine?.hash !== hash || mine.version !== version)
        this.#fail(`${scope} has ${key} ${version}, and its reader ${mine?.version}`);
      if (state !== undefined && state.hashes.get(key) !== hash)
        this.#fail(`${scope} has ${key} ${version}, which the cloud did not have in ${state.version}`);
    }
    if (count !== objects.size) this.#fail(`${scope} has ${count} objects, and its reader ${objects.size}`);
    if (state !== undefined && state.hashes.size !== count)
      this.#fail(`${scope} has ${count} objects, the cloud had ${state.hashes.size} in ${state.version}`);
  }

  #checkEmptied(scope: string, gone: readonly string[], { incarnation, version }: SignedContents): void {
    for (const key of gone) {
      const forMs = this.#options.signed.removedForMs(key, incarnation, version);
      if (forMs === undefined) this.#fail(`${scope} was emptied of ${key}, which the cloud did not remove`);
      else if (forMs < CONFIRMED_MS)
        this.#fail(`${scope} was emptied of ${key} ${forMs} ms after the cloud had removed it: unconfirmed`);
    }
  }

  #stateOf({ scope, stamp, version }: PoolView): SignedContents | undefined {
    const state = this.#options.signed.find(scope, stamp);
    if (state === undefined) this.#fail(`${scope} shows ${version}, which the cloud has never signed`);
    else if (state.version !== version)
      this.#fail(`${scope} shows ${version} with the stamp of ${state.version}`);
    return state;
  }

  #fail(what: string): void {
    this.#options.fail(`${this.#options.node}: ${what}`);
  }
}
