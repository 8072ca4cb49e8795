import { readFile } from 'node:fs/promises';
import { bindDevice, type Binding } from '@hawser/devices';
import { parseAllDocuments } from 'yaml';
import { MapperError, messageOf } from '../errors.ts';

/** A device of a manifest, with its model. */
export interface ManifestDevice {
  /** `<namespace>/<name>`. */
  readonly id: string;
  readonly binding: Binding;
}

interface ApiObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/**
 * Devices of a YAML file, bound to their models, which have to be in it as well. Objects of other kinds are passed over.
 * @throws MapperError `ERR_MAPPER_MANIFEST`
 */
export async function readManifest(file: string): Promise<readonly ManifestDevice[]> {
  const objects = await readObjects(file);
  const models = new Map(
    objects
      .filter(({ kind }) => kind === 'DeviceModel')
      .map(({ namespace, name, object }) => [`${namespace}/${name}`, object]),
  );
  const devices = objects.filter(({ kind }) => kind === 'Device');
  if (devices.length === 0) throw unreadable(file, 'there is no Device in it');
  return devices.map(({ namespace, name, object }) => {
    const spec = object['spec'] as { deviceModelRef?: { name?: unknown } } | undefined;
    const model = models.get(`${namespace}/${String(spec?.deviceModelRef?.name)}`);
    return { id: `${namespace}/${name}`, binding: bindDevice(object, model) };
  });
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
  // What the API server fills in is not there yet.
  const object = { ...value, metadata: { uid: 'unknown', ...metadata, namespace } };
  return [{ kind: value['kind'], namespace, name, object }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(file: string, message: string, cause?: unknown): MapperError {
  return new MapperError('ERR_MAPPER_MANIFEST', `${file}: ${message}`, { cause });
}
