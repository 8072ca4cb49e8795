import type { LogFunction, Logger } from '@hawser/seams';

/** What a level is called in a line. */
type Level = 'error' | 'warn' | 'info' | 'debug';

/**
 * Log lines for somebody at a terminal: what the parts of a command say while it works. Warnings and errors always,
 * the rest with `--verbose`.
 */
export function stderrLogger(
  write: (line: string) => void,
  verbose: boolean,
  bound: Readonly<Record<string, unknown>> = {},
): Logger {
  const at = (level: Level): LogFunction => {
    if (!verbose && (level === 'info' || level === 'debug')) return () => {};
    return (fields, message) => write(line(level, { ...bound, ...fields }, message, verbose));
  };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    child: (fields) => stderrLogger(write, verbose, { ...bound, ...fields }),
  };
}

function line(
  level: Level,
  { err, ...fields }: Readonly<Record<string, unknown>>,
  message: string,
  verbose: boolean,
): string {
  const why = err instanceof Error ? `: ${err.message}` : '';
  const rest = verbose && Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `${level}: ${message}${why}${rest}\n`;
}
