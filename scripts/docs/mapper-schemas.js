// cli/manifests/mapper-schemas/<protocol>.yaml, from the drivers in mappers/*: the hub looks at devices by them.
import { stringify } from 'yaml';
import { packageDirs } from '../setup.js';
import { load } from './sources.js';

const HEADING =
  '# What the mapper of this protocol takes as configData. Made from its driver by `npm run docs`.\n';

/** The driver that a package exports, as an object or as a class; undefined: it has none, as the SDK. */
async function driverOf(dir) {
  const module = await load(`${dir}/src/index.ts`);
  const isDriver = (value) => typeof value?.protocol === 'string' && value.schemas !== undefined;
  const values = Object.entries(module)
    .filter(([name]) => /driver$/i.test(name))
    .map(([, value]) => (typeof value === 'function' ? new value() : value));
  return values.find(isDriver);
}

function manifest({ protocol, schemas }) {
  const json = (schema) => `${JSON.stringify(schema, null, 2)}\n`;
  const labels = { 'app.kubernetes.io/managed-by': 'hawser', 'hawser.dev/mapper-schema': protocol };
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `mapper-schema-${protocol}`, namespace: 'hawser-system', labels },
    data: { 'protocol.json': json(schemas.protocol), 'visitor.json': json(schemas.visitor) },
  };
  return HEADING + stringify(configMap, { lineWidth: 0 });
}

/** @returns {Promise<Record<string, () => string>>} the manifest of each protocol, by its file */
export async function mapperSchemaPages() {
  const dirs = packageDirs().filter((dir) => dir.startsWith('mappers/') && dir !== 'mappers/sdk');
  const drivers = (await Promise.all(dirs.map(driverOf))).filter((driver) => driver !== undefined);
  return Object.fromEntries(
    drivers.map((driver) => [`cli/manifests/mapper-schemas/${driver.protocol}.yaml`, () => manifest(driver)]),
  );
}
