import { jsonEqual } from '../../meta/json.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { structuralErrors } from '../../schema/structural.ts';
import { field, OMITTED, type FieldError } from '../../status/field-error.ts';
import type { Draft } from '../draft.ts';
import { conditionOf, type CrdNames, type CrdSpec, type CrdStatus, type CrdVersion } from './crd-types.ts';
import { JsonPath } from './json-path.ts';

const SCOPES = ['Cluster', 'Namespaced'];
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];

/** Source: apiextensions-apiserver pkg/apis/apiextensions/validation ValidateCustomResourceDefinition. */
export function crdErrors(draft: Draft): FieldError[] {
  const spec = draft['spec'] as CrdSpec; // decoded
  const status = draft['status'] as CrdStatus; // decoded
  const { name = '' } = draft.metadata;
  const errors: FieldError[] = [];
  if (name !== `${spec.names.plural}.${spec.group}`) {
    errors.push(field.invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  }
  return [...errors, ...specErrors(spec), ...storedVersionErrors(spec, status)];
}

function specErrors(spec: CrdSpec): FieldError[] {
  const { group, versions, scope } = spec;
  const errors: FieldError[] = [];
  if (group === '') errors.push(field.required('spec.group'));
  else {
    errors.push(
      ...dns1123SubdomainProblems(group).map((problem) => field.invalid('spec.group', group, problem)),
    );
    if (!group.includes('.')) {
      errors.push(field.invalid('spec.group', group, 'should be a domain with at least one dot'));
    }
  }
  if (scope === '') errors.push(field.required('spec.scope'));
  else if (!SCOPES.includes(scope)) errors.push(field.notSupported('spec.scope', scope, SCOPES));
  const names = new Set<string>();
  for (const [index, version] of versions.entries()) {
    errors.push(...versionErrors(version, `spec.versions[${index}]`, schemaPath(versions, index)));
    if (names.has(version.name)) errors.push(field.duplicate(`spec.versions[${index}].name`, version.name));
    names.add(version.name);
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    // Go prints the members of a struct in their order, not sorted.
    const shown = JSON.stringify(versions.map(shownVersion));
    errors.push(field.invalid('spec.versions', OMITTED, `${shown}: ${detail}`));
  }
  return [...errors, ...nameErrors(spec.names, 'spec.names')];
}

/** Where the API keeps one schema for all versions, it names that place. */
function schemaPath(versions: readonly CrdVersion[], index: number): string {
  const shared = versions.every(({ schema }) => jsonEqual(schema, versions[0]?.schema));
  return shared ? 'spec.validation.openAPIV3Schema' : `spec.versions[${index}].schema.openAPIV3Schema`;
}

function versionErrors(version: CrdVersion, path: string, atSchema: string): FieldError[] {
  const errors = dns1035LabelProblems(version.name).map((problem) =>
    field.invalid(`${path}.name`, version.name, problem),
  );
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined) errors.push(field.required(`${path}.schema.openAPIV3Schema`));
  else errors.push(...structuralErrors(schema, atSchema));
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const at = `${path}.additionalPrinterColumns[${index}]`;
    if (column.name === '') errors.push(field.required(`${at}.name`));
    if (!COLUMN_TYPES.includes(column.type))
      errors.push(field.notSupported(`${at}.type`, column.type, COLUMN_TYPES));
    errors.push(...pathErrors(column.jsonPath, `${at}.jsonPath`));
  }
  const scale = version.subresources?.scale;
  if (scale === undefined) return errors;
  const at = `${path}.subresources.scale`;
  if (!scale.specReplicasPath.startsWith('.spec.')) {
    const detail = 'should be a json path under .spec';
    errors.push(field.invalid(`${at}.specReplicasPath`, scale.specReplicasPath, detail));
  }
  if (!scale.statusReplicasPath.startsWith('.status.')) {
    const detail = 'should be a json path under .status';
    errors.push(field.invalid(`${at}.statusReplicasPath`, scale.statusReplicasPath, detail));
  }
  return errors;
}

function pathErrors(jsonPath: string, path: string): FieldError[] {
  if (jsonPath === '') return [field.required(path)];
  try {
    new JsonPath(jsonPath);
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [field.invalid(path, jsonPath, `invalid format: ${error.message}`)];
  }
}

/** A version as the API's internal type prints itself. */
function shownVersion(version: CrdVersion): object {
  return {
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  };
}

function nameErrors(names: CrdNames, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (value: string, at: string): void => {
    for (const problem of dns1035LabelProblems(value.toLowerCase()))
      errors.push(field.invalid(at, value, problem));
  };
  if (names.plural === '') errors.push(field.required(`${path}.plural`));
  else check(names.plural, `${path}.plural`);
  if ((names.singular ?? '') !== '') check(names.singular ?? '', `${path}.singular`);
  for (const [index, name] of (names.shortNames ?? []).entries()) check(name, `${path}.shortNames[${index}]`);
  if (names.kind === '') errors.push(field.required(`${path}.kind`));
  else check(names.kind, `${path}.kind`);
  return errors;
}

function storedVersionErrors(spec: CrdSpec, { storedVersions }: CrdStatus): FieldError[] {
  const stored = storedVersions ?? [];
  const last = spec.versions.filter(({ storage }) => storage).at(-1);
  const errors: FieldError[] = [];
  const path = 'status.storedVersions';
  if (stored.length === 0) errors.push(field.invalid(path, stored, 'must have at least one stored version'));
  for (const [index, name] of stored.entries()) {
    if (spec.versions.some((version) => version.name === name)) continue;
    errors.push(field.invalid(`${path}[${index}]`, name, 'must appear in spec.versions'));
  }
  if (last !== undefined && !stored.includes(last.name)) {
    errors.push(field.invalid(path, stored, `must have the storage version ${last.name}`));
  }
  return errors;
}

/** Source: ValidateCustomResourceDefinitionUpdate. */
export function crdUpdateErrors(draft: Draft, old: KubeObject): FieldError[] {
  const spec = draft['spec'] as CrdSpec; // decoded
  const oldSpec = old['spec'] as CrdSpec; // decoded when it was stored
  const errors = crdErrors(draft);
  if (spec.group !== oldSpec.group)
    errors.push(field.invalid('spec.group', spec.group, 'field is immutable'));
  const established = conditionOf(old['status'] as CrdStatus, 'Established')?.status === 'True'; // decoded when it was stored
  if (established && spec.scope !== oldSpec.scope) {
    errors.push(field.invalid('spec.scope', spec.scope, 'field is immutable'));
  }
  if (established && spec.names.plural !== oldSpec.names.plural) {
    errors.push(field.invalid('spec.names.plural', spec.names.plural, 'field is immutable'));
  }
  return errors;
}
