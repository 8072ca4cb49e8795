import { readConfigData } from './config-data.ts';
import { readDeadBands, type DeadBand } from './dead-band.ts';
import {
  CYCLE_MS_DEFAULT,
  CYCLE_MS_MAX,
  CYCLE_MS_MIN,
  METADATA_ENTRIES_MAX,
  METADATA_KEY_MAX,
  METADATA_VALUE_MAX,
  VALUE_BYTES_MAX,
} from './limits.ts';
import type { ConfigData, PushMethod, TwinValue } from './objects.ts';
import { below, described, fieldsOf, ProblemList, type Fields } from './problem-list.ts';
import type { Problem } from './problem.ts';
import { namedEntries, type NamedEntry } from './property-names.ts';
import { readProtocol } from './protocol-name.ts';
import { readPushMethod } from './push-method.ts';

const OBJECT_NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** A property of a device that was checked without its model. */
export interface CheckedDeviceProperty {
  readonly name: string;
  /** In the Device: `/spec/properties/2`. */
  readonly path: string;
  readonly desired: TwinValue | undefined;
  readonly visitorProtocol: string | undefined;
  readonly visitor: ConfigData;
  readonly collectCycleMs: number;
  readonly reportCycleMs: number;
  readonly reportToCloud: boolean;
  readonly push: PushMethod | undefined;
}

/** What was read of a device; of use only where nothing is wrong with it. */
export interface CheckedDevice {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly model: string | undefined;
  readonly protocol: string | undefined;
  readonly config: ConfigData;
  readonly properties: readonly CheckedDeviceProperty[];
  readonly methods: readonly { readonly path: string; readonly propertyNames: readonly string[] }[];
  readonly deadBands: ReadonlyMap<string, { readonly path: string; readonly deadBand: DeadBand }>;
  readonly state: { readonly reportToCloud: boolean; readonly reportCycleMs: number };
}

/**
 * What is wrong with a Device by itself; empty: nothing. What only its model can say is not looked for: see
 * `bindDevice`. Paths are those in the device.
 * @param device anything that came from outside
 */
export function checkDevice(device: unknown): readonly Problem[] {
  const list = new ProblemList();
  readDevice(list, device);
  return list.problems;
}

/** Reads and checks a device. */
export function readDevice(list: ProblemList, device: unknown): CheckedDevice {
  const object = list.object(device, '') ?? {};
  const metadata = fieldsOf(object['metadata']) ?? {};
  const given = list.object(object['spec'], '/spec');
  if (given === undefined && (object['spec'] === undefined || object['spec'] === null))
    list.add(
      '/spec',
      'must be given',
      'Write deviceModelRef, nodeName, protocol and properties of the device.',
    );
  const spec = given ?? {};
  const protocol = list.object(spec['protocol'], '/spec/protocol') ?? {};
  checkNode(list, spec['nodeName']);
  return {
    namespace: textOf(metadata['namespace']),
    name: textOf(metadata['name']),
    uid: textOf(metadata['uid']),
    model: given && readModelName(list, given),
    protocol: readProtocol(list, protocol['protocolName'], '/spec/protocol/protocolName'),
    config: readConfigData(list, protocol['configData'], '/spec/protocol/configData'),
    properties: namedEntries(list, spec['properties'], '/spec/properties', 'property').map((entry) =>
      readProperty(list, entry),
    ),
    methods: namedEntries(list, spec['methods'], '/spec/methods', 'method').map((entry) =>
      readMethod(list, entry),
    ),
    deadBands: readDeadBands(list, metadata),
    state: readStateReport(list, spec['stateReport']),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function readModelName(list: ProblemList, spec: Fields): string | undefined {
  const remedy = 'Name the DeviceModel of this device: `deviceModelRef: {name: …}`.';
  const reference = list.object(spec['deviceModelRef'], '/spec/deviceModelRef');
  if (reference === undefined) {
    if (spec['deviceModelRef'] === undefined || spec['deviceModelRef'] === null)
      list.add('/spec/deviceModelRef', 'must be given', remedy);
    return undefined;
  }
  const path = '/spec/deviceModelRef/name';
  if (reference['name'] === undefined || reference['name'] === null || reference['name'] === '') {
    list.add(path, 'must be given', remedy);
    return undefined;
  }
  const name = list.string(reference['name'], path);
  if (name === undefined || OBJECT_NAME.test(name)) return name;
  list.add(path, `must be the name of an object, is ${described(name)}`, remedy);
  return undefined;
}

function checkNode(list: ProblemList, value: unknown): void {
  const node = list.string(value, '/spec/nodeName');
  if (node === undefined || node === '' || OBJECT_NAME.test(node)) return;
  list.add('/spec/nodeName', `must be the name of a node, is ${described(node)}`, 'See `kubectl get nodes`.');
}

function readProperty(list: ProblemList, { name, path, fields }: NamedEntry): CheckedDeviceProperty {
  const visitorsPath = below(path, 'visitors');
  const visitors = list.object(fields['visitors'], visitorsPath) ?? {};
  return {
    name,
    path,
    desired: readDesired(list, fields['desired'], below(path, 'desired')),
    visitorProtocol: readProtocol(list, visitors['protocolName'], below(visitorsPath, 'protocolName')),
    visitor: readConfigData(list, visitors['configData'], below(visitorsPath, 'configData')),
    collectCycleMs: readCycle(list, fields['collectCycle'], below(path, 'collectCycle')),
    reportCycleMs: readCycle(list, fields['reportCycle'], below(path, 'reportCycle')),
    reportToCloud: list.boolean(fields['reportToCloud'], below(path, 'reportToCloud')) ?? true,
    push: readPushMethod(list, fields['pushMethod'], below(path, 'pushMethod')),
  };
}

/** A setting, as it is written. */
function readDesired(list: ProblemList, value: unknown, path: string): TwinValue | undefined {
  const fields = list.object(value, path);
  if (fields === undefined) return undefined;
  const at = below(path, 'value');
  const text = list.string(fields['value'], at);
  if (text === undefined) {
    if (fields['value'] === undefined || fields['value'] === null)
      list.add(at, 'must be given', 'Write the value in quotes, or take `desired` out.');
    return undefined;
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > VALUE_BYTES_MAX) {
    const message = `must be at most ${String(VALUE_BYTES_MAX)} bytes, is ${String(bytes)}`;
    list.add(at, message, 'Write a shorter value.');
    return undefined;
  }
  const metadata = readMetadata(list, fields['metadata'], below(path, 'metadata'));
  return { value: text, ...(Object.keys(metadata).length > 0 && { metadata }) };
}

/** The hub takes no report of a device with more than the bounds: what is said of it has the metadata, too. */
function readMetadata(list: ProblemList, value: unknown, path: string): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = {};
  const entries = Object.entries(list.object(value, path) ?? {});
  if (entries.length > METADATA_ENTRIES_MAX) {
    const message = `must have at most ${String(METADATA_ENTRIES_MAX)} entries, has ${String(entries.length)}`;
    list.add(path, message, 'Take some out: what describes the device belongs into its annotations.');
    return metadata;
  }
  for (const [key, entry] of entries) {
    if (key === '' || key.length > METADATA_KEY_MAX) {
      const message = `must have keys of 1 to ${String(METADATA_KEY_MAX)} characters, has ${described(key)}`;
      list.add(path, message, 'Give the entry another key, or take it out.');
      continue;
    }
    const at = below(path, key);
    const said = list.string(entry, at);
    if (said !== undefined && said.length > METADATA_VALUE_MAX) {
      const message = `must have at most ${String(METADATA_VALUE_MAX)} characters, has ${String(said.length)}`;
      list.add(at, message, 'Write a shorter text, or take the entry out.');
    } else if (said !== undefined && key !== '__proto__') metadata[key] = said;
  }
  return metadata;
}

/** A cycle; 0 is one of which nothing is said, as in manifests of KubeEdge. */
function readCycle(list: ProblemList, value: unknown, path: string): number {
  if (value === 0) return CYCLE_MS_DEFAULT;
  return list.integer(value, path, CYCLE_MS_MIN, CYCLE_MS_MAX, 'milliseconds') ?? CYCLE_MS_DEFAULT;
}

function readMethod(
  list: ProblemList,
  { path, fields }: NamedEntry,
): { readonly path: string; readonly propertyNames: readonly string[] } {
  list.string(fields['description'], below(path, 'description'));
  const at = below(path, 'propertyNames');
  const propertyNames = (list.list(fields['propertyNames'], at) ?? []).map(
    (name, index) => list.string(name ?? '', below(at, index)) ?? '',
  );
  return { path: at, propertyNames };
}

function readStateReport(
  list: ProblemList,
  value: unknown,
): { readonly reportToCloud: boolean; readonly reportCycleMs: number } {
  const path = '/spec/stateReport';
  const fields = list.object(value, path) ?? {};
  return {
    reportToCloud: list.boolean(fields['reportToCloud'], below(path, 'reportToCloud')) ?? true,
    reportCycleMs: readCycle(list, fields['reportCycle'], below(path, 'reportCycle')),
  };
}
