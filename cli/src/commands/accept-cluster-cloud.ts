import { acceptCluster, HAWSER_NAMESPACE, OBJECTS, readClusterRecord } from '@hawser/cloudcore/admin';
import { ResourceClient, RESOURCES } from '@hawser/kube';
import { unlessMissing } from '../cloud/apply.ts';
import { withCluster, type KubeOptions } from '../cloud/kube-access.ts';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { confirm } from '../output/confirm.ts';
import { fields } from '../output/table.ts';
import { formatTime } from '../output/times.ts';

/** Options of `hawser accept-cluster --kubeconfig`. */
export interface AcceptInCloudOptions extends KubeOptions {
  readonly yes?: boolean;
}

/** Accepts the present incarnation of the cluster for all its nodes, after the API server went back to an older state. */
export async function acceptInCloud(
  context: CommandContext,
  { yes = false, ...options }: AcceptInCloudOptions,
): Promise<ExitCode | undefined> {
  await withCluster(context, options, async (client) => {
    const { signal } = context;
    const where = `${HAWSER_NAMESPACE}/${OBJECTS.cluster}`;
    const get = new ResourceClient(client, RESOURCES.configmaps).get(HAWSER_NAMESPACE, OBJECTS.cluster, {
      signal,
    });
    const configMap = await unlessMissing(get);
    const record = readClusterRecord(configMap);
    if (record === undefined) {
      throw new CliError('ERR_CLI_NOT_INITIALISED', `ConfigMap ${where} says no incarnation`);
    }
    const { incarnation, previous, accepted } = record;
    if (accepted || previous.length === 0) {
      const why = accepted ? 'was accepted before' : 'is the first one of this cluster';
      const text = `The incarnation ${incarnation} ${why}: no node waits for it. Nothing was changed.`;
      context.result({ incarnation, changed: false }, text);
      return;
    }
    const { reason, since } = (configMap?.['data'] ?? {}) as Readonly<Record<string, string | undefined>>;
    const facts = fields([
      ['Incarnation', incarnation],
      ['Since', since === undefined ? undefined : formatTime(since)],
      ['Because', reason],
      ['Before', previous[0]],
    ]);
    context.progress(`${facts}\n`);
    const question =
      'All nodes that hold what they have will take over the state that this API server has now; what is not in it goes from them. Accept it?';
    await confirm(context, question, yes);
    const written = await acceptCluster({ client });
    if (written.incarnation !== incarnation) {
      const message = `the incarnation changed meanwhile: ${written.incarnation} was accepted, not ${incarnation}`;
      throw new CliError('ERR_CLI_API_SERVER', message, {
        remedy: 'Look why the API server went back again.',
      });
    }
    const text = `Accepted for all nodes. Each goes on by itself when it next hears from a hub.`;
    context.result({ incarnation, previous, changed: true }, text);
  });
  return undefined;
}
