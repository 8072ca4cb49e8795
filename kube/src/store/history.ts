import { EventLog, type SizedEvent } from './event-log.ts';
import type { GroupResource } from './store.ts';

/** Bounds of the history that watches can start in. Whichever is reached first drops the oldest events. */
export interface HistoryLimits {
  /** Events kept. Default 10,000. */
  readonly historyEvents?: number;
  /** Memory that they may take, in bytes (estimated; current objects are not counted). Default 64 MiB. */
  readonly historyBytes?: number;
}

const DEFAULT_EVENTS = 10_000;
const DEFAULT_BYTES = 64 * 2 ** 20;

/** The recent events of a store, findable by resource. */
export class History {
  readonly #limitEvents: number;
  readonly #limitBytes: number;
  readonly #all = new EventLog();
  readonly #byResource = new Map<string, EventLog>();
  #bytes = 0;
  #oldest: number;

  /** `oldest`: the version after which the first event to come follows. */
  constructor(limits: HistoryLimits, oldest = 0) {
    this.#limitEvents = limits.historyEvents ?? DEFAULT_EVENTS;
    this.#limitBytes = limits.historyBytes ?? DEFAULT_BYTES;
    this.#oldest = oldest;
  }

  /** Every event after this version is here. */
  get oldestVersion(): number {
    return this.#oldest;
  }

  /** Events kept. */
  get length(): number {
    return this.#all.length;
  }

  /** Adds the newest event, and drops the oldest ones that are over the bounds; returns those. */
  push(event: SizedEvent): SizedEvent[] {
    this.#all.push(event);
    this.#logOf(event.entry.key).push(event);
    this.#bytes += sizeOf(event);
    const dropped: SizedEvent[] = [];
    while (this.#all.length > this.#limitEvents || this.#bytes > this.#limitBytes) {
      const oldest = this.#all.shift();
      if (oldest === undefined) break;
      this.#logOf(oldest.entry.key).shift();
      this.#bytes -= sizeOf(oldest);
      this.#oldest = oldest.entry.resourceVersion;
      dropped.push(oldest);
    }
    return dropped;
  }

  /** The events of a resource after `version`, oldest first. The caller has checked {@link oldestVersion}. */
  after(resource: GroupResource, version: number): SizedEvent[] {
    return this.#byResource.get(resourceId(resource))?.after(version) ?? [];
  }

  #logOf(resource: GroupResource): EventLog {
    const id = resourceId(resource);
    let log = this.#byResource.get(id);
    if (log === undefined) {
      log = new EventLog();
      this.#byResource.set(id, log);
    }
    return log;
  }
}

/** What the history alone keeps alive: the state that an event replaced, and the last one of a deletion. */
function sizeOf({ type, entry, previous }: SizedEvent): number {
  return 128 + (previous?.sizeBytes ?? 0) + (type === 'DELETED' ? entry.sizeBytes : 0);
}

/** One string for a resource: a key of maps. */
export function resourceId({ group, resource }: GroupResource): string {
  return `${resource}.${group}`;
}
