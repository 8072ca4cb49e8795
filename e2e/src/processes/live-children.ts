import type { ChildProcess } from 'node:child_process';
import { findExecutable } from './executable.ts';

const live = new Set<ChildProcess>();
let hooked = false;

/**
 * Sees to it that a child does not outlive this process when it exits, by whatever path runs exit handlers. (The
 * ways that run none are covered by {@link dieWithParent}.)
 */
export function killOnExit(child: ChildProcess): void {
  live.add(child);
  child.once('exit', () => live.delete(child));
  if (hooked) return;
  hooked = true;
  process.once('exit', () => {
    for (const each of live) each.kill('SIGKILL');
  });
}

/**
 * The command line that makes the kernel kill a child with its parent, even when the parent was killed itself and
 * the child is frozen (PR_SET_PDEATHSIG, by util-linux's setpriv). Where there is no setpriv the line is the same
 * as before, and a child still ends when it notices that its IPC channel is closed.
 */
export function dieWithParent(command: readonly string[]): string[] {
  const setpriv = findExecutable('setpriv');
  return setpriv === undefined ? [...command] : [setpriv, '--pdeathsig', 'KILL', ...command];
}
