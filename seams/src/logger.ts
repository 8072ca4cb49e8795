/** Writes one line: `fields` are for machines, `message` is for people. Never put a secret in either. */
export type LogFunction = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/**
 * Where log lines go: the part of a pino logger that we use. Levels by audience: error = an operator must act;
 * warn = degraded and healing; info = lifecycle; debug = a developer.
 */
export interface Logger {
  readonly error: LogFunction;
  readonly warn: LogFunction;
  readonly info: LogFunction;
  readonly debug: LogFunction;
  /** A logger that adds `fields` to each line. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** Says nothing. */
export const silentLogger: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLogger,
};
