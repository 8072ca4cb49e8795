import type { PoolStatus } from '@hawser/edgecore/admin';
import type { Colours } from '../output/colours.ts';
import { fields, table } from '../output/table.ts';
import { formatBytes, formatCount, formatSpan, formatTime } from '../output/times.ts';
import type { Finding } from '../status/health.ts';
import { problemLines } from '../status/status-text.ts';

/** The pool on one screen: what is wrong comes first, with what to do about it. */
export function poolText(
  status: PoolStatus,
  found: readonly Finding[],
  colours: Colours,
  nowMs: number,
): string {
  const verdict =
    found.length === 0 ? colours.good('● well') : colours.bad(`● ${formatCount(found.length, 'problem')}`);
  const where = isSolo(status) ? `${status.node}, in no pool` : `${status.node} in pool ${status.pool}`;
  const head = `${colours.bold(where)}  ${verdict}  ${colours.dim(formatTime(nowMs))}`;
  const problems = found.flatMap((finding) => problemLines(finding, colours));
  return [
    head,
    ...(problems.length > 0 ? ['', ...problems] : []),
    '',
    fields([
      ['State', stateLine(status, nowMs)],
      ['Leader', isSolo(status) ? undefined : leaderLine(status)],
      ['Cloud', cloudLine(status)],
    ]),
    '',
    poolTable(status),
  ].join('\n');
}

/** Members and resources alone, in columns. */
export function poolTable(status: PoolStatus): string {
  const parts = [status.members.length > 0 ? memberTable(status) : undefined, resourceTable(status)];
  return parts.filter((part) => part !== undefined).join('\n\n');
}

/** A node without a pool, whose local API is used, is a pool of its own. */
function isSolo({ pool }: PoolStatus): boolean {
  return pool.startsWith('~');
}

function stateLine({ state, since, leader, node }: PoolStatus, nowMs: number): string {
  const role = leader === node ? ', leading' : '';
  return `${state}${role} for ${formatSpan(nowMs - Date.parse(since))} (since ${formatTime(since)})`;
}

function leaderLine({ leader, members, epoch, provisional }: PoolStatus): string {
  if (leader === '') return `none, epoch ${epoch}`;
  const endpoint = members.find(({ name }) => name === leader)?.endpoint ?? '';
  const at = endpoint === '' ? '' : ` at ${endpoint}`;
  return `${leader}${at}, epoch ${epoch}${provisional ? ', PROVISIONAL: chosen by the pool itself' : ''}`;
}

function cloudLine({ ageSeconds }: PoolStatus): string {
  return ageSeconds === undefined ? 'never heard' : `last heard ${formatSpan(ageSeconds * 1000)} ago`;
}

function memberTable({ members, leader, node }: PoolStatus): string {
  const header = ['MEMBER', 'ROLE', 'STATE', 'HEARD', 'MAY LEAD', 'VERSION', 'ENDPOINT'];
  const rows = members.map((member) => [
    member.name,
    [member.name === leader ? 'leader' : '', member.name === node ? 'this node' : '']
      .filter((role) => role !== '')
      .join(', '),
    member.state ?? '<unknown>',
    member.heardSeconds === undefined ? '' : formatSpan(member.heardSeconds * 1000),
    member.eligible ? 'yes' : 'no',
    member.version ?? '',
    member.endpoint === '' ? '<none>' : member.endpoint,
  ]);
  return table([header, ...rows]);
}

function resourceTable({ resources }: PoolStatus): string {
  if (resources.length === 0) return 'No resource is shared here yet.';
  const header = ['RESOURCE', 'VERSION', 'OBJECTS', 'SIZE', 'FROM', 'SYNC'];
  const rows = resources.map(({ name, version, objects, bytes, source, synced }) => [
    name,
    version === '' ? '<none>' : version,
    String(objects),
    formatBytes(bytes),
    source,
    synced ? 'in sync' : 'NOT in sync',
  ]);
  return table([header, ...rows]);
}
