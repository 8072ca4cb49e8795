import { ResourceClient } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { API } from '../api/resources.ts';
import { unlessGone, type ControllerContext, type ControlLoop } from './context.ts';

const NAME = 'event-expiry';
const TTL_MS = 60 * 60_000;
const PERIOD_MS = 60_000;

/**
 * Removes events an hour after they were last written, which a real API server leaves to etcd's leases. Without it the
 * store would grow for ever. Source: kube-apiserver --event-ttl.
 */
export class EventExpiry implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  start(): void {
    if (!this.#stopping.signal.aborted) this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the event expiry was stopped'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#context;
    const { signal } = this.#stopping;
    while (true) {
      try {
        await delay(PERIOD_MS, { clock, signal });
        await this.#removeOld(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger
          .child({ component: NAME })
          .warn({ err: error }, 'old events could not be removed, will try again');
      }
    }
  }

  async #removeOld(signal: AbortSignal): Promise<void> {
    const { client, clock, store } = this.#context;
    const events = new ResourceClient(client, API.events);
    const beforeMs = clock.wallMs() - TTL_MS;
    for (const { object, key } of store.list({ group: '', resource: 'events' }).entries) {
      if (lastWrittenMs(object) >= beforeMs) continue;
      await unlessGone(events.delete(key.namespace, key.name, { signal }));
    }
  }
}

/** An event that bears no time that can be read is as old as its object. */
function lastWrittenMs(event: {
  readonly [field: string]: unknown;
  readonly metadata: { readonly creationTimestamp?: string };
}): number {
  const series = event['series'] as { readonly lastObservedTime?: string } | undefined; // an Event
  const times = [
    event['lastTimestamp'],
    event['eventTime'],
    series?.lastObservedTime,
    event.metadata.creationTimestamp,
  ];
  const readable = times.map((time) => Date.parse(String(time))).filter((ms) => !Number.isNaN(ms));
  return Math.max(...readable);
}
