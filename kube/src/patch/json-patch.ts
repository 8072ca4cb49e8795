import jsonPatch from 'fast-json-patch';
import { isPlainObject, type JsonObject } from '../meta/json.ts';
import { badRequest, failure, unprocessable } from '../status/status-errors.ts';
import { goTypeName } from './patch-errors.ts';

/** Source: kube-apiserver, maxJSONPatchOperations. */
const OPERATIONS_LIMIT = 10_000;

/**
 * Applies a JSON patch (RFC 6902) to a copy.
 * @throws StatusError BadRequest if the patch is no list of operations, RequestEntityTooLarge for more than 10,000,
 * Invalid (422) if an operation is not valid, does not fit the object, or its test fails.
 */
export function applyJsonPatch(target: JsonObject, patch: unknown): JsonObject {
  if (!Array.isArray(patch)) throw notOperations(patch, '[]handlers.jsonPatchOp');
  for (const operation of patch) {
    if (!isPlainObject(operation)) throw notOperations(operation, 'handlers.jsonPatchOp');
  }
  if (patch.length > OPERATIONS_LIMIT) {
    const message = `The allowed maximum operations in a JSON patch is ${OPERATIONS_LIMIT}, got ${patch.length}`;
    throw failure(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
  }
  const operations = patch as jsonPatch.Operation[]; // the library's own validation, switched on, checks the rest
  const result = patched(target, operations);
  // An operation may replace the whole document.
  if (!isPlainObject(result)) throw unprocessable();
  return result;
}

function patched(target: JsonObject, operations: jsonPatch.Operation[]): unknown {
  try {
    // Arguments: validate; do not change the target; refuse to touch prototypes.
    const { newDocument }: { newDocument: unknown } = jsonPatch.applyPatch<unknown>(
      target,
      operations,
      true,
      false,
      true,
    );
    return newDocument;
  } catch (error) {
    // JsonPatchError for what the patch does wrong, TypeError where it touches prototypes: the caller's doing both.
    throw unprocessable({ cause: error });
  }
}

function notOperations(value: unknown, goType: string): Error {
  return badRequest(
    `error decoding patch: json: cannot unmarshal ${goTypeName(value)} into Go value of type ${goType}`,
  );
}
