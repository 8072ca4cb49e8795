import { randomUUID } from 'node:crypto';
import type { UpstreamBodies } from '@hawser/sync';
import type { Clock } from '@hawser/seams';

/** A Kubernetes Event, as the edge reports it. */
export type EventBody = UpstreamBodies['event'];
/** The object that an event is about. */
export type EventRegarding = EventBody['regarding'];

/** What an {@link EventRecorder} needs. */
export interface EventRecorderOptions {
  /** Takes an event; another one of the same number replaces what waits for the cloud. */
  readonly report: (key: string, body: EventBody) => void;
  /** Events about one object that may be reported at once, and how long it takes until there is room for one more. */
  readonly burst: number;
  readonly refillMs: number;
  readonly clock: Clock;
}

/** What happened to an object, as it is shown at the edge. */
export interface RecentEvent {
  readonly type: EventBody['type'];
  readonly reason: string;
  readonly message: string;
  /** Part of the object: `spec.containers{main}`. */
  readonly fieldPath?: string;
  /** How often, within one series. */
  readonly count: number;
  /** RFC 3339. */
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

/** Events of one kind about one object, counted together. */
interface Series {
  readonly id: string;
  readonly key: string;
  readonly firstTimestamp: string;
  count: number;
  lastMs: number;
}

/** What one object may still report. */
interface Allowance {
  tokens: number;
  atMs: number;
}

/** Series and objects that are remembered; the ones that were quiet the longest go first. Source: client-go, events_cache. */
const MAX_REMEMBERED = 1024;
/** What happens again after this is a new event. Source: client-go, defaultAggregateIntervalInSeconds. */
const SERIES_MS = 600_000;
/** Source: core/v1 Event: messages of up to 1024 characters. */
const MAX_MESSAGE = 1024;
const COMPONENT = 'edgecore';
/** Kept to be shown at the edge: the latest of so many objects. A node has up to 110 pods by default. */
const MAX_RECENT_OBJECTS = 128;
const MAX_RECENT_EVENTS = 12;

/**
 * Makes Events: what happens again is counted, not repeated, and one object that goes wild is held to its allowance
 * (dropped ones are counted in {@link dropped}). Source: client-go, tools/record.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  /** By object, then by series; in both the latest one is the last. */
  readonly #recent = new Map<string, Map<string, RecentEvent>>();
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Events that were not reported because their object had no allowance left. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * The latest events about an object since the start, the oldest first; those too that it had no allowance to report.
   */
  recent(regarding: EventRegarding): readonly RecentEvent[] {
    return [...(this.#recent.get(nameOf(regarding))?.values() ?? [])];
  }

  /** Reports that something happened to an object. */
  record(regarding: EventRegarding, type: EventBody['type'], reason: string, text: string): void {
    const message = text.slice(0, MAX_MESSAGE);
    const about = nameOf(regarding);
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const series = this.#seriesOf([about, regarding.fieldPath, type, reason, message].join('|'), nowMs);
    series.count += 1;
    series.lastMs = nowMs;
    const lastTimestamp = new Date(clock.wallMs()).toISOString();
    const { count, firstTimestamp } = series;
    const { fieldPath } = regarding;
    this.#keep(about, series.key, {
      ...{ type, reason, message, count, firstTimestamp, lastTimestamp },
      ...(fieldPath !== undefined && { fieldPath }),
    });
    if (!this.#mayReport(about, nowMs)) {
      this.#dropped += 1;
      return;
    }
    this.#options.report(series.key, {
      id: series.id,
      regarding,
      type,
      reason,
      message,
      count,
      firstTimestamp,
      lastTimestamp,
      component: COMPONENT,
    });
  }

  #seriesOf(name: string, nowMs: number): Series {
    const present = this.#series.get(name);
    this.#series.delete(name);
    const id = randomUUID();
    const series =
      present !== undefined && nowMs - present.lastMs < SERIES_MS
        ? present
        : {
            id,
            key: `event/${id}`,
            firstTimestamp: new Date(this.#options.clock.wallMs()).toISOString(),
            count: 0,
            lastMs: nowMs,
          };
    this.#series.set(name, series);
    forgetOldest(this.#series);
    return series;
  }

  #keep(about: string, series: string, event: RecentEvent): void {
    const events = this.#recent.get(about) ?? new Map<string, RecentEvent>();
    this.#recent.delete(about);
    this.#recent.set(about, events);
    forgetOldest(this.#recent, MAX_RECENT_OBJECTS);
    events.delete(series);
    events.set(series, event);
    forgetOldest(events, MAX_RECENT_EVENTS);
  }

  #mayReport(about: string, nowMs: number): boolean {
    const { burst, refillMs } = this.#options;
    const { tokens, atMs } = this.#allowances.get(about) ?? { tokens: burst, atMs: nowMs };
    const filled = Math.min(burst, tokens + (nowMs - atMs) / refillMs);
    this.#allowances.delete(about);
    this.#allowances.set(about, { tokens: filled >= 1 ? filled - 1 : filled, atMs: nowMs });
    forgetOldest(this.#allowances);
    return filled >= 1;
  }
}

/** A Map keeps the order in which its entries were put in; what is used is put in again. */
function forgetOldest(remembered: Map<string, unknown>, most = MAX_REMEMBERED): void {
  if (remembered.size <= most) return;
  const [oldest] = remembered.keys();
  if (oldest !== undefined) remembered.delete(oldest);
}

function nameOf({ kind, namespace, name, uid }: EventRegarding): string {
  return [kind, namespace, name, uid].join('/');
}
