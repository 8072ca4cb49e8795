import { createHash } from 'node:crypto';
import type { BoundDevice, BoundProperty } from './bound-device.ts';
import { readDevice, type CheckedDevice, type CheckedDeviceProperty } from './check-device.ts';
import { checkDeadBands, readModel, type CheckedModel, type CheckedModelProperty } from './check-model.ts';
import type { DeadBand } from './dead-band.ts';
import { DeviceError } from './errors.ts';
import { CYCLE_MS_DEFAULT, PROBLEMS_MAX } from './limits.ts';
import type { DesiredValue } from './mapper-messages.ts';
import type { TwinValue } from './objects.ts';
import { below, ProblemList } from './problem-list.ts';
import type { Problem } from './problem.ts';
import { checkValue } from './settable-value.ts';

const MODEL_PATH = '/spec/deviceModelRef/name';
const PROTOCOL_PATH = '/spec/protocol/protocolName';
const NAMES_SHOWN = 10;

/** A desired value of a device. */
export interface BoundDesired extends DesiredValue {
  /** As the Device has it; {@link DesiredValue.value} is the same in the one text of its type. */
  readonly written: TwinValue;
}

/** What becomes of a device and its model. */
export interface Binding {
  /** undefined: there are problems. */
  readonly device: BoundDevice | undefined;
  /** By property; empty where there are problems. */
  readonly desired: ReadonlyMap<string, BoundDesired>;
  /** At most 20, with paths in the Device. */
  readonly problems: readonly Problem[];
}

/**
 * A device with its model, or what is wrong. What the device says goes before what its model says: its
 * `protocol.configData` overlays `protocolConfigData`, `visitors.configData` of a property that of the model's, both
 * key by key. Properties are those of the device in its order, then those of the model that have `visitors` and
 * of which the device says nothing.
 * @param device a Device, or anything that came in its place
 * @param model its DeviceModel; undefined: it is not there
 */
export function bindDevice(device: unknown, model: unknown): Binding {
  const list = new ProblemList();
  const read = readDevice(list, device);
  const ofModel = read.model === undefined ? undefined : readItsModel(list, read, read.model, model);
  if (ofModel === undefined) return failed(list);
  const protocol = protocolOf(list, read, ofModel);
  const { properties, desired } = bindProperties(list, read, ofModel, protocol);
  checkMethods(list, read, ofModel);
  checkDeadBands(list, read.deadBands, new Map(properties.map((property) => [property.name, property])));
  if (list.problems.length > 0 || protocol === undefined) return failed(list);
  const { namespace, name, uid, state } = read;
  const config = { ...ofModel.config, ...read.config };
  return { device: { namespace, name, uid, protocol, config, properties, state }, desired, problems: [] };
}

/** A text that is another one where anything in the device is: `MapperDevice.revision`. */
export function revisionOf(device: BoundDevice): string {
  return digest(device);
}

/**
 * {@link DesiredValue.version} of what the Device has, or will have where it was set at the edge: of its value and its
 * metadata, so that a setting has one version wherever it is.
 * @param uid of the device
 */
export function versionOfDesired(uid: string, property: string, { value, metadata }: TwinValue): string {
  return digest([uid, property, value, metadata]);
}

function failed({ problems }: ProblemList): Binding {
  return { device: undefined, desired: new Map(), problems: problems.slice(0, PROBLEMS_MAX) };
}

function readItsModel(
  list: ProblemList,
  device: CheckedDevice,
  modelName: string,
  model: unknown,
): CheckedModel | undefined {
  const called = `DeviceModel ${device.namespace}/${modelName}`;
  if (model === undefined) {
    const remedy = `Apply the model in the namespace ${device.namespace}, or correct the name.`;
    list.add(MODEL_PATH, `${called} is not there`, remedy);
    return undefined;
  }
  const ofModel = new ProblemList();
  const read = readModel(ofModel, model);
  const [first] = ofModel.problems;
  if (first === undefined) return read;
  list.add(
    MODEL_PATH,
    `${called} is not valid: ${first.path} ${first.message}`,
    `In the model: ${first.remedy}`,
  );
  return undefined;
}

function protocolOf(list: ProblemList, device: CheckedDevice, model: CheckedModel): string | undefined {
  const { protocol } = device;
  if (protocol !== undefined && model.protocol !== undefined && protocol !== model.protocol) {
    const message = `must be that of DeviceModel ${device.model ?? ''}, "${model.protocol}", is "${protocol}"`;
    list.add(PROTOCOL_PATH, message, 'Use a model of this protocol, or correct one of the names.');
  }
  const found = protocol ?? model.protocol;
  if (found === undefined && !list.problems.some(({ path }) => path.startsWith('/spec/protocol')))
    list.add(PROTOCOL_PATH, 'must be given', 'Write the protocol here, or as spec.protocol of the model.');
  return found;
}

function bindProperties(
  list: ProblemList,
  device: CheckedDevice,
  model: CheckedModel,
  protocol: string | undefined,
): { readonly properties: readonly BoundProperty[]; readonly desired: ReadonlyMap<string, BoundDesired> } {
  const desired = new Map<string, BoundDesired>();
  const properties: BoundProperty[] = [];
  const deadBandOf = (name: string): DeadBand | undefined => device.deadBands.get(name)?.deadBand;
  for (const property of device.properties) {
    const ofModel = model.properties.get(property.name);
    if (ofModel === undefined) {
      list.add(
        below(property.path, 'name'),
        `"${property.name}" is not a property of DeviceModel ${device.model ?? ''}`,
        `Add it to the model, or name one of: ${namesOf(model)}.`,
      );
      continue;
    }
    checkVisitorProtocol(list, property, ofModel, protocol);
    const bound = boundProperty(property, ofModel, deadBandOf(property.name));
    properties.push(bound);
    const setting = bindDesired(list, device.uid, property, bound);
    if (setting !== undefined) desired.set(property.name, setting);
  }
  const said = new Set(device.properties.map(({ name }) => name));
  for (const property of model.properties.values()) {
    if (property.visitor === undefined || said.has(property.name)) continue;
    checkVisitorProtocol(list, undefined, property, protocol);
    properties.push({ ...boundProperty(undefined, property, deadBandOf(property.name)), inherited: true });
  }
  return { properties, desired };
}

function boundProperty(
  property: CheckedDeviceProperty | undefined,
  model: CheckedModelProperty,
  deadBandOfDevice: DeadBand | undefined,
): BoundProperty {
  const { name, type, accessMode, minimum, maximum, unit } = model;
  const deadBand = deadBandOfDevice ?? model.deadBand;
  return {
    name,
    type,
    accessMode,
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
    ...(unit !== undefined && { unit }),
    visitor: { ...model.visitor, ...property?.visitor },
    collectCycleMs: property?.collectCycleMs ?? CYCLE_MS_DEFAULT,
    reportCycleMs: property?.reportCycleMs ?? CYCLE_MS_DEFAULT,
    reportToCloud: property?.reportToCloud ?? true,
    ...(deadBand && { deadBand }),
    ...(property?.push && { push: property.push }),
  };
}

function checkVisitorProtocol(
  list: ProblemList,
  property: CheckedDeviceProperty | undefined,
  model: CheckedModelProperty,
  protocol: string | undefined,
): void {
  const { visitorProtocol } = property ?? {};
  if (protocol === undefined) return;
  if (property !== undefined && visitorProtocol !== undefined && visitorProtocol !== protocol) {
    const message = `must be that of the device, "${protocol}", is "${visitorProtocol}"`;
    const remedy = 'Take it out, or correct it: a device speaks one protocol.';
    list.add(`${property.path}/visitors/protocolName`, message, remedy);
  }
  if (visitorProtocol === undefined && (model.visitorProtocol ?? protocol) !== protocol) {
    const message = `says in its property "${model.name}" how to read "${model.visitorProtocol ?? ''}", the device speaks "${protocol}"`;
    list.add(MODEL_PATH, message, 'Correct visitors.protocolName in the model, or use another model.');
  }
}

function bindDesired(
  list: ProblemList,
  uid: string,
  { desired, name, path }: CheckedDeviceProperty,
  bound: BoundProperty,
): BoundDesired | undefined {
  if (desired === undefined) return undefined;
  const emptyIsValue = bound.type === 'STRING' || bound.type === 'STREAM' || bound.type === 'BYTES';
  // Manifests of KubeEdge have `desired: {value: ""}` where nothing is to be set.
  if (desired.value === '' && (bound.accessMode === 'ReadOnly' || !emptyIsValue)) return undefined;
  try {
    const value = checkValue(bound, desired.value);
    return { value, version: versionOfDesired(uid, name, desired), written: desired };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    if (error.code === 'ERR_DEVICES_READ_ONLY') {
      const remedy = 'Take `desired` out, or have the model say `accessMode: ReadWrite`.';
      list.add(`${path}/desired`, error.message, remedy);
    } else {
      list.add(`${path}/desired/value`, error.message, remedyOf(bound));
    }
    return undefined;
  }
}

/** What may be written as a value of a property. */
function remedyOf({ type, minimum, maximum, unit }: BoundProperty): string {
  const from = minimum === undefined ? '' : ` from ${String(minimum)}`;
  const to = maximum === undefined ? '' : `${from === '' ? ' up' : ''} to ${String(maximum)}`;
  return `Write a value of type ${type}${from}${to}${unit === undefined ? '' : ` (${unit})`}, in quotes.`;
}

function checkMethods(list: ProblemList, device: CheckedDevice, model: CheckedModel): void {
  for (const { path, propertyNames } of device.methods) {
    for (const [index, name] of propertyNames.entries()) {
      if (model.properties.has(name)) continue;
      const message = `"${name}" is not a property of DeviceModel ${device.model ?? ''}`;
      list.add(below(path, index), message, `Name one of: ${namesOf(model)}.`);
    }
  }
}

function namesOf(model: CheckedModel): string {
  const names = [...model.properties.keys()];
  const more = names.length > NAMES_SHOWN ? ', …' : '';
  return names.length === 0 ? '(the model has none)' : `${names.slice(0, NAMES_SHOWN).join(', ')}${more}`;
}

/** Of JSON with its keys in order, so that the same content has the same digest wherever it came from. */
function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(inOrder(value)))
    .digest('hex')
    .slice(0, 20);
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)]),
  );
}
