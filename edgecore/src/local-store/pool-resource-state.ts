import type { Clock } from '@hawser/seams';
import type { GroupResource } from '@hawser/kube';
import { parseKey, type PoolCommit, type PoolView } from '@hawser/sync';
import type { PoolReader } from '../pool/pool-types.ts';
import type { ChangeHistoryLimits } from './change-history.ts';
import { ContentEntry, versionOf } from './content-entry.ts';
import { ResourceState } from './resource-state.ts';

/** What a {@link PoolResourceState} is made of. */
export interface PoolResourceStateOptions {
  readonly resource: GroupResource;
  /** Ready. */
  readonly view: PoolView;
  readonly pool: PoolReader;
  readonly limits: ChangeHistoryLimits;
  readonly clock: Clock;
}

/** Joins a replica of a pool with the {@link ResourceState} that readers see. */
export class PoolResourceState {
  readonly view: PoolView;
  readonly state: ResourceState;
  readonly #resource: GroupResource;
  readonly #unlisten: () => void;
  /** The version of the last commit. */
  #version: number;

  constructor({ resource, view, limits, clock }: PoolResourceStateOptions) {
    this.view = view;
    this.#resource = resource;
    this.#version = versionOf(view.version);
    this.state = new ResourceState({
      ...{ resource, limits, clock },
      entries: this.#entries(),
      version: this.#version,
      floor: this.#version,
    });
    this.#unlisten = view.listen((commit) => this.#commit(commit));
  }

  /** Looks at the pool again: something about it is different. */
  look(): void {
    // Addresses of pods are looked at here.
  }

  end(): void {
    this.#unlisten();
    this.state.end();
  }

  *#entries(): Generator<ContentEntry> {
    for (const content of this.view.contents()) yield ContentEntry.of(this.#resource, content);
  }

  #commit({ version: text, changes }: PoolCommit): void {
    const version = versionOf(text);
    const isLower = version < this.#version;
    this.#version = version;
    if (isLower) {
      this.state.reset(this.#entries(), version);
      return;
    }
    this.state.commit(
      changes.map(({ key, content }) => {
        const { namespace, name } = parseKey(key);
        const now = content === undefined ? undefined : ContentEntry.of(this.#resource, content);
        return { namespace, name, now };
      }),
      version,
    );
    // The replica was emptied in between, and nobody was told.
    if (this.state.size !== this.view.size) this.state.reset(this.#entries(), this.state.version + 1);
  }
}
