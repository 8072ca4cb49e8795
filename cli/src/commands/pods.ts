import { AdminClient, type PodRow } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import type { ExitCode } from '../exit-codes.ts';
import { table } from '../output/table.ts';
import { formatCount } from '../output/times.ts';
import { formatAge } from '../pods/age.ts';

/** Options of `hawser pods`. */
export interface PodsOptions extends EdgeOptions {
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  /** With address and images. */
  readonly wide?: boolean;
}

/** Lists the pods that this node is to run, as its edgecore knows them; needs no cloud. */
export async function pods(context: CommandContext, options: PodsOptions): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const { items: all } = await new AdminClient({ socket }).pods(context.signal);
  const { namespace, allNamespaces = false } = options;
  const items = (allNamespaces ? all : all.filter((row) => row.namespace === namespace)).toSorted(
    (a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name),
  );
  context.result(
    { items },
    items.length === 0 ? nothing(all, options) : podTable(items, options, Date.now()),
  );
  return undefined;
}

function podTable(
  rows: readonly PodRow[],
  { allNamespaces = false, wide = false }: PodsOptions,
  nowMs: number,
): string {
  const header = [
    ...(allNamespaces ? ['NAMESPACE'] : []),
    ...['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
    ...(wide ? ['IP', 'IMAGES'] : []),
  ];
  const lines = rows.map((row) => [
    ...(allNamespaces ? [row.namespace] : []),
    ...[row.name, `${row.ready}/${row.containers}`, row.state, String(row.restarts)],
    formatAge(row.createdAt ?? row.startedAt, nowMs),
    ...(wide ? [row.ip ?? '<none>', row.images.join(',')] : []),
  ]);
  return table([header, ...lines]);
}

function nothing(all: readonly PodRow[], { namespace, allNamespaces = false }: PodsOptions): string {
  if (allNamespaces || all.length === 0) return 'The node has no pods.';
  const others = formatCount(all.length, 'pod');
  return `The node has no pods in namespace ${namespace}; with -A there ${all.length === 1 ? 'is' : 'are'} ${others}.`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
