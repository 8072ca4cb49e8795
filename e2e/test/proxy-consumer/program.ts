import { spawn } from 'node:child_process';

/** A program that runs until it is stopped. */
export interface Program {
  /** The end of what it has written to standard error. */
  readonly errors: () => string;
  /** Ends it (SIGTERM), and waits until it is gone; killed after 5 s. */
  readonly stop: () => Promise<void>;
}

const GRACE_MS = 5000;

/** Starts a program that knows nothing of tests. */
export function startProgram(command: string, args: readonly string[]): Program {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = `${errors}${chunk.toString()}`.slice(-4000)));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      errors += error.message;
      resolve();
    });
  });
  return {
    errors: () => errors,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
