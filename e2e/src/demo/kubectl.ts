import path from 'node:path';
import { findExecutable } from '../processes/executable.ts';
import { runCommand } from '../processes/run-command.ts';
import type { Demo } from './demo.ts';
import { typed } from './words.ts';

/** Shows what kubectl says, where there is one. */
export async function kubectl(
  { kubeconfig, journal, signal }: Pick<Demo, 'kubeconfig' | 'journal' | 'signal'>,
  args: readonly string[],
): Promise<void> {
  if (findExecutable('kubectl') === undefined) return;
  journal.line(`kubectl ${typed(args)}`);
  // Its cache would stay behind in the home of whoever runs this.
  const own = [
    '--kubeconfig',
    kubeconfig,
    '--cache-dir',
    path.join(path.dirname(kubeconfig), 'kubectl-cache'),
  ];
  journal.output(await runCommand('kubectl', [...own, ...args], '', signal));
}
