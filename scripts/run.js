// Child processes for the scripts of this folder: output passes through, a failure ends the script.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

export const root = path.resolve(import.meta.dirname, '..');

/** Says what goes on, on stderr, so that stdout stays for results. */
export function say(text) {
  process.stderr.write(`\u2693 ${text}\n`);
}

/** Does some work, and says how long it took. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
export async function timed(what, work) {
  const startedMs = performance.now();
  const result = await work();
  say(`${what}: ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return result;
}

/**
 * Runs a command with its output passed through.
 * @param {object} options those of `spawn`, and passOn: signals to this process that are for the command
 * @returns {Promise<number>} its exit code (128 + n when a signal ended it)
 */
export function run(command, args, { passOn = [], ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const pass = (signal) => void child.kill(signal);
    for (const signal of passOn) process.on(signal, pass);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const each of passOn) process.off(each, pass);
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15));
    });
  });
}

/** Runs a command and ends this script if it fails. */
export async function mustRun(what, command, args, options = {}) {
  const code = await run(command, args, options);
  if (code === 0) return;
  say(`${what} failed (exit ${code}): ${command} ${args.join(' ')}`);
  process.exit(code);
}
