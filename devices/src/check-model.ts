import { readConfigData } from './config-data.ts';
import { readDeadBands, type DeadBand } from './dead-band.ts';
import type { AccessMode, ConfigData, PropertyType } from './objects.ts';
import { below, fieldsOf, ProblemList } from './problem-list.ts';
import type { Problem } from './problem.ts';
import { namedEntries, type NamedEntry } from './property-names.ts';
import { readProtocol } from './protocol-name.ts';
import { isNumeric, parseValue } from './value-text.ts';
import { DeviceError } from './errors.ts';

export const PROPERTY_TYPES = ['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOLEAN', 'BYTES', 'STREAM'] as const;
export const ACCESS_MODES = ['ReadWrite', 'ReadOnly'] as const;

/** A property of a model that was checked. */
export interface CheckedModelProperty {
  readonly name: string;
  readonly type: PropertyType;
  readonly accessMode: AccessMode;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly unit: string | undefined;
  readonly visitorProtocol: string | undefined;
  /** undefined: the model does not say how to read it. */
  readonly visitor: ConfigData | undefined;
  readonly deadBand: DeadBand | undefined;
}

/** What was read of a model; of use only where nothing is wrong with it. */
export interface CheckedModel {
  readonly protocol: string | undefined;
  readonly config: ConfigData;
  readonly properties: ReadonlyMap<string, CheckedModelProperty>;
}

/**
 * What is wrong with a DeviceModel; empty: nothing. Paths are those in the model.
 * @param model anything that came from outside
 */
export function checkModel(model: unknown): readonly Problem[] {
  const list = new ProblemList();
  readModel(list, model);
  return list.problems;
}

/** Reads and checks a model. */
export function readModel(list: ProblemList, model: unknown): CheckedModel {
  const properties = new Map<string, CheckedModelProperty>();
  const object = list.object(model, '') ?? {};
  const given = list.object(object['spec'], '/spec');
  if (given === undefined && (object['spec'] === undefined || object['spec'] === null))
    list.add('/spec', 'must be given', 'Write protocol and properties of the model.');
  const spec = given ?? {};
  const deadBands = readDeadBands(list, fieldsOf(object['metadata']) ?? {});
  for (const entry of namedEntries(list, spec['properties'], '/spec/properties', 'property')) {
    const property = readProperty(list, entry, deadBands.get(entry.name)?.deadBand);
    if (property !== undefined) properties.set(entry.name, property);
  }
  checkDeadBands(list, deadBands, properties);
  return {
    protocol: readProtocol(list, spec['protocol'], '/spec/protocol'),
    config: readConfigData(list, spec['protocolConfigData'], '/spec/protocolConfigData'),
    properties,
  };
}

/** Dead bands of properties that are not there, or whose values are not numbers. */
export function checkDeadBands(
  list: ProblemList,
  deadBands: ReadonlyMap<string, { readonly path: string }>,
  properties: ReadonlyMap<string, { readonly type: PropertyType }>,
): void {
  for (const [name, { path }] of deadBands) {
    const type = properties.get(name)?.type;
    if (type === undefined) {
      const all = [...properties.keys()].slice(0, 10).join(', ');
      list.add(path, `is about a property that is not there: "${name}"`, `Name one of: ${all}.`);
    } else if (!isNumeric(type)) {
      const message = `is about "${name}", which is ${type}`;
      list.add(path, message, 'Take it out: only INT, FLOAT and DOUBLE have a dead band.');
    }
  }
}

function readProperty(
  list: ProblemList,
  { name, path, fields }: NamedEntry,
  deadBand: DeadBand | undefined,
): CheckedModelProperty | undefined {
  list.string(fields['description'], below(path, 'description'));
  const unit = list.string(fields['unit'], below(path, 'unit'));
  const accessMode = list.oneOf(fields['accessMode'], below(path, 'accessMode'), ACCESS_MODES) ?? 'ReadOnly';
  const visitorsPath = below(path, 'visitors');
  const visitors = list.object(fields['visitors'], visitorsPath);
  const visitorProtocol = readProtocol(list, visitors?.['protocolName'], below(visitorsPath, 'protocolName'));
  const visitor = visitors && readConfigData(list, visitors['configData'], below(visitorsPath, 'configData'));
  const typePath = below(path, 'type');
  const type = list.oneOf(fields['type'], typePath, PROPERTY_TYPES);
  if (type === undefined) {
    if (fields['type'] === undefined || fields['type'] === null)
      list.add(typePath, 'must be given', `Write one of ${PROPERTY_TYPES.join(', ')}.`);
    return undefined;
  }
  const minimum = readBound(list, type, fields['minimum'], below(path, 'minimum'));
  const maximum = readBound(list, type, fields['maximum'], below(path, 'maximum'));
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    const message = `must be <= maximum, which is ${String(maximum)}, is ${String(minimum)}`;
    list.add(below(path, 'minimum'), message, 'Exchange minimum and maximum, or correct one of them.');
  }
  return { name, type, accessMode, minimum, maximum, unit, visitorProtocol, visitor, deadBand };
}

/** A bound as a number. Bounds that are as wide as INT itself are none; others have to be exact. */
function readBound(list: ProblemList, type: PropertyType, value: unknown, path: string): number | undefined {
  // KubeEdge's own manifests have numbers without quotes; the API server takes text only.
  const text = typeof value === 'number' ? String(value) : list.string(value, path);
  if (text === undefined || text === '') return undefined;
  if (!isNumeric(type)) {
    list.add(path, `is not for ${type}`, 'Take it out: only INT, FLOAT and DOUBLE have a range.');
    return undefined;
  }
  try {
    const bound = parseValue(type, text);
    if (typeof bound !== 'bigint') return Number(bound);
    if (bound >= 2n ** 64n - 1n || bound <= -(2n ** 63n)) return undefined;
    if (BigInt(Number(bound)) === bound) return Number(bound);
    const near = String(BigInt(Number(bound)));
    list.add(
      path,
      `must be a number that 64-bit floating point holds, is ${text}`,
      `Write ${near}, or take it out.`,
    );
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    list.add(path, error.message, `Write a value of type ${type}, in quotes.`);
  }
  return undefined;
}
