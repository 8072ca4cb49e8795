import { AdminClient, type MapperRows, type MapperState } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { table } from '../output/table.ts';
import { formatCount } from '../output/times.ts';
import { formatAge } from '../pods/age.ts';

/** Lists the mappers of this node, and what is wrong with their definitions; needs no cloud. */
export async function mappers(context: CommandContext, options: EdgeOptions): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const rows = await new AdminClient({ socket }).mappers(context.signal);
  const problems = rows.problems.map(({ file, problems: found }) => `! ${file}: ${found.join('; ')}`);
  const none =
    'The node has no mappers. A definition each is looked for in /etc/hawser/mappers.d (docs/devices.md).';
  const shown = rows.items.length === 0 ? none : mapperTable(rows.items, Date.now());
  context.result(rows, [shown, ...busLine(rows.bus), ...problems].join('\n'));
  return problems.length > 0 ? EXIT.degraded : undefined;
}

function busLine(bus: MapperRows['bus']): readonly string[] {
  if (bus === undefined) return [];
  const away = bus.connected ? '' : '; the external broker is away';
  return [
    '',
    `Event bus: ${bus.url}, ${formatCount(bus.clients, 'client')}, ${bus.queued} messages wait${away}`,
  ];
}

function mapperTable(items: readonly MapperState[], nowMs: number): string {
  const header = ['NAME', 'PROTOCOLS', 'RUN BY', 'STATE', 'HEARTBEAT', 'RESTARTS', 'LAST END'];
  const lines = items.map((mapper) => [
    ...[mapper.name, mapper.protocols.join(','), mapper.mode === 'run' ? 'edgecore' : 'others'],
    ...[
      mapper.state ?? '',
      heartbeatOf(mapper, nowMs),
      mapper.restarts === undefined ? '' : String(mapper.restarts),
    ],
    mapper.lastEnd ?? '',
  ]);
  return table([header, ...lines]);
}

function heartbeatOf({ protocols, lastHeartbeatMs }: MapperState, nowMs: number): string {
  if (lastHeartbeatMs !== undefined) return formatAge(new Date(lastHeartbeatMs).toISOString(), nowMs);
  return protocols.length === 0 ? '' : '<never>';
}
