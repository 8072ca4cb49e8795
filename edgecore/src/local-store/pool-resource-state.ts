import type { Clock } from '@hawser/seams';
import type { GroupResource } from '@hawser/kube';
import { parseKey, poolResourceName, type ContentKey, type PoolCommit, type PoolView } from '@hawser/sync';
import type { PoolReader } from '../pool/pool-types.ts';
import { AddressOverlay, isOverlaid } from './address-overlay.ts';
import type { ChangeHistoryLimits } from './change-history.ts';
import { ContentEntry, versionOf } from './content-entry.ts';
import { ResourceState, type ObjectChange } from './resource-state.ts';

/** What a {@link PoolResourceState} is made of. */
export interface PoolResourceStateOptions {
  readonly resource: GroupResource;
  /** Ready. */
  readonly view: PoolView;
  readonly pool: PoolReader;
  readonly limits: ChangeHistoryLimits;
  /** The version that what is made here begins with now. */
  readonly ownVersion: () => number;
  readonly clock: Clock;
}

/** Joins a replica of a pool, and the addresses that pods have now, with the {@link ResourceState} that readers see. */
export class PoolResourceState {
  readonly view: PoolView;
  readonly state: ResourceState;
  readonly #resource: GroupResource;
  readonly #overlay: AddressOverlay | undefined;
  /** Objects that are shown with other addresses than the cloud last said. */
  readonly #overlaid = new Map<ContentKey, Uint8Array>();
  readonly #pool: PoolReader;
  readonly #ownVersion: () => number;
  readonly #unlisten: () => void;
  /** Whether versions are this node's own: since somebody may have been told of addresses that the cloud did not say. */
  #isOwn = false;
  /** The version of the last commit. */
  #version: number;

  constructor({ resource, view, pool, limits, ownVersion, clock }: PoolResourceStateOptions) {
    const name = poolResourceName(resource);
    this.view = view;
    this.#pool = pool;
    this.#resource = resource;
    this.#ownVersion = ownVersion;
    this.#overlay = isOverlaid(name) ? new AddressOverlay(pool, name) : undefined;
    this.#version = versionOf(view.version);
    this.state = new ResourceState({
      ...{ resource, limits, clock },
      entries: this.#entries(),
      version: this.#version,
      floor: versionOf(view.changed ?? view.version),
    });
    this.#unlisten = view.listen((commit) => this.#commit(commit));
    this.look();
  }

  /** Looks at the pool again: addresses may be others than before. */
  look(): void {
    if (this.#overlay === undefined) return;
    const shown: ObjectChange[] = [];
    const asSaid: ObjectChange[] = [];
    for (const key of this.#overlay.look(this.view.contents())) {
      const content = this.view.get(key);
      if (content === undefined) continue;
      const bytes = this.#overlay.shown(content);
      const before = this.#overlaid.get(key);
      if (bytes === undefined ? before === undefined : before !== undefined && isSame(bytes, before))
        continue;
      const { namespace, name } = parseKey(key);
      const entry = ContentEntry.of(this.#resource, content);
      if (bytes === undefined) {
        this.#overlaid.delete(key);
        asSaid.push({ namespace, name, now: entry });
      } else {
        this.#overlaid.set(key, bytes);
        shown.push({ namespace, name, now: entry.with(bytes) });
      }
    }
    this.#isOwn ||= shown.length > 0;
    this.state.touch(shown, 'event', this.#ownVersion());
    this.state.touch(asSaid, 'own');
  }

  /** The replica is another one, or there is none any more. */
  end(): void {
    this.#unlisten();
    this.state.end();
  }

  /** Nobody reads any more. */
  close(): void {
    this.#unlisten();
    this.state.close();
  }

  *#entries(): Generator<ContentEntry> {
    for (const content of this.view.contents()) yield ContentEntry.of(this.#resource, content);
  }

  #commit({ version: text, changes }: PoolCommit): void {
    const version = versionOf(text);
    const isLower = version < this.#version;
    this.#version = version;
    if (isLower) {
      this.#reset(version);
      return;
    }
    for (const { key, previous, content } of changes) {
      this.#overlay?.said(key, previous, content);
      this.#overlaid.delete(key);
    }
    if (this.#isOwn && this.#pool.cloud && this.#overlaid.size === 0) {
      this.#reset(version);
      return;
    }
    const changed = changes.map(({ key, content }) => {
      const { namespace, name } = parseKey(key);
      const now = content === undefined ? undefined : ContentEntry.of(this.#resource, content);
      return { namespace, name, now };
    });
    if (this.#isOwn) this.state.touch(changed, 'own');
    else this.state.commit(changed, version);
    // The replica was emptied in between, and nobody was told.
    if (this.state.size !== this.view.size) this.#reset(this.state.version + 1, this.#isOwn);
  }

  #reset(version: number, isOwn = false): void {
    this.#isOwn = isOwn;
    this.state.reset(this.#entries(), version);
    this.#overlaid.clear();
    this.#overlay?.forget();
    this.look();
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
