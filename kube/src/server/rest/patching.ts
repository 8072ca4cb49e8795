import type { JsonObject } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import { unsupportedMediaType, unsupportedPatchType } from '../../status/status-errors.ts';
import { contentType } from '../body/parse-body.ts';
import type { ResourceDefinition } from '../registry/definition.ts';

/** Kinds of patches by their Content-Type. */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const TYPES: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
  'application/apply-patch+cbor': 'apply',
};

const BUILT_IN_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];
const CUSTOM_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];

/** Applies patches; the machinery lives elsewhere. */
export interface Patcher {
  /**
   * The patched object. `apiVersion` and `kind` say which merge keys hold for a strategic patch.
   * @throws StatusError
   */
  apply(type: Exclude<PatchType, 'apply'>, current: KubeObject, patch: Buffer): JsonObject;
}

/**
 * The type of a patch.
 * @throws StatusError UnsupportedMediaType: unknown types, strategic patches of custom resources, and server-side
 *   apply, which is not supported yet.
 */
export function patchType(
  definition: ResourceDefinition,
  header: string | undefined,
): Exclude<PatchType, 'apply'> {
  const type = TYPES[contentType(header)];
  if (type === undefined) throw unsupportedPatchType();
  if (type === 'strategic' && definition.custom) throw unsupportedMediaType(CUSTOM_TYPES);
  if (type === 'apply')
    throw unsupportedMediaType(definition.custom ? BUILT_IN_TYPES.slice(0, 2) : BUILT_IN_TYPES);
  return type;
}
