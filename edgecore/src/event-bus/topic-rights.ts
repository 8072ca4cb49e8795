import type { BusAccount, DeviceProtocols } from './bus-account.ts';
import { covers, matches } from './topic-filter.ts';

/** What mappers publish about a device; everything else below it is said by the edge core alone. */
const DEVICE_IN = new Set(['state/update', 'twin/update', 'twin/get']);
/** What mappers publish below `$hw/events/mapper/<protocol>`, with namespace and name behind it … */
const MAPPER_DEVICE_IN = new Set(['settled', 'refused', 'command-result']);
/** … and without. */
const MAPPER_IN = new Set(['hello', 'heartbeat']);

const DEVICE = ['$hw', 'events', 'device'] as const;
const MAPPER = ['$hw', 'events', 'mapper'] as const;
const NODE = ['$hw', 'events', 'node'] as const;
const UPLOADS = [
  ['$hw', 'events', 'upload', '#'],
  ['SYS', 'dis', 'upload_records'],
] as const;
const TELEMETRY = ['$ke', 'events', 'device', '+', 'data', 'update'] as const;

/** Who may say and hear what on our broker; the table of topics is in docs/devices.md. */
export class TopicRights {
  readonly #node: string;
  readonly #devices: DeviceProtocols;

  constructor(node: string, devices: DeviceProtocols) {
    this.#node = node;
    this.#devices = devices;
  }

  /** Whether `account` may publish to a topic. */
  mayPublish(account: BusAccount, topic: string): boolean {
    if (this.isForbidden(account, topic)) return false;
    const levels = topic.split('/');
    if (begins(levels, MAPPER)) return true;
    return this.#isOwn(account, levels, true) || account.topics.publish.some(isIn(levels));
  }

  /** Whether `account` may not publish to a topic whatever its definition allows. */
  isForbidden({ protocols }: BusAccount, topic: string): boolean {
    const levels = topic.split('/');
    if (levels[0] === '$SYS' || isOfEdgeCore(levels)) return true;
    return begins(levels, MAPPER) && !protocols.has(levels[3] ?? '');
  }

  /**
   * Whether `account` may subscribe to a filter. One over all devices is allowed: what is delivered is looked at again,
   * message by message.
   */
  maySubscribe(account: BusAccount, filter: string): boolean {
    const levels = filter.split('/');
    if (levels[0] === '$SYS') return false;
    if (account.topics.subscribe.some((wide) => covers(wide.split('/'), levels))) {
      return !begins(levels, MAPPER) || this.#isOwnMapperFilter(account, levels);
    }
    if (account.protocols.size === 0) return false;
    if (begins(levels, MAPPER)) return this.#isOwnMapperFilter(account, levels);
    if (begins(levels, DEVICE)) return levels.length > 4 && !this.#isOthersDevice(account, levels);
    if (covers([...NODE, this.#node, 'membership', '#'], levels)) return true;
    return covers(TELEMETRY, levels);
  }

  /** Whether a message may be delivered to `account`, which has subscribed to a filter that matches its topic. */
  mayHear(account: BusAccount, topic: readonly string[]): boolean {
    if (topic[0] === '$SYS') return false;
    if (account.isBridge === true) return true;
    if (begins(topic, MAPPER)) return account.protocols.has(topic[3] ?? '');
    return this.#isOwn(account, topic, false) || account.topics.subscribe.some(isIn(topic));
  }

  #isOwn({ protocols }: BusAccount, topic: readonly string[], isPublish: boolean): boolean {
    if (protocols.size === 0) return false;
    if (begins(topic, DEVICE)) {
      const protocol = this.#devices.protocolOf(topic[3] ?? '', topic[4] ?? '');
      return protocol !== undefined && protocols.has(protocol);
    }
    if (matches(TELEMETRY, topic)) {
      for (const protocol of this.#devices.protocolsNamed(topic[3] ?? '')) {
        if (protocols.has(protocol)) return true;
      }
      return false;
    }
    if (begins(topic, NODE)) return topic[3] === this.#node && topic[4] === 'membership';
    return isPublish && UPLOADS.some((upload) => matches(upload, topic));
  }

  #isOwnMapperFilter({ protocols }: BusAccount, filter: readonly string[]): boolean {
    return protocols.has(filter[3] ?? '');
  }

  /** Of a device that is there and another mapper's. One that is not there yet may become its own. */
  #isOthersDevice({ protocols }: BusAccount, filter: readonly string[]): boolean {
    const protocol = this.#devices.protocolOf(filter[3] ?? '', filter[4] ?? '');
    return protocol !== undefined && !protocols.has(protocol);
  }
}

/** What only the edge core says, whatever a definition allows. */
function isOfEdgeCore(topic: readonly string[]): boolean {
  if (begins(topic, DEVICE)) return !DEVICE_IN.has(topic.slice(5).join('/'));
  if (begins(topic, NODE)) return topic.slice(4).join('/') !== 'membership/get';
  if (!begins(topic, MAPPER)) return false;
  if (topic.length === 7) return !MAPPER_DEVICE_IN.has(topic[4] ?? '');
  return topic.length !== 5 || !MAPPER_IN.has(topic[4] ?? '');
}

function begins(topic: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((level, at) => topic[at] === level);
}

function isIn(topic: readonly string[]): (filter: string) => boolean {
  return (filter) => matches(filter.split('/'), topic);
}
