import type { ApiObject } from '../objects/object-source.ts';

/** Where the hub notes which setting of an edge it has decided last, for each property: `{property: [id, …]}`. */
export const EDGE_SETTINGS_ANNOTATION = 'hawser.dev/edge-settings';

/** Ids of the settings that the hub has decided last, by property. What cannot be read counts as nothing. */
export function decidedSettings({ metadata }: ApiObject): ReadonlyMap<string, string> {
  const decided = new Map<string, string>();
  const text = fields(fields(metadata)['annotations'])[EDGE_SETTINGS_ANNOTATION];
  if (typeof text !== 'string') return decided;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return decided; // written by somebody else
  }
  for (const [property, entry] of Object.entries(fields(parsed))) {
    const [id] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (typeof id === 'string') decided.set(property, id);
  }
  return decided;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
