import { parseDocument } from 'yaml';
import { isPlainObject, type JsonObject } from '../../meta/json.ts';
import { badRequest, unsupportedMediaType } from '../../status/status-errors.ts';
import { parseJson } from './json-scanner.ts';
import { hasProtobuf, readProtobuf } from './protobuf-body.ts';

/** A body's value, and its text where that is JSON (for what JSON.parse does not tell). */
export interface ParsedBody {
  readonly value: JsonObject;
  /** Undefined for YAML. */
  readonly json: string | undefined;
  readonly raw: Buffer;
}

const ACCEPTED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const SUMMARY_LENGTH = 30;
/** Aliases are how a small YAML text becomes a huge value. */
const MAX_YAML_ALIASES = 100;

/** The media type of a Content-Type header, without parameters; '' if there is none. */
export function contentType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * Reads a body that is to be an object of `kind`. No Content-Type means JSON. `struct`: the kind's name in the tables
 * of fields; without one, protobuf is not read.
 * @throws StatusError UnsupportedMediaType, BadRequest in the API server's words.
 */
export function parseBody(
  raw: Buffer,
  header: string | undefined,
  kind: string,
  struct: string | undefined,
): ParsedBody {
  switch (contentType(header)) {
    case '':
    case 'application/json':
      return { value: jsonObject(raw, kind), json: raw.toString('utf8'), raw };
    case 'application/yaml':
    case 'application/x-yaml':
    case 'text/yaml':
      return { value: yamlObject(raw, kind), json: undefined, raw };
    case 'application/vnd.kubernetes.protobuf':
      if (!hasProtobuf(struct)) throw unsupportedMediaType(ACCEPTED.slice(0, 2));
      return { value: protobufObject(raw, kind, struct), json: undefined, raw };
    default:
      throw unsupportedMediaType(ACCEPTED);
  }
}

function protobufObject(raw: Buffer, kind: string, struct: string): JsonObject {
  try {
    return readProtobuf(raw, struct);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    throw unrecognized(kind, error.message, raw);
  }
}

function jsonObject(raw: Buffer, kind: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(raw.toString('utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'not JSON';
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${reason}`, raw);
  }
  if (isPlainObject(value)) return value;
  const found = Array.isArray(value) ? 'array' : value === null ? 'object' : typeof value;
  const into =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  const reason = `json: cannot unmarshal ${found} into Go value of type ${into}`;
  throw unrecognized(kind, `couldn't get version/kind; json parse error: ${reason}`, raw);
}

function yamlObject(raw: Buffer, kind: string): JsonObject {
  const value = parseYaml(raw.toString('utf8'));
  if (isPlainObject(value)) return value;
  throw unrecognized(kind, "couldn't get version/kind; json parse error: not an object", raw);
}

/**
 * Parses YAML as JSON data.
 * @throws StatusError BadRequest.
 */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: false, schema: 'core', logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) throw badRequest(`error converting YAML to JSON: yaml: ${error.message}`);
  try {
    return document.toJS({ maxAliasCount: MAX_YAML_ALIASES }) as unknown;
  } catch (cause) {
    throw badRequest('error converting YAML to JSON: yaml: document contains excessive aliasing', { cause });
  }
}

function unrecognized(kind: string, reason: string, raw: Buffer): Error {
  return badRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${reason} (${summarize(raw)})`,
  );
}

/** The beginning of a body as the API server shows it: text of an object, hexadecimal digits of anything else. */
export function summarize(raw: Buffer): string {
  if (raw.length === 0) return '<empty>';
  const encoding = raw[0] === 0x7b ? 'utf8' : 'hex';
  if (raw.length <= SUMMARY_LENGTH) return raw.toString(encoding);
  return `${raw.subarray(0, SUMMARY_LENGTH).toString(encoding)} ...`;
}
