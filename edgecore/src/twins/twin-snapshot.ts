import { packJson, unpackJson } from '@hawser/sync';
import type { Reported } from './property-twin.ts';

/** What a restart would lose of a twin that the cloud has not taken. */
export interface TwinSnapshot {
  /** Of the device. */
  readonly uid: string;
  /** What was reported, by property. */
  readonly values: Readonly<Record<string, Reported>>;
  /** Wall clock, milliseconds. */
  readonly lastOnlineMs?: number;
}

/** A snapshot as it is kept. */
export interface PackedSnapshot {
  readonly bytes: Uint8Array;
  /** Values that had no place in it. */
  readonly leftOut: number;
}

/** As JSON: UID, lowest time, time of the last answer (0: none), then name, value and time behind the lowest. */
type Row = readonly [string, string, number];
type Kept = readonly [string, number, number, readonly Row[]];

/**
 * Packs a snapshot. Where it would be too large the longest values are left out: the mapper reads them again.
 * @param limitBytes of the packed form
 */
export function packSnapshot(
  { uid, values, lastOnlineMs = 0 }: TwinSnapshot,
  limitBytes: number,
): PackedSnapshot {
  const all = Object.entries(values);
  const firstMs = all.reduce((first, [, { atMs }]) => Math.min(first, atMs), Infinity);
  let rows: readonly Row[] = all.map(([name, { value, atMs }]) => [name, value, atMs - firstMs]);
  for (;;) {
    const kept: Kept = [uid, rows.length === 0 ? 0 : firstMs, lastOnlineMs, rows];
    const bytes = packJson(kept);
    if (bytes.length <= limitBytes || rows.length === 0) return { bytes, leftOut: all.length - rows.length };
    const half = Math.floor(rows.length / 2);
    rows = [...rows].sort(([, one], [, other]) => one.length - other.length).slice(0, half);
  }
}

/** Reads what {@link packSnapshot} made. undefined: it is not that. */
export function unpackSnapshot(bytes: Uint8Array): TwinSnapshot | undefined {
  let kept: unknown;
  try {
    kept = unpackJson(bytes);
  } catch {
    return undefined; // damaged, or of another release
  }
  if (!Array.isArray(kept)) return undefined;
  const [uid, firstMs, lastOnlineMs, rows] = kept as readonly unknown[];
  if (typeof uid !== 'string' || !isTime(firstMs) || !isTime(lastOnlineMs) || !Array.isArray(rows))
    return undefined;
  const values: Record<string, Reported> = {};
  for (const row of rows as readonly unknown[]) {
    if (!Array.isArray(row)) return undefined;
    const [name, value, behindMs] = row as readonly unknown[];
    if (typeof name !== 'string' || typeof value !== 'string' || !isTime(behindMs)) return undefined;
    values[name] = { value, atMs: firstMs + behindMs };
  }
  return { uid, values, ...(lastOnlineMs > 0 && { lastOnlineMs }) };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
