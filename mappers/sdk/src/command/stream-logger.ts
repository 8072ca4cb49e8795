import { writeSync } from 'node:fs';
import type { LogFunction, Logger } from '@hawser/seams';

/** From the loudest to the finest; each includes those before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Longest line, characters: what the edge core takes of one. */
const MAX_LINE = 4_000;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/**
 * Writes one JSON object a line: info and debug to standard output, warn and error to standard error, which is how the edge
 * core tells them apart. A line that is not taken at once (a pipe whose reader sleeps) is dropped, not waited for.
 */
export function streamLogger(level: LogLevel): Logger {
  const finest = LOG_LEVELS.indexOf(level);
  const make = (bound: Readonly<Record<string, unknown>>): Logger => {
    const at = (which: LogLevel): LogFunction =>
      LOG_LEVELS.indexOf(which) <= finest
        ? (fields, message) => write(which, { ...bound, ...fields }, message)
        : () => {};
    return {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return make({});
}

function write(level: LogLevel, fields: object, msg: string): void {
  const base = { level, time: new Date().toISOString() };
  let line = JSON.stringify({ ...base, ...fields, msg }, readable);
  if (line.length > MAX_LINE) line = JSON.stringify({ ...base, msg: msg.slice(0, MAX_LINE / 2), cut: true });
  try {
    writeSync(level === 'error' || level === 'warn' ? STANDARD_ERROR : STANDARD_OUTPUT, `${line}\n`);
  } catch {
    // EAGAIN (its reader is slow) or EPIPE (it is gone): there is no other place to say so.
  }
}

/** Errors have no enumerable properties: what tells them apart is named here. */
function readable(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  return {
    type: value.name,
    message: value.message,
    code: (value as { code?: unknown }).code,
    stack: value.stack,
  };
}
