import type { ClusterSite } from '../cluster-site/cluster-site.ts';
import { findExecutable } from '../processes/executable.ts';
import { runCommand } from '../processes/run-command.ts';
import type { Display } from './display.ts';

/** Shows what kubectl says, where there is one. */
export async function kubectl(
  { site, display }: { readonly site: ClusterSite; readonly display: Display },
  args: readonly string[],
): Promise<void> {
  if (findExecutable('kubectl') === undefined) return;
  display.line(`kubectl ${args.join(' ')}`);
  display.output(await runCommand('kubectl', ['--kubeconfig', site.kubeconfig, ...args]));
}
