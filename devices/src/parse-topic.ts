import {
  DEVICE_SUFFIXES,
  MAPPER_DEVICE_SEGMENTS,
  type DeviceTopicKind,
  type MapperDeviceTopicKind,
} from './topics.ts';

/** What a topic is about. */
export type ParsedTopic =
  | {
      readonly kind: 'device';
      readonly what: DeviceTopicKind;
      readonly namespace: string;
      readonly name: string;
    }
  | {
      readonly kind: 'mapper-device';
      readonly what: MapperDeviceTopicKind;
      readonly protocol: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly kind: 'mapper-hello'; readonly protocol: string }
  | { readonly kind: 'mapper-heartbeat'; readonly protocol: string }
  | { readonly kind: 'telemetry'; readonly device: string }
  | {
      readonly kind: 'membership';
      readonly what: 'get' | 'get/result' | 'updated';
      readonly node: string;
    }
  /** Goes to the cloud as it is. */
  | { readonly kind: 'upload' }
  /** None that the edge core knows of: an application's own. */
  | { readonly kind: 'other' };

const OTHER: ParsedTopic = { kind: 'other' };
const DEVICE_KINDS = new Map(
  Object.entries(DEVICE_SUFFIXES).map(([kind, suffix]) => [suffix as string, kind]),
);
const MAPPER_KINDS = new Map(
  Object.entries(MAPPER_DEVICE_SEGMENTS).map(([kind, segment]) => [segment as string, kind]),
);
/** Longest topic that is looked at: more than names of Kubernetes can make. */
const TOPIC_MAX = 1024;

/** What a topic that a message came with is about: the opposite of the functions in `topics.ts`. Never throws. */
export function parseTopic(topic: string): ParsedTopic {
  if (topic === 'SYS/dis/upload_records') return { kind: 'upload' };
  if (topic.length > TOPIC_MAX) return OTHER;
  const [first, events, area, ...rest] = topic.split('/');
  if (events !== 'events' || area === undefined || rest.includes('')) {
    return topic.startsWith('$hw/events/upload/') ? { kind: 'upload' } : OTHER;
  }
  if (first === '$ke') return area === 'device' ? parseTelemetry(rest) : OTHER;
  if (first !== '$hw') return OTHER;
  switch (area) {
    case 'device':
      return parseDevice(rest);
    case 'mapper':
      return parseMapper(rest);
    case 'node':
      return parseMembership(rest);
    case 'upload':
      return { kind: 'upload' };
    default:
      return OTHER;
  }
}

function parseDevice([namespace, name, ...suffix]: readonly string[]): ParsedTopic {
  const what = DEVICE_KINDS.get(suffix.join('/'));
  if (namespace === undefined || name === undefined || what === undefined) return OTHER;
  // The keys of the table are the kinds.
  return { kind: 'device', what: what as DeviceTopicKind, namespace, name };
}

function parseMapper([protocol, segment, namespace, name, ...more]: readonly string[]): ParsedTopic {
  if (protocol === undefined || segment === undefined) return OTHER;
  if (namespace === undefined) {
    if (segment === 'hello') return { kind: 'mapper-hello', protocol };
    return segment === 'heartbeat' ? { kind: 'mapper-heartbeat', protocol } : OTHER;
  }
  const what = MAPPER_KINDS.get(segment);
  if (name === undefined || more.length > 0 || what === undefined) return OTHER;
  return { kind: 'mapper-device', what: what as MapperDeviceTopicKind, protocol, namespace, name };
}

function parseTelemetry([device, ...rest]: readonly string[]): ParsedTopic {
  return device !== undefined && rest.join('/') === 'data/update' ? { kind: 'telemetry', device } : OTHER;
}

function parseMembership([node, area, ...rest]: readonly string[]): ParsedTopic {
  const what = rest.join('/');
  if (node === undefined || area !== 'membership') return OTHER;
  return what === 'get' || what === 'get/result' || what === 'updated'
    ? { kind: 'membership', what, node }
    : OTHER;
}
