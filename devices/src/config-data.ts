import { CONFIG_BYTES_MAX, JSON_DEPTH_MAX } from './limits.ts';
import type { ConfigData } from './objects.ts';
import type { ProblemList } from './problem-list.ts';

/** Whether JSON is nested at most so deep. Does not recurse deeper than that. */
export function isNestedAtMost(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isNestedAtMost(inner, depth - 1));
}

/** `configData` of a protocol or a visitor; `{}` where nothing was said, or something that cannot be used. */
export function readConfigData(list: ProblemList, value: unknown, path: string): ConfigData {
  const config = list.object(value, path);
  if (config === undefined) return {};
  if (!isNestedAtMost(config, JSON_DEPTH_MAX)) {
    list.add(path, `must be nested at most ${String(JSON_DEPTH_MAX)} deep`, 'Make it flatter.');
    return {};
  }
  const bytes = Buffer.byteLength(JSON.stringify(config));
  if (bytes <= CONFIG_BYTES_MAX) return config;
  const message = `must be at most ${String(CONFIG_BYTES_MAX)} bytes, is ${String(bytes)}`;
  list.add(path, message, 'Take out what the mapper does not need.');
  return {};
}
