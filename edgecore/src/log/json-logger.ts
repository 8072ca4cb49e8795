import { writeSync } from 'node:fs';
import type { LogFunction, Logger } from '@hawser/seams';

/** From the loudest to the finest; each includes those before it. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * `json`: one object a line, for machines. `text`: for people at a terminal. `journal`: as text, for systemd's journal,
 * which has the time and learns the level from the first characters.
 */
export const LOG_FORMATS = ['json', 'text', 'journal'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Settings of {@link jsonLogger}. */
export interface JsonLoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Takes one line with its end. Answers whether it was taken. Default: standard error. */
  readonly write?: (line: string) => boolean;
  /** Wall time, milliseconds. Default: the system clock. */
  readonly wallMs?: () => number;
}

/** Longest line, characters: a log collector's own limit is seldom above that. */
const MAX_LINE = 16_384;

/**
 * Writes log lines. The usual library for this costs 7 MB of memory in the running process, a tenth of what the whole
 * edge may have; this is the part of it that an edge needs. A line that standard error does not take at once (a
 * pipe whose reader sleeps) is dropped rather than waited for; the next line says how many were.
 */
export function jsonLogger(options: JsonLoggerOptions): Logger {
  const { write = writeToStandardError, wallMs = Date.now } = options;
  const format = FORMATS[options.format];
  const finest = LOG_LEVELS.indexOf(options.level);
  let lost = 0;

  const log =
    (level: LogLevel, bound: Readonly<Record<string, unknown>>): LogFunction =>
    (fields, message) => {
      const all = lost === 0 ? { ...bound, ...fields } : { ...bound, ...fields, linesLost: lost };
      if (write(format(level, new Date(wallMs()), all, message))) lost = 0;
      else lost += 1;
    };
  const make = (bound: Readonly<Record<string, unknown>>): Logger => {
    const at = (level: LogLevel): LogFunction =>
      LOG_LEVELS.indexOf(level) <= finest ? log(level, bound) : () => {};
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

function jsonLine(level: LogLevel, time: Date, fields: object, message: string): string {
  const line = stringify({ level, time: time.toISOString(), ...fields, msg: message });
  if (line.length < MAX_LINE) return `${line}\n`;
  const cut = { level, time: time.toISOString(), msg: message.slice(0, MAX_LINE / 2), cut: true };
  return `${stringify(cut)}\n`;
}

function textLine(level: LogLevel, time: Date, fields: object, message: string): string {
  const at = time.toISOString().slice(11, 23);
  return oneLine(`${at} ${level.toUpperCase().padEnd(5)} ${message}${pairs(fields)}`);
}

/** Source: sd-daemon(3); syslog's levels. */
const JOURNAL_LEVELS = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' } as const;

function journalLine(level: LogLevel, _time: Date, fields: object, message: string): string {
  return oneLine(`${JOURNAL_LEVELS[level]}${message}${pairs(fields)}`);
}

const FORMATS = { json: jsonLine, text: textLine, journal: journalLine } as const;

function pairs(fields: object): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : stringify(value)}`)
    .join('');
}

/** One entry is one line, whatever a message from elsewhere holds. */
function oneLine(line: string): string {
  return `${line.slice(0, MAX_LINE).replace(/[\r\n]+/g, ' ↵ ')}\n`;
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value, readable);
  } catch (error) {
    // A cycle: the line is still worth something without the object.
    return JSON.stringify({ unprintable: error instanceof Error ? error.message : String(error) });
  }
}

/** Errors have no enumerable properties: what tells them apart is named here. */
function readable(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { type: name, message, code: (value as { code?: unknown }).code, stack, cause };
}

const STANDARD_ERROR = 2;

function writeToStandardError(line: string): boolean {
  try {
    writeSync(STANDARD_ERROR, line);
    return true;
  } catch {
    // EAGAIN (its reader is slow) or EPIPE (it is gone): there is no other place to say so.
    return false;
  }
}
