import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { E2eError } from '../errors.ts';
import { findExecutable } from './executable.ts';

/**
 * Runs a command of the system to its end, or until `signal` aborts.
 * @returns its stdout
 * @throws E2eError ERR_E2E_UNAVAILABLE when there is no such command; ERR_E2E_COMMAND_FAILED with its stderr
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  stdin = '',
  signal?: AbortSignal,
): Promise<string> {
  const file = findExecutable(command);
  if (file === undefined) throw new E2eError('ERR_E2E_UNAVAILABLE', `there is no command ${command} here`);
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal !== undefined && { signal }),
  });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  child.stdin.on('error', () => {}); // it ended before it read all: its exit code tells
  child.stdin.end(stdin);
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), code]);
  if (exitCode === 0) return stdout;
  const line = [command, ...args].join(' ');
  throw new E2eError('ERR_E2E_COMMAND_FAILED', `${line} failed (${exitCode}): ${stderr.trim()}`);
}
