import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** No command of a site takes longer, milliseconds. */
const TIMEOUT_MS = 60_000;
const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Where a command is, looking in PATH and in the administrator's folders; undefined if nowhere. */
export function findProgram(command: string): string | undefined {
  const dirs = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return dirs.map((dir) => path.join(dir, command)).find((file) => path.isAbsolute(file) && existsSync(file));
}

/**
 * Runs a command of the system to its end; its stdout.
 * @throws Error with the command line and its stderr, when it fails, is not there, or takes more than a minute
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { stdin = '', env } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      findProgram(command) ?? command,
      args,
      {
        timeout: TIMEOUT_MS,
        maxBuffer: MOST_OUTPUT_BYTES,
        ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else
          reject(
            new Error(`${[command, ...args].join(' ')} failed: ${stderr.trim() || error.message}`, {
              cause: error,
            }),
          );
      },
    );
    child.stdin?.on('error', () => {}); // it ended before it read all: its exit code tells
    child.stdin?.end(stdin);
  });
}
