import { applyJsonPatch } from '../../patch/json-patch.ts';
import { applyMergePatch } from '../../patch/merge-patch.ts';
import { patchTypeOf } from '../../patch/patch-meta.ts';
import { applyStrategicMergePatch } from '../../patch/strategic-merge.ts';
import { badRequest } from '../../status/status-errors.ts';
import { parseJson } from '../body/json-scanner.ts';
import type { Patcher } from './patching.ts';

/** JSON, merge and strategic merge patches. */
export const standardPatcher: Patcher = {
  apply(type, current, raw) {
    const patch = parsePatch(raw);
    switch (type) {
      case 'json':
        return applyJsonPatch(current, patch);
      case 'merge':
        return applyMergePatch(current, patch);
      case 'strategic': {
        const slash = current.apiVersion.indexOf('/');
        const group = slash === -1 ? '' : current.apiVersion.slice(0, slash);
        return applyStrategicMergePatch(current, patch, patchTypeOf(group, current.kind));
      }
    }
  },
};

function parsePatch(raw: Buffer): unknown {
  try {
    return parseJson(raw.toString('utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'not JSON';
    throw badRequest(`error decoding patch: ${reason}`, { cause: error });
  }
}
