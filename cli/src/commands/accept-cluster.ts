import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { confirm } from '../output/confirm.ts';
import { fields } from '../output/table.ts';

/** Options of `hawser accept-cluster`. */
export interface AcceptClusterOptions extends EdgeOptions {
  /** With either of these the word is for all nodes, and is said in the cloud. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly yes?: boolean;
}

/** Lets this node obey the cluster that its hub speaks for now, in place of the one that it had accepted. */
export async function acceptCluster(
  context: CommandContext,
  options: AcceptClusterOptions,
): Promise<ExitCode | undefined> {
  if (options.kubeconfig !== undefined || options.context !== undefined) {
    const { acceptInCloud } = await import('./accept-cluster-cloud.ts');
    return await acceptInCloud(context, options);
  }
  const { socket } = await findEdge(options);
  const client = new AdminClient({ socket });
  const { cluster, scopes } = await client.status(context.signal);
  const { accepted, held } = cluster;
  if (held === undefined) {
    const text = 'No other cluster waits to be accepted. Nothing was changed.';
    context.result({ changed: false, ...(accepted !== undefined && { accepted }) }, text);
    return undefined;
  }
  const objects = scopes.reduce((sum, scope) => sum + scope.objects, 0);
  context.progress(
    `${fields([
      [
        'Accepted now',
        accepted === undefined ? 'none' : `${accepted.clusterUid}, incarnation ${accepted.incarnation}`,
      ],
      ['To accept', `${held.clusterUid}, incarnation ${held.incarnation}`],
      ['Held because', held.why === '' ? undefined : held.why],
      ['This node has', `${objects} objects; those that are not in the other one go, and their pods stop`],
    ])}\n`,
  );
  await confirm(context, 'Accept it?', options.yes === true);
  const answer = await client.acceptCluster(context.signal);
  const taken = answer.accepted;
  if (taken?.clusterUid !== held.clusterUid || taken.incarnation !== held.incarnation) {
    const message =
      taken === undefined
        ? 'the cluster was not held any more when it was to be accepted'
        : `another cluster than the one shown was accepted meanwhile: ${taken.clusterUid}, incarnation ${taken.incarnation}`;
    throw new CliError('ERR_CLI_NOT_FOUND', message, { remedy: 'Look at `hawser status`.' });
  }
  context.result(
    { changed: true, accepted: taken },
    'Accepted. The node takes over the state of that cluster now.',
  );
  return undefined;
}
