import type { Clock } from '@hawser/seams';
import type { ToldChange } from './change-history.ts';
import { signatureOf, type EntryFilter, type ObjectPlace } from './entry-filter.ts';
import type { LocalEntry } from './local-entry.ts';
import { ResourceState, type ObjectChange } from './resource-state.ts';
import type { ChangeHistoryLimits } from './change-history.ts';

/** What a {@link FilteredState} is over. */
export interface FilteredStateOptions {
  readonly base: ResourceState;
  /** The first one is applied first. */
  readonly filters: readonly EntryFilter[];
  /** The version to begin with: its versions are this node's own. */
  readonly version: number;
  readonly clock: Clock;
}

const HISTORY: ChangeHistoryLimits = { events: 1000, bytes: 512 * 1024 };

/**
 * A {@link ResourceState} as some clients see it. Versions of lists and events are this node's own: what is shown changes
 * with more than the other one, and after a restart nobody knows how it was shown before.
 */
export class FilteredState {
  readonly base: ResourceState;
  readonly state: ResourceState;
  readonly #filters: readonly EntryFilter[];
  readonly #undo: readonly (() => void)[];

  constructor({ base, filters, version, clock }: FilteredStateOptions) {
    this.base = base;
    this.#filters = filters;
    for (const filter of filters) filter.begin(base);
    this.state = new ResourceState({
      ...{ version, clock, limits: HISTORY },
      resource: base.resource,
      entries: this.#shown(),
      floor: version,
    });
    this.#undo = [
      base.listen((news) => {
        if (news.type === 'changes') this.#follow(news.changes);
        else if (news.type === 'restart') this.#restart();
        else if (news.isGone) this.end();
        else this.close();
      }),
      ...filters.map((filter) => filter.listen((places) => this.#look(places))),
    ];
  }

  /** What it is over is gone, or another one. */
  end(): void {
    for (const undo of this.#undo) undo();
    this.state.end();
  }

  /** Nobody reads any more. */
  close(): void {
    for (const undo of this.#undo) undo();
    this.state.close();
  }

  *#shown(): Generator<LocalEntry> {
    for (const entry of this.base.entries()) yield this.#show(entry);
  }

  #show(entry: LocalEntry): LocalEntry {
    return this.#filters.reduce((shown, filter) => filter.show(shown), entry);
  }

  #follow(changes: readonly ToldChange[]): void {
    const others = new Map<string, ObjectPlace>();
    for (const change of changes)
      for (const filter of this.#filters)
        for (const place of filter.changed(change)) others.set(`${place.namespace}/${place.name}`, place);
    this.state.touch(
      changes.flatMap(({ now, before }) => {
        const key = (now ?? before)?.key;
        if (key === undefined) return [];
        const { namespace, name } = key;
        others.delete(`${namespace}/${name}`);
        return [{ namespace, name, now: now === undefined ? undefined : this.#show(now) }];
      }),
      'own',
    );
    this.#look(others.values());
  }

  /** Tells of what is to be shown in another way than before. */
  #look(places: Iterable<ObjectPlace>): void {
    const changes: ObjectChange[] = [];
    for (const { namespace, name } of places) {
      const entry = this.base.get(namespace, name);
      if (entry === undefined) continue;
      const now = this.#show(entry);
      if (signatureOf(now) !== signatureOf(this.state.get(namespace, name)))
        changes.push({ namespace, name, now });
    }
    this.state.touch(changes, 'event');
  }

  #restart(): void {
    for (const filter of this.#filters) filter.begin(this.base);
    this.state.reset(this.#shown(), this.state.version + 1);
  }
}
