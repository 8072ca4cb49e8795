import { jsonEqual } from '../../meta/json.ts';
import { configKeyProblems } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { ensureRecord, record, setDefault, text, type Draft } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy } from '../registry/definition.ts';
import { configMapPrinter, secretPrinter } from '../table/core-printers.ts';
import { builtIn } from './define.ts';

/** Bytes of all values of one ConfigMap or Secret. */
const SIZE_LIMIT_BYTES = 1024 * 1024;
const IMMUTABLE = 'field is immutable when `immutable` is set';

function keyErrors(map: unknown, path: string): FieldError[] {
  return Object.keys(record(map)).flatMap((key) =>
    configKeyProblems(key).map((problem) => field.invalid(`${path}[${key}]`, key, problem)),
  );
}

function sizeBytes(map: unknown, decode: boolean): number {
  let bytes = 0;
  for (const value of Object.values(record(map))) {
    bytes += Buffer.byteLength(text(value), decode ? 'base64' : 'utf8');
  }
  return bytes;
}

/** What an immutable object may not change. Source: ValidateConfigMapUpdate, ValidateSecretUpdate. */
function immutabilityErrors(draft: Draft, old: KubeObject, keys: readonly string[]): FieldError[] {
  if (old['immutable'] !== true) return [];
  const errors = draft['immutable'] === true ? [] : [field.forbidden('immutable', IMMUTABLE)];
  for (const key of keys) if (!jsonEqual(draft[key], old[key])) errors.push(field.forbidden(key, IMMUTABLE));
  return errors;
}

function configMapErrors(draft: Draft): FieldError[] {
  const data = record(draft['data']);
  const errors = keyErrors(data, 'data');
  for (const key of Object.keys(data)) {
    if (!Object.hasOwn(record(draft['binaryData']), key)) continue;
    errors.push(field.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  }
  errors.push(...keyErrors(draft['binaryData'], 'binaryData'));
  if (sizeBytes(data, false) + sizeBytes(draft['binaryData'], true) > SIZE_LIMIT_BYTES) {
    errors.push(field.tooLong('', SIZE_LIMIT_BYTES));
  }
  return errors;
}

const configMapStrategy: ResourceStrategy = {
  validate: configMapErrors,
  validateUpdate: (draft, old) => [
    ...immutabilityErrors(draft, old, ['data', 'binaryData']),
    ...configMapErrors(draft),
  ],
};

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** What secrets of a type must hold. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
};

/** Source: ValidateSecret. */
function secretErrors(draft: Draft): FieldError[] {
  const data = record(draft['data']);
  const type = text(draft['type']);
  const errors = keyErrors(data, 'data');
  if (sizeBytes(data, true) > SIZE_LIMIT_BYTES) errors.push(field.tooLong('data', SIZE_LIMIT_BYTES));
  for (const key of REQUIRED_KEYS[type] ?? []) {
    if (data[key] === undefined) errors.push(field.required(`data[${key}]`));
    else if (key.startsWith('.docker')) errors.push(...jsonErrors(text(data[key]), `data[${key}]`));
  }
  if (
    type === 'kubernetes.io/basic-auth' &&
    data['username'] === undefined &&
    data['password'] === undefined
  ) {
    errors.push(field.required('data[username]'), field.required('data[password]'));
  }
  if (
    type === 'kubernetes.io/service-account-token' &&
    (draft.metadata.annotations?.[SERVICE_ACCOUNT_NAME] ?? '') === ''
  ) {
    errors.push(field.required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`));
  }
  return errors;
}

function jsonErrors(base64: string, path: string): FieldError[] {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return [];
  } catch {
    return [field.invalid(path, '<secret contents redacted>', 'invalid JSON')]; // its text could hold the secret
  }
}

const secretStrategy: ResourceStrategy = {
  default(draft) {
    const plain = record(draft['stringData']);
    for (const [key, value] of Object.entries(plain)) {
      ensureRecord(draft, 'data')[key] = Buffer.from(text(value)).toString('base64');
    }
    delete draft['stringData'];
    setDefault(draft, 'type', 'Opaque');
  },
  validate: secretErrors,
  validateUpdate(draft, old) {
    const errors =
      draft['type'] === old['type'] ? [] : [field.invalid('type', draft['type'], 'field is immutable')];
    return [...errors, ...immutabilityErrors(draft, old, ['data']), ...secretErrors(draft)];
  },
};

/** ConfigMaps and Secrets. */
export function configResources(): ResourceDefinition[] {
  return [
    builtIn({
      kind: 'ConfigMap',
      resource: 'configmaps',
      shortNames: ['cm'],
      strategy: configMapStrategy,
      table: configMapPrinter,
    }),
    builtIn({
      kind: 'Secret',
      resource: 'secrets',
      strategy: secretStrategy,
      table: secretPrinter,
      fieldNames: ['type'],
      fields: (object) => ({ type: text(object['type']) }),
    }),
  ];
}
