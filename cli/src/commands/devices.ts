import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { deviceTable } from '../devices/device-text.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatCount } from '../output/times.ts';

/** Options of `hawser devices`. */
export interface DevicesOptions extends EdgeOptions {
  readonly namespace: string;
  readonly allNamespaces?: boolean;
}

/** Lists the devices of this node, as its edgecore knows them; needs no cloud. */
export async function devices(
  context: CommandContext,
  options: DevicesOptions,
): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const { items: all } = await new AdminClient({ socket }).devices(context.signal);
  const { namespace, allNamespaces = false } = options;
  const items = all
    .filter((view) => allNamespaces || view.namespace === namespace)
    .toSorted((a, b) => `${a.namespace}/${a.name}`.localeCompare(`${b.namespace}/${b.name}`, 'en'));
  const nothing =
    all.length === 0
      ? 'The node has no devices.'
      : `The node has no devices in namespace ${namespace}; with -A: ${formatCount(all.length, 'device')}.`;
  context.result({ items }, items.length === 0 ? nothing : deviceTable(items, allNamespaces, Date.now()));
  return undefined;
}
