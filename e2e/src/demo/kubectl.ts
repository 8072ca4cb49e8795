import { findExecutable } from '../processes/executable.ts';
import { runCommand } from '../processes/run-command.ts';
import type { Demo } from './demo.ts';

/** Shows what kubectl says, where there is one. */
export async function kubectl(
  { kubeconfig, journal, signal }: Pick<Demo, 'kubeconfig' | 'journal' | 'signal'>,
  args: readonly string[],
): Promise<void> {
  if (findExecutable('kubectl') === undefined) return;
  journal.line(`kubectl ${args.join(' ')}`);
  journal.output(await runCommand('kubectl', ['--kubeconfig', kubeconfig, ...args], '', signal));
}
