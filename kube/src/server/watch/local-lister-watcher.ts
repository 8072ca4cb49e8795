import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, Timer } from '@hawser/seams';
import type { ApiResource } from '../../client/api-resource.ts';
import type {
  ListerWatcher,
  ListerWatcherScope,
  ListPage,
  WatchCall,
  WatchStream,
} from '../../client/lister-watcher.ts';
import { ServerFacts } from '../../client/server-facts.ts';
import { INITIAL_EVENTS_END, type WatchEvent } from '../../client/watch-events.ts';
import { noSuchResource } from '../../status/status-errors.ts';
import type { Entry, ObjectStore, Scope, StoreWatch } from '../../store/store.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import type { Registry } from '../registry/registry.ts';
import { parseVersion, selection, type Selection } from '../rest/object-lister.ts';
import { seenEvent, shownObject } from './event-line.ts';

/** What {@link localListerWatchers} reads. */
export interface LocalListerWatcherOptions {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly clock: Clock;
}

/** Events that may wait for one of our own readers, which only prepare and enqueue. */
const LIMIT_EVENTS = 10_000;
/** Initial events told before others get their turn: objects are parsed here, some microseconds each. */
const EVENTS_A_TURN = 100;

/**
 * Makes lister-watchers that read the store of a server in this process: what a reflector sees is what the API would
 * show, without a connection, and the objects are those of the store and no copies. They are frozen.
 *
 * Lists come in one page, whatever `limit` says. `resourceVersion` of a list is not looked at: what is answered is the
 * newest state. Errors are those of the API; an unknown resource is NotFound at the call.
 */
export function localListerWatchers(
  options: LocalListerWatcherOptions,
): (resource: ApiResource, scope?: ListerWatcherScope) => ListerWatcher {
  const server = new ServerFacts();
  return (resource, scope = {}) => new LocalListerWatcher(server, options, resource, scope);
}

class LocalListerWatcher implements ListerWatcher {
  readonly server: ServerFacts;
  readonly #options: LocalListerWatcherOptions;
  readonly #resource: ApiResource;
  readonly #scope: ListerWatcherScope;

  constructor(
    server: ServerFacts,
    options: LocalListerWatcherOptions,
    resource: ApiResource,
    scope: ListerWatcherScope,
  ) {
    this.server = server;
    this.#options = options;
    this.#resource = resource;
    this.#scope = scope;
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown must become a rejection
  async list(_call: unknown, signal: AbortSignal): Promise<ListPage> {
    signal.throwIfAborted();
    const { definition, selected, scope } = this.#chosen();
    const { entries, resourceVersion } = this.#options.store.list(scope);
    return {
      items: entries
        .filter((entry) => selected.matches(entry))
        .map((entry) => shownObject(definition, entry, entry.resourceVersion)),
      resourceVersion: String(resourceVersion),
    };
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown must become a rejection
  async watch(call: WatchCall, signal: AbortSignal): Promise<WatchStream> {
    signal.throwIfAborted();
    const { store, clock } = this.#options;
    const { definition, selected, scope } = this.#chosen();
    const version = parseVersion(call.resourceVersion ?? '');
    const initial = version === 0 || call.sendInitialEvents === true ? store.list(scope) : undefined;
    const fromVersion = initial?.resourceVersion ?? version;
    const watch = store.watch(scope, { fromVersion, limitEvents: LIMIT_EVENTS });
    return new LocalWatch({
      ...{ watch, definition, selected, signal },
      initial: initial?.entries ?? [],
      initialEnd: call.sendInitialEvents === true ? fromVersion : undefined,
      timer: clock.setTimer(call.timeoutSeconds * 1000, () => watch.close(), { background: true }),
    });
  }

  #chosen(): { definition: ResourceDefinition; selected: Selection; scope: Scope } {
    const { group, version, resource } = this.#resource;
    const definition = this.#options.registry.find(group, version, resource);
    if (definition === undefined) throw noSuchResource();
    const { namespace = '', labelSelector = '', fieldSelector = '' } = this.#scope;
    const scope = {
      ...definition.storage,
      ...(definition.namespaced && namespace !== '' && { namespace }),
    };
    return { definition, selected: selection(definition, { labelSelector, fieldSelector }), scope };
  }
}

interface LocalWatchOptions {
  readonly watch: StoreWatch;
  readonly definition: ResourceDefinition;
  readonly selected: Selection;
  readonly initial: readonly Entry[];
  /** The version to tell in the bookmark that ends the initial events; undefined: there is none. */
  readonly initialEnd: number | undefined;
  /** Ends it. */
  readonly timer: Timer;
  readonly signal: AbortSignal;
}

class LocalWatch implements WatchStream {
  readonly #options: LocalWatchOptions;
  readonly #onAbort = (): void => this.close();

  constructor(options: LocalWatchOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  close(): void {
    const { watch, timer, signal } = this.#options;
    timer.cancel();
    signal.removeEventListener('abort', this.#onAbort);
    watch.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    const { watch, definition, selected, signal } = this.#options;
    try {
      yield* this.#initialEvents();
      for await (const event of watch) {
        const seen = seenEvent(event, selected);
        if (seen === undefined) continue;
        yield { type: seen.type, object: shownObject(definition, seen.entry, seen.resourceVersion) };
      }
      signal.throwIfAborted();
    } finally {
      this.close();
    }
  }

  async *#initialEvents(): AsyncGenerator<WatchEvent, void, undefined> {
    const { definition, selected, initial, initialEnd, signal } = this.#options;
    let told = 0;
    for (const entry of initial) {
      if (!selected.matches(entry)) continue;
      yield { type: 'ADDED', object: shownObject(definition, entry, entry.resourceVersion) };
      told += 1;
      if (told % EVENTS_A_TURN === 0) await nextTurn();
      signal.throwIfAborted();
    }
    if (initialEnd === undefined) return;
    const annotations = { [INITIAL_EVENTS_END]: 'true' };
    yield {
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(initialEnd), annotations } },
    };
  }
}
