/**
 * Topics of the event bus; docs/devices.md has the table. Those below `$hw/events/device` and `$hw/events/node` are
 * KubeEdge's, those below `$hw/events/mapper` are our own. Names of Kubernetes have none of `/ + #`.
 */

/** What is about one device, with the part of the topic behind its name. */
export const DEVICE_SUFFIXES = {
  stateUpdate: 'state/update',
  stateUpdateResult: 'state/update/result',
  twinUpdate: 'twin/update',
  twinUpdateResult: 'twin/update/result',
  twinUpdateDelta: 'twin/update/delta',
  twinUpdateDocument: 'twin/update/document',
  twinGet: 'twin/get',
  twinGetResult: 'twin/get/result',
} as const;

export type DeviceTopicKind = keyof typeof DEVICE_SUFFIXES;

/** What is about one device of a mapper, by the segment behind the protocol. */
export const MAPPER_DEVICE_SEGMENTS = {
  /** To the mapper, retained: {@link MapperDevice}; empty: it has it no more. */
  devices: 'devices',
  /** To the mapper, retained: {@link MapperDesired}. */
  desired: 'desired',
  /** To the mapper: {@link MapperCommand}. */
  command: 'command',
  /** From the mapper: {@link MapperCommandResult}. */
  commandResult: 'command-result',
  /** From the mapper: {@link MapperSettled}. */
  settled: 'settled',
  /** From the mapper: {@link MapperRefused}. */
  refused: 'refused',
} as const;

export type MapperDeviceTopicKind = keyof typeof MAPPER_DEVICE_SEGMENTS;

/** `$hw/events/device/<namespace>/<name>/…` */
export function deviceTopic(namespace: string, name: string, kind: DeviceTopicKind): string {
  return `$hw/events/device/${namespace}/${name}/${DEVICE_SUFFIXES[kind]}`;
}

/** `$hw/events/mapper/<protocol>/<segment>/<namespace>/<name>` */
export function mapperDeviceTopic(
  protocol: string,
  kind: MapperDeviceTopicKind,
  namespace: string,
  name: string,
): string {
  return `$hw/events/mapper/${protocol}/${MAPPER_DEVICE_SEGMENTS[kind]}/${namespace}/${name}`;
}

/** From the mapper, retained: {@link MapperHello}. */
export function mapperHelloTopic(protocol: string): string {
  return `$hw/events/mapper/${protocol}/hello`;
}

/** From the mapper: {@link MapperHeartbeat}. */
export function mapperHeartbeatTopic(protocol: string): string {
  return `$hw/events/mapper/${protocol}/heartbeat`;
}

/** Readings for applications at the edge, in the form of KubeEdge. */
export function telemetryTopic(device: string): string {
  return `$ke/events/device/${device}/data/update`;
}

/** `$hw/events/node/<node>/membership/<what>` */
export function membershipTopic(node: string, what: 'get' | 'get/result' | 'updated'): string {
  return `$hw/events/node/${node}/membership/${what}`;
}

/** Filters of what goes to the cloud as it is. */
export const UPLOAD_FILTERS = ['$hw/events/upload/#', 'SYS/dis/upload_records'] as const;
