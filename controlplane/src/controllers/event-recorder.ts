import { createHash } from 'node:crypto';
import { formatTime, ResourceClient, type ApiClient, type KubeObject } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import { API } from '../api/resources.ts';
import { hasReason } from './context.ts';

/** An event to be shown at an object. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** In CamelCase, e.g. `FailedScheduling`. */
  readonly reason: string;
  readonly message: string;
}

interface Known {
  readonly name: string;
  readonly namespace: string;
  readonly firstTimestamp: string;
  count: number;
}

interface Pending {
  readonly object: KubeObject;
  readonly note: EventNote;
  readonly component: string;
}

const LIMIT_PENDING = 1000;
const LIMIT_KNOWN = 4096;
/** The API's own bound. */
const LIMIT_MESSAGE_CHARS = 1024;

/**
 * Writes events; the same event again raises the count of the first. Never waits and never fails: events are for
 * people to read. At most 1000 wait; further ones are dropped, and that is logged.
 * Source: client-go tools/record EventCorrelator (its aggregation by message).
 */
export class EventRecorder {
  readonly #events: ResourceClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pending: Pending[] = [];
  readonly #known = new Map<string, Known>();
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #dropped = 0;

  constructor(client: ApiClient, clock: Clock, logger: Logger) {
    this.#events = new ResourceClient(client, API.events);
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Shows a note at `object`; `component` is who says it. */
  record(object: KubeObject, component: string, note: EventNote): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#pending.length >= LIMIT_PENDING) {
      this.#dropped += 1;
      return;
    }
    this.#pending.push({ object, component, note });
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  /** Drops what waits; resolves when nothing is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the event recorder was stopped'));
    await this.#working;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      if (signal.aborted) return;
      try {
        await this.#write(next, signal);
      } catch (error) {
        const { namespace = '', name = '' } = next.object.metadata;
        // A namespace that ends takes no more events: nothing is lost.
        const expected = this.#stopping.signal.aborted || hasReason(error, 'Forbidden', 'NotFound');
        const level = expected ? 'debug' : 'warn';
        this.#logger[level](
          { object: `${namespace}/${name}`, reason: next.note.reason, err: error },
          'event lost',
        );
      }
    }
    if (this.#dropped === 0) return;
    this.#logger.warn({ dropped: this.#dropped }, 'events dropped: too many at a time');
    this.#dropped = 0;
  }

  async #write(pending: Pending, signal: AbortSignal): Promise<void> {
    const id = identity(pending);
    const known = this.#known.get(id);
    if (known !== undefined && (await this.#count(known, signal))) return;
    const { object, note, component } = pending;
    const { namespace = 'default', name = '', uid = '', resourceVersion } = object.metadata;
    const now = formatTime(this.#clock.wallMs());
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${id.slice(0, 16)}`, namespace },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace,
        name,
        uid,
        resourceVersion,
      },
      type: note.type,
      reason: note.reason,
      message: note.message.slice(0, LIMIT_MESSAGE_CHARS),
      source: { component },
      reportingComponent: component,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    const entry = { name: event.metadata.name, namespace, firstTimestamp: now, count: 1 };
    try {
      await this.#events.create(event, { signal });
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      // From before a restart, or forgotten here.
      const stored = await this.#events.get(namespace, entry.name, { signal });
      entry.count = typeof stored['count'] === 'number' ? stored['count'] : 1;
      this.#remember(id, entry);
      await this.#count(entry, signal);
      return;
    }
    this.#remember(id, entry);
  }

  /** Whether the event was still there. */
  async #count(known: Known, signal: AbortSignal): Promise<boolean> {
    const body = { count: known.count + 1, lastTimestamp: formatTime(this.#clock.wallMs()) };
    try {
      await this.#events.patch(known.namespace, known.name, 'merge', body, { signal });
    } catch (error) {
      if (hasReason(error, 'NotFound')) return false;
      throw error;
    }
    known.count += 1;
    return true;
  }

  #remember(id: string, known: Known): void {
    this.#known.set(id, known);
    if (this.#known.size <= LIMIT_KNOWN) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function identity({ object, note, component }: Pending): string {
  const { namespace = '', name = '', uid = '' } = object.metadata;
  const parts = [component, object.kind, namespace, name, uid, note.type, note.reason, note.message];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
