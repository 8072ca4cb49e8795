import { createHash } from 'node:crypto';
import { formatTime, ResourceClient, RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import { hasCode } from '../upstream/conflict-retry.ts';

const COMPONENT = 'hawser-cloudcore';
/** The API's own bound. */
const MESSAGE_MAX = 1024;
const HASH_CHARS = 16;
const NAME_MAX = 253;

/** What an Event is about, and what it says. */
export interface Notice {
  readonly about: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Settings of {@link EventTeller}. */
export interface EventTellerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Writes Events of the hub's own. */
export class EventTeller {
  readonly #options: EventTellerOptions;
  readonly #events: ResourceClient;

  constructor(options: EventTellerOptions) {
    this.#options = options;
    this.#events = new ResourceClient(options.client, RESOURCES.events);
  }

  /**
   * An Event. One that says the same of the same content counts up. Those about objects without a namespace are kept in
   * `default`. Never rejects, but with the signal's reason.
   */
  async tell({ about, type, reason, message }: Notice, signal: AbortSignal): Promise<void> {
    const { name = '', uid = '', generation = 0, resourceVersion } = about.metadata;
    const { namespace: own = '' } = about.metadata;
    const namespace = own === '' ? 'default' : own;
    const said = JSON.stringify([uid, generation || resourceVersion, reason, message]);
    const hash = createHash('sha256').update(said).digest('hex').slice(0, HASH_CHARS);
    const now = formatTime(this.#options.clock.wallMs());
    const { apiVersion, kind } = about;
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name: `${name.slice(0, NAME_MAX - HASH_CHARS - 1)}.${hash}` },
      involvedObject: { apiVersion, kind, ...(own !== '' && { namespace }), name, uid },
      ...{ type, reason, message: message.slice(0, MESSAGE_MAX), count: 1 },
      ...{ firstTimestamp: now, lastTimestamp: now },
      source: { component: COMPONENT },
      ...{ reportingComponent: COMPONENT, reportingInstance: COMPONENT },
    };
    try {
      await this.#create(event, signal);
    } catch (err) {
      signal.throwIfAborted();
      this.#options.log.warn({ about: `${namespace}/${name}`, reason, err }, 'an event was not written');
    }
  }

  async #create(event: KubeObject, signal: AbortSignal): Promise<void> {
    try {
      await this.#events.create(event, { signal });
    } catch (error) {
      if (!hasCode(error, 409)) throw error;
      const { namespace = '', name = '' } = event.metadata;
      const stored = await this.#events.get(namespace, name, { signal });
      const count = (Number(stored['count']) || 1) + 1;
      const body = { count, lastTimestamp: event['lastTimestamp'] };
      await this.#events.patch(namespace, name, 'merge', body, { signal });
    }
  }
}
