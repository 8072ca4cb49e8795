import { isPlainObject, type JsonObject } from '../../meta/json.ts';
import { badRequest } from '../../status/status-errors.ts';
import { parseJson } from '../body/json-scanner.ts';
import type { Patcher } from './patching.ts';

/** Patches of the built-in machinery. */
export const standardPatcher: Patcher = {
  apply(type, current, patch) {
    if (type !== 'merge') throw badRequest(`patches of type ${type} are not available yet`);
    return mergePatch(current, parsePatch(patch)) as JsonObject; // an object merged into an object is one
  },
};

function parsePatch(patch: Buffer): unknown {
  try {
    return parseJson(patch.toString('utf8'));
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isPlainObject(patch)) return patch;
  const merged: Record<string, unknown> = isPlainObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
