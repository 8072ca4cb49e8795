import type { LogFunction, Logger } from '@hawser/seams';

/** A line of {@link LogLines}. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that keeps its lines. */
export class LogLines implements Logger {
  readonly lines: LogLine[];
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly error: LogFunction;
  readonly warn: LogFunction;
  readonly info: LogFunction;
  readonly debug: LogFunction;

  constructor(lines: LogLine[] = [], fields: Readonly<Record<string, unknown>> = {}) {
    this.lines = lines;
    this.#fields = fields;
    const log =
      (level: string): LogFunction =>
      (more, message) =>
        void this.lines.push({ level, message, fields: { ...this.#fields, ...more } });
    this.error = log('error');
    this.warn = log('warn');
    this.info = log('info');
    this.debug = log('debug');
  }

  child(fields: Readonly<Record<string, unknown>>): Logger {
    return new LogLines(this.lines, { ...this.#fields, ...fields });
  }

  /** Lines of the audit, of one kind. */
  audit(kind: string): readonly LogLine[] {
    return this.lines.filter(({ fields }) => fields['audit'] === kind);
  }
}
