import type { JsonObject } from '../../meta/json.ts';
import { badRequest } from '../../status/status-errors.ts';
import type { Draft } from '../draft.ts';
import type { FieldValidation } from '../http/query-options.ts';
import { apiVersionOf, type ResourceDefinition } from '../registry/definition.ts';
import type { Registry } from '../registry/registry.ts';
import { DecodeError } from '../types/scalars.ts';
import { strictProblems, duplicateKeys } from './json-scanner.ts';
import { summarize, type ParsedBody } from './parse-body.ts';

/** What decoding needs beside the body. */
export interface DecodeSettings {
  readonly fieldValidation: FieldValidation;
  readonly registry: Registry;
  readonly warn: (text: string) => void;
}

const RESOURCE_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);
const SCHEME = 'scheme "pkg/api/legacyscheme/scheme.go:30"';

/**
 * Makes a draft of a body: kind and version checked, fields decoded and defaulted; unknown and repeated fields are
 * warned of or refused.
 * @throws StatusError BadRequest.
 */
export function decodeObject(
  definition: ResourceDefinition,
  body: ParsedBody,
  settings: DecodeSettings,
): Draft {
  const { value } = body;
  checkKind(definition, body, settings);
  const unknown: string[] = [];
  let draft: Draft;
  try {
    draft = definition.codec.decode(value, unknown);
  } catch (error) {
    throw decodeFailure(definition, value, error);
  }
  if (settings.fieldValidation !== 'Ignore') {
    const problems = strictFindings(definition, body, unknown);
    if (problems.length > 0 && settings.fieldValidation === 'Strict') {
      throw cannotBeHandled(definition, value, `strict decoding error: ${problems.join(', ')}`);
    }
    for (const problem of problems) settings.warn(problem);
  }
  definition.strategy.default?.(draft);
  return draft;
}

/** Problems of a body as a strict decoder lists them. */
export function strictFindings(
  definition: ResourceDefinition,
  { json }: Pick<ParsedBody, 'json'>,
  unknown: readonly string[],
): string[] {
  if (json === undefined) return unknown.map((path) => `unknown field "${path}"`);
  if (!definition.custom) return strictProblems(json, unknown);
  // Custom resources: repeated fields are seen while parsing, unknown ones afterwards, in order of their paths.
  const repeated = duplicateKeys(json).map(({ path }) => `duplicate field "${path}"`);
  return [...repeated, ...[...unknown].sort().map((path) => `unknown field "${path}"`)];
}

/** What a failed decoding means to the client. */
export function decodeFailure(definition: ResourceDefinition, value: JsonObject, error: unknown): Error {
  if (error instanceof DecodeError) return cannotBeHandled(definition, value, error.message);
  return error instanceof Error ? error : new Error(String(error));
}

function cannotBeHandled(definition: ResourceDefinition, value: JsonObject, reason: string): Error {
  const kind = typeof value['kind'] === 'string' ? value['kind'] : definition.kind;
  const apiVersion = typeof value['apiVersion'] === 'string' ? value['apiVersion'] : apiVersionOf(definition);
  const version = apiVersion.slice(apiVersion.lastIndexOf('/') + 1);
  return badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${definition.kind}: ${reason}`,
  );
}

function checkKind(
  definition: ResourceDefinition,
  { value, raw, json }: ParsedBody,
  { registry, fieldValidation, warn }: DecodeSettings,
): void {
  const { kind, apiVersion } = value;
  const expected = apiVersionOf(definition);
  if (definition.custom) {
    if (typeof kind !== 'string' || kind === '') {
      const shown = json ?? raw.toString('utf8');
      throw badRequest(
        `the object provided is unrecognized (must be of type ${definition.kind}): ` +
          `Object 'Kind' is missing in '${shown}' (${summarize(raw)})`,
      );
    }
    if (apiVersion !== expected) {
      const found = typeof apiVersion === 'string' ? apiVersion : '';
      // Of a version without a schema, nothing but the metadata is known.
      const unknown = Object.keys(value).filter((key) => !RESOURCE_FIELDS.has(key));
      if (fieldValidation === 'Warn') for (const key of unknown.sort()) warn(`unknown field "${key}"`);
      throw badRequest(
        `the API version in the data (${found}) does not match the expected API version (${expected})`,
      );
    }
    if (kind !== definition.kind) {
      throw cannotBeHandled(
        definition,
        value,
        `converting (${kind}) to (${definition.kind}): unknown conversion`,
      );
    }
    return;
  }
  const givenKind = typeof kind === 'string' && kind !== '' ? kind : definition.kind;
  const givenVersion = typeof apiVersion === 'string' && apiVersion !== '' ? apiVersion : expected;
  if (givenKind === definition.kind && givenVersion === expected) return;
  const version = givenVersion.slice(givenVersion.lastIndexOf('/') + 1);
  const reason =
    registry.findKind(givenVersion, givenKind) === undefined
      ? `no kind ${JSON.stringify(givenKind)} is registered for version ${JSON.stringify(givenVersion)} in ${SCHEME}`
      : `converting (${version}.${givenKind}) to (${definition.group === '' ? 'core' : definition.group}.${definition.kind}): unknown conversion`;
  throw cannotBeHandled(definition, value, reason);
}
