import type { JsonObject } from '../../meta/json.ts';
import { record, without, type Draft, type DraftMeta } from '../draft.ts';
import { decodeStruct } from '../types/decode.ts';
import type { ObjectCodec } from './definition.ts';

/** The codec of a built-in kind whose stored form is the served one; `struct`: its name in the field tables. */
export function typedCodec(struct: string, kind: string, apiVersion: string): ObjectCodec {
  return {
    decode: (value, unknown) => decodeTyped(struct, kind, apiVersion, value, unknown),
    servesStored: true,
    encode: (object) => object,
  };
}

/**
 * Decodes a body as a struct with `metadata`; kind and apiVersion come first, as in all answers.
 * @throws DecodeError
 */
export function decodeTyped(
  struct: string,
  kind: string,
  apiVersion: string,
  value: JsonObject,
  unknown: string[],
): Draft {
  const decoded = decodeStruct(struct, value, unknown);
  const rest = without(decoded, 'metadata', 'kind', 'apiVersion');
  return { kind, apiVersion, metadata: decodedMeta(decoded['metadata']), ...rest };
}

/** Metadata as we keep it: without `managedFields` (bookkeeping of server-side apply) and `selfLink`. */
export function decodedMeta(metadata: unknown): DraftMeta {
  return without(record(metadata), 'managedFields', 'selfLink'); // decoded as ObjectMeta
}
