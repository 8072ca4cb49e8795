import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import type { ExitCode } from '../exit-codes.ts';
import { table } from '../output/table.ts';
import { formatBytes } from '../output/times.ts';

/** Options of `hawser objects`. */
export interface ObjectsOptions extends EdgeOptions {
  /** `resource/namespace/name` shows one object, `resource` lists those of one; absent: all. */
  readonly key?: string;
}

/** Shows what of the cluster this node has on its disk; needs no cloud. */
export async function objects(
  context: CommandContext,
  { key, ...options }: ObjectsOptions,
): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const client = new AdminClient({ socket });
  if (key?.includes('/') === true) {
    const view = await client.object(key, context.signal);
    context.result(view, JSON.stringify(view.object, undefined, 2));
    return undefined;
  }
  const { items } = await client.objects(key, context.signal);
  const rows = items.map((item) => [
    item.key,
    item.resourceVersion,
    formatBytes(item.sizeBytes),
    item.hash.slice(0, 12),
    item.scope,
  ]);
  const header = ['KEY', 'VERSION', 'SIZE', 'HASH', 'SCOPE'];
  const nothing = key === undefined ? 'The node has no objects yet.' : `The node has no objects of ${key}.`;
  context.result({ items }, items.length === 0 ? nothing : table([header, ...rows]));
  return undefined;
}
