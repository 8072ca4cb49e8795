import type { BoundProperty } from './bound-device.ts';
import { below, described, type Fields, fieldsOf, type ProblemList } from './problem-list.ts';

/** What the annotation of a property's dead band begins with. */
export const DEAD_BAND_ANNOTATION = 'hawser.dev/dead-band.';

const DEAD_BAND = /^(\d+(?:\.\d+)?)(%?)$/;

export type DeadBand = NonNullable<BoundProperty['deadBand']>;

/** Dead bands that the annotations of a device or a model say, by property, with the path of each. */
export function readDeadBands(
  list: ProblemList,
  metadata: Fields,
): ReadonlyMap<string, { readonly path: string; readonly deadBand: DeadBand }> {
  const found = new Map<string, { path: string; deadBand: DeadBand }>();
  for (const [key, value] of Object.entries(fieldsOf(metadata['annotations']) ?? {})) {
    if (!key.startsWith(DEAD_BAND_ANNOTATION)) continue;
    const path = below('/metadata/annotations', key);
    const deadBand = typeof value === 'string' ? parseDeadBand(value) : undefined;
    if (deadBand === undefined) {
      const message = `must be a number or a percentage, is ${described(value)}`;
      list.add(path, message, 'Write "0.5" for a change of 0.5, "2%" for 2 percent of the last value.');
    } else {
      found.set(key.slice(DEAD_BAND_ANNOTATION.length), { path, deadBand });
    }
  }
  return found;
}

function parseDeadBand(text: string): DeadBand | undefined {
  const [, digits, percent] = DEAD_BAND.exec(text.trim()) ?? [];
  const by = Number(digits ?? NaN);
  return Number.isFinite(by) ? { kind: percent === '%' ? 'percent' : 'absolute', by } : undefined;
}
