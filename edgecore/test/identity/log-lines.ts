import type { LogFunction, Logger } from '@hawser/seams';

/** A logger that keeps its lines, as `level message`. */
export class LogLines implements Logger {
  readonly lines: string[] = [];
  readonly error = this.#log('error');
  readonly warn = this.#log('warn');
  readonly info = this.#log('info');
  readonly debug = this.#log('debug');

  child(): Logger {
    return this;
  }

  #log(level: string): LogFunction {
    return (_fields, message) => void this.lines.push(`${level} ${message}`);
  }
}
