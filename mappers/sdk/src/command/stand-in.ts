import { delay } from '@hawser/seams';
import {
  DeviceError,
  mapperDeviceTopic,
  parseTopic,
  readMapperRefused,
  readMapperSettled,
  readStateUpdate,
  readTwinUpdate,
  revisionOf,
  type MapperDesired,
  type MapperDevice,
} from '@hawser/devices';
import { MqttSession } from '../bus/mqtt-session.ts';
import { MapperError } from '../errors.ts';
import { readManifest, type ManifestDevice } from './manifest.ts';

/** Settings of {@link standIn}. */
export interface StandInOptions {
  readonly manifest: string;
  readonly url: string;
  /** By property: what shall be of all devices, beside what the manifest says. */
  readonly set: Readonly<Record<string, string>>;
  readonly forMs: number;
  /** Default: prints it. */
  readonly say?: (line: string) => void;
}

/**
 * Does for a mapper what the edge core does: gives it the devices of a manifest and what shall be of them, and says what it
 * answers. For trying a mapper where there is no node. What it has left on the broker it takes away again.
 * @throws MapperError `ERR_MAPPER_MANIFEST`, `ERR_MAPPER_BUS_AWAY`, `ERR_MAPPER_BUS_REFUSED`
 */
export async function standIn(options: StandInOptions): Promise<void> {
  const { manifest, url, set, forMs, say = (line) => void process.stdout.write(`${line}\n`) } = options;
  const devices = await readManifest(manifest);
  const session = new MqttSession({ url });
  try {
    await session.open((topic, payload) => hear(topic, payload, say), new AbortController().signal);
    await session.subscribe(['$hw/events/device/+/+/+/+', '$hw/events/mapper/+/+/+/+']);
    const topics = await Promise.all(devices.map((device) => give(session, device, set)));
    await Promise.race([delay(forMs), session.ended.then((reason) => Promise.reject(reason))]);
    for (const topic of topics.flat()) await session.publish(topic, '', { retain: true });
  } finally {
    await session.close(true);
  }
}

/** @returns topics of what is retained now */
async function give(
  session: MqttSession,
  { id, binding: { device, desired, problems } }: ManifestDevice,
  set: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  if (device === undefined) {
    const [first] = problems;
    throw new MapperError('ERR_MAPPER_MANIFEST', `${id}: ${first?.path ?? ''} ${first?.message ?? ''}`);
  }
  const { protocol, namespace, name, properties } = device;
  const told: MapperDevice = { revision: revisionOf(device), device };
  // As if they were set just now: the mapper writes them in any case.
  const version = String(Date.now());
  const asked = Object.entries(set).filter(([property]) => properties.some((each) => each.name === property));
  const values: MapperDesired = {
    values: Object.fromEntries([
      ...[...desired].map(([property, { value, version: ofManifest }]) => [
        property,
        { value, version: ofManifest },
      ]),
      ...asked.map(([property, value]) => [property, { value, version }]),
    ]) as MapperDesired['values'],
  };
  const topics = {
    devices: mapperDeviceTopic(protocol, 'devices', namespace, name),
    desired: mapperDeviceTopic(protocol, 'desired', namespace, name),
  };
  await session.publish(topics.devices, JSON.stringify(told), { retain: true });
  await session.publish(topics.desired, JSON.stringify(values), { retain: true });
  return Object.values(topics);
}

/** Says what a mapper has said. */
function hear(topic: string, payload: Uint8Array, say: (line: string) => void): void {
  const about = parseTopic(topic);
  if (about.kind !== 'device' && about.kind !== 'mapper-device') return;
  const id = `${about.namespace}/${about.name}`;
  try {
    if (about.what === 'twinUpdate') {
      for (const [property, { actual }] of readTwinUpdate(payload).twin) {
        if (actual?.value !== undefined) say(`${id} ${property} = ${actual.value}`);
      }
    } else if (about.what === 'stateUpdate') say(`${id} is ${readStateUpdate(payload).state}`);
    else if (about.what === 'settled') {
      for (const [property, { ok, message }] of Object.entries(readMapperSettled(payload).results)) {
        say(`${id} ${property}: ${ok ? 'set' : 'not set'}${message === undefined ? '' : ` (${message})`}`);
      }
    } else if (about.what === 'refused') {
      for (const { path, message } of readMapperRefused(payload).problems)
        say(`${id} is refused: ${path} ${message}`);
    }
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    say(`${topic}: ${error.message}`);
  }
}
