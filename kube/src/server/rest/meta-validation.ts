import { isPlainObject, jsonEqual } from '../../meta/json.ts';
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  generateNameProblems,
  labelValueProblems,
  qualifiedNameProblems,
  type NameCheck,
} from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { goQuote } from '../../status/go-format.ts';
import type { Draft, DraftMeta } from '../draft.ts';

/** Bytes of keys and values of all annotations of one object. */
const ANNOTATIONS_LIMIT_BYTES = 256 * 1024;
const STANDARD_FINALIZERS = new Set(['foregroundDeletion', 'orphan', 'kubernetes']);
const REQUIRED_OWNER_FIELDS = ['kind', 'name', 'uid'] as const;

/**
 * Checks the metadata of a new object. Source: k8s.io/apimachinery api/validation ValidateObjectMeta.
 */
export function metaErrors(meta: DraftMeta, namespaced: boolean, nameCheck: NameCheck): FieldError[] {
  const { name = '', generateName = '', namespace = '' } = meta;
  const errors: FieldError[] = [];
  if (generateName !== '') {
    for (const problem of generateNameProblems(generateName, nameCheck)) {
      errors.push(field.invalid('metadata.generateName', generateName, problem));
    }
  }
  if (name === '') errors.push(field.required('metadata.name', 'name or generateName is required'));
  else for (const problem of nameCheck(name)) errors.push(field.invalid('metadata.name', name, problem));
  if (namespaced) {
    if (namespace === '') errors.push(field.required('metadata.namespace'));
    else {
      for (const problem of dns1123LabelProblems(namespace)) {
        errors.push(field.invalid('metadata.namespace', namespace, problem));
      }
    }
  } else if (namespace !== '') {
    errors.push(field.forbidden('metadata.namespace', 'not allowed on this type'));
  }
  return [...errors, ...commonErrors(meta), ...finalizerErrors(meta.finalizers ?? [])];
}

function commonErrors(meta: DraftMeta): FieldError[] {
  return [
    ...labelErrors(meta.labels ?? {}, 'metadata.labels'),
    ...annotationErrors(meta.annotations ?? {}, 'metadata.annotations'),
    ...ownerErrors(meta.ownerReferences ?? []),
  ];
}

/** Checks labels. Source: meta/v1/validation ValidateLabels. */
export function labelErrors(labels: Readonly<Record<string, string>>, path: string): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((problem) => field.invalid(path, key, problem)),
    ...labelValueProblems(value).map((problem) => field.invalid(path, value, problem)),
  ]);
}

/** Checks annotations. Source: api/validation ValidateAnnotations. */
export function annotationErrors(annotations: Readonly<Record<string, string>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const problem of qualifiedNameProblems(key.toLowerCase()))
      errors.push(field.invalid(path, key, problem));
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (sizeBytes > ANNOTATIONS_LIMIT_BYTES) errors.push(field.tooLong(path, ANNOTATIONS_LIMIT_BYTES));
  return errors;
}

function ownerErrors(owners: NonNullable<DraftMeta['ownerReferences']>): FieldError[] {
  const path = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of owners) {
    const { apiVersion = '' } = owner as Partial<typeof owner>;
    if (apiVersion === '') {
      errors.push(field.invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty'));
    }
    for (const key of REQUIRED_OWNER_FIELDS) {
      if (((owner as Partial<typeof owner>)[key] ?? '') === '') {
        errors.push(field.invalid(`${path}.${key}`, '', 'must not be empty'));
      }
    }
    if (owner.controller !== true) continue;
    const named = `${owner.kind}/${owner.name}`;
    if (controller === undefined) controller = named;
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${named}`;
      errors.push(field.invalid(path, owners, detail));
    }
  }
  return errors;
}

function finalizerErrors(finalizers: readonly string[]): FieldError[] {
  const path = 'metadata.finalizers';
  const errors = finalizers.flatMap((finalizer, index) => {
    const at = `${path}[${index}]`;
    const problems = qualifiedNameProblems(finalizer).map((problem) => field.invalid(at, finalizer, problem));
    if (problems.length > 0 || finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) return problems;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    return [field.invalid(at, finalizer, detail)];
  });
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(
      field.invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'),
    );
  }
  return errors;
}

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/**
 * Checks the metadata of a changed object. Source: k8s.io/apimachinery api/validation ValidateObjectMetaUpdate.
 */
export function metaUpdateErrors(draft: Draft, old: KubeObject): FieldError[] {
  const meta = draft.metadata;
  const oldMeta = old.metadata;
  const errors: FieldError[] = [];
  if (oldMeta.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter((name) => !(oldMeta.finalizers ?? []).includes(name));
    if (added.length > 0) {
      const list = `[]string{${added.map(goQuote).join(', ')}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(field.forbidden('metadata.finalizers', detail));
    }
  }
  for (const key of IMMUTABLE) {
    if (!jsonEqual(meta[key], oldMeta[key])) {
      errors.push(field.invalid(`metadata.${key}`, meta[key] ?? null, 'field is immutable'));
    }
  }
  return [...errors, ...commonErrors(meta)];
}

/** What a client may leave out of an update: it is taken from the present state. */
export function keepSystemMeta(draft: Draft, old: KubeObject): void {
  const { metadata } = draft;
  const oldMeta = old.metadata;
  metadata.uid ??= oldMeta.uid ?? '';
  if (oldMeta.creationTimestamp !== undefined) metadata.creationTimestamp ??= oldMeta.creationTimestamp;
  if (oldMeta.deletionTimestamp !== undefined) metadata.deletionTimestamp ??= oldMeta.deletionTimestamp;
  if (oldMeta.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds ??= oldMeta.deletionGracePeriodSeconds;
  }
  if (oldMeta.generation === undefined) delete metadata.generation;
  else metadata.generation = oldMeta.generation;
}

/** The rule for names where a resource has none of its own. */
export const defaultNameCheck: NameCheck = dns1123SubdomainProblems;

/** Whether something under `key` differs between two states. */
export function changed(draft: Draft, old: KubeObject, key: string): boolean {
  const left = draft[key];
  const right = old[key];
  if (isEmptyObject(left) && right === undefined) return false;
  if (isEmptyObject(right) && left === undefined) return false;
  return !jsonEqual(left, right);
}

function isEmptyObject(value: unknown): boolean {
  return isPlainObject(value) && Object.keys(value).length === 0;
}
