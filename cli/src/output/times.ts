import { CliError } from '../errors.ts';

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(?:\d+[smhd])+$/;

/**
 * Reads `90s`, `30m`, `24h`, `7d`, `1h30m`.
 * @param option the option that it was given for, for the message
 * @returns milliseconds
 * @throws CliError `ERR_CLI_USAGE`
 */
export function parseDuration(text: string, option: string): number {
  if (!DURATION.test(text)) {
    const message = `${option} ${JSON.stringify(text)} is no duration: write it as 30m, 24h or 7d`;
    throw new CliError('ERR_CLI_USAGE', message, { about: option });
  }
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhd])/g)) {
    totalMs += Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]; // the pattern has no other units
  }
  return totalMs;
}

/** A span of time for people: `5 s`, `12 min`, `3 h 20 min`, `41 days`. @param ms negative ones are as 0 */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60)
    return minutes < 5 && seconds % 60 > 0 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** `2026-11-22 03:10:05 UTC`; `-` for what is no time. @param time RFC 3339, or milliseconds since the epoch */
export function formatTime(time: string | number | undefined): string {
  const date = new Date(time ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return '-';
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `in 41 days`, `3 h ago`. @param time RFC 3339 */
export function formatRelative(time: string, nowMs: number): string {
  const awayMs = Date.parse(time) - nowMs;
  if (Number.isNaN(awayMs)) return '-';
  return awayMs >= 0 ? `in ${formatSpan(awayMs)}` : `${formatSpan(-awayMs)} ago`;
}

/** `1 object`, `3 objects`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `512 B`, `3.4 KiB`, `12 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
