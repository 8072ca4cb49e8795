import { readFile } from 'node:fs/promises';
import { bindDevice, type Problem } from '@hawser/devices';
import { parseAllDocuments } from 'yaml';
import { DeviceValidator } from '../devices/validate-device.ts';
import type { Driver } from '../driver.ts';
import { MapperError, messageOf } from '../errors.ts';

/** What was found out about a file. */
export interface ManifestVerdict {
  /** For people: a line for each device and each problem. */
  readonly lines: readonly string[];
  readonly ok: boolean;
}

interface ApiObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/**
 * Looks at the devices in a file as the edge core and the mapper would: with their models, which have to be in it as well.
 * Objects of other kinds, and devices of other protocols, are passed over.
 * @throws MapperError `ERR_MAPPER_MANIFEST`
 */
export async function checkManifest(driver: Driver, file: string): Promise<ManifestVerdict> {
  const objects = await readObjects(file);
  const models = new Map(
    objects
      .filter(({ kind }) => kind === 'DeviceModel')
      .map((model) => [`${model.namespace}/${model.name}`, model.object]),
  );
  const validator = new DeviceValidator(driver);
  const lines: string[] = [];
  let ok = true;
  const devices = objects.filter(({ kind }) => kind === 'Device');
  if (devices.length === 0) throw unreadable(file, 'there is no Device in it');
  for (const device of devices) {
    const verdict = await problemsOf(driver, validator, device, models);
    const id = `${device.namespace}/${device.name}`;
    if (typeof verdict === 'string') lines.push(`Device ${id}: ${verdict}`);
    else {
      ok = false;
      lines.push(`Device ${id}: ${verdict.length} ${verdict.length === 1 ? 'problem' : 'problems'}`);
      for (const { path, message, remedy } of verdict) lines.push(`  ${path} ${message}. ${remedy}`);
    }
  }
  return { lines, ok };
}

/** @returns a text where nothing is wrong */
async function problemsOf(
  driver: Driver,
  validator: DeviceValidator,
  { namespace, object }: ApiObject,
  models: ReadonlyMap<string, object>,
): Promise<string | readonly Problem[]> {
  const spec = object['spec'] as { deviceModelRef?: { name?: unknown } } | undefined;
  const model = models.get(`${namespace}/${String(spec?.deviceModelRef?.name)}`);
  const { device, problems } = bindDevice(object, model);
  if (device === undefined) return problems;
  if (device.protocol !== driver.protocol) return `speaks ${device.protocol}: passed over`;
  const validated = await validator.validate(device);
  if (!validated.ok) return validated.problems;
  return `valid, ${device.properties.length} ${device.properties.length === 1 ? 'property' : 'properties'}`;
}

async function readObjects(file: string): Promise<readonly ApiObject[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, messageOf(cause), cause);
  }
  const documents = parseAllDocuments(text);
  if ('empty' in documents) throw unreadable(file, 'it is empty');
  const [error] = documents.flatMap(({ errors }) => errors);
  if (error !== undefined) throw unreadable(file, error.message, error);
  return documents.flatMap((document) => itemsOf(document.toJS() as unknown)).flatMap(asApiObject);
}

/** A List of Kubernetes holds others. */
function itemsOf(value: unknown): readonly unknown[] {
  const items = isObject(value) && value['kind'] === 'List' ? value['items'] : undefined;
  return Array.isArray(items) ? items : [value];
}

function asApiObject(value: unknown): readonly ApiObject[] {
  if (!isObject(value) || typeof value['kind'] !== 'string') return [];
  const metadata = isObject(value['metadata']) ? value['metadata'] : {};
  const { name, namespace = 'default' } = metadata;
  if (typeof name !== 'string' || typeof namespace !== 'string') return [];
  // As the API server fills in: of the object as it is applied it is not there.
  const object = { ...value, metadata: { uid: 'unknown', ...metadata, namespace } };
  return [{ kind: value['kind'], namespace, name, object }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(file: string, message: string, cause?: unknown): MapperError {
  return new MapperError('ERR_MAPPER_MANIFEST', `${file}: ${message}`, { cause });
}
