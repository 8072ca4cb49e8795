import type { EdgeStatus, ScopeStatus } from '@hawser/edgecore/admin';
import type { Colours } from '../output/colours.ts';
import { fields } from '../output/table.ts';
import { formatBytes, formatCount, formatRelative, formatSpan, formatTime } from '../output/times.ts';
import type { Finding } from './health.ts';

/** Widest line of the screen, characters. */
const WIDTH = 100;

/** The status of a node on one screen: what is wrong comes first, with what to do about it. */
export function statusText(
  status: EdgeStatus,
  found: readonly Finding[],
  colours: Colours,
  nowMs: number,
): string {
  const { node, cluster, process: edge, store, outbox, tokens } = status;
  const verdict =
    found.length === 0 ? colours.good('● healthy') : colours.bad(`● ${formatCount(found.length, 'problem')}`);
  const head = `${colours.bold(node.name)}  ${verdict}  ${colours.dim(formatTime(nowMs))}`;
  const details = fields([
    ['Cloud', sessionLine(status, nowMs)],
    ['Cluster', clusterLine(cluster)],
    [
      'Node',
      `${node.ready ? 'Ready' : 'NotReady'}${node.addresses.length > 0 ? `, ${node.addresses.join(', ')}` : ''}`,
    ],
    ['Pods', podsLine(node)],
    ...status.scopes.map((scope) => ['Sync', scopeLine(scope, status)] as const),
    ['Outbox', outboxLine(outbox)],
    [
      'Store',
      `${store.healthy ? 'healthy' : 'NOT HEALTHY'}, ${formatBytes(store.sizeBytes)} in ${store.dir}`,
    ],
    ['Certificate', certificateLine(status, nowMs)],
    ['Tokens', tokens.kept + tokens.missing + tokens.expired > 0 ? tokensLine(tokens) : undefined],
    [
      'edgecore',
      `pid ${edge.pid}, up ${formatSpan(edge.uptimeMs)}, ${formatBytes(edge.rssBytes)}, ${edge.software}, node ${edge.node}`,
    ],
  ]);
  const problems = found.flatMap((finding) => problemLines(finding, colours));
  return [head, ...(problems.length > 0 ? ['', ...problems] : []), '', details].join('\n');
}

/** A finding, wrapped: what, then what to do. */
export function problemLines({ what, remedy, code }: Finding, colours: Colours): string[] {
  const [first = '', ...rest] = wrap(`${what}${code === undefined ? '' : ` (${code})`}`, WIDTH - 4);
  return [
    `${colours.bad('✗')} ${first}`,
    ...rest.map((line) => `  ${line}`),
    ...(remedy === undefined ? [] : wrap(`→ ${remedy}`, WIDTH - 6).map((line) => `    ${line}`)),
  ];
}

/** Lines of at most `width` characters, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

function sessionLine({ session, process: edge }: EdgeStatus, nowMs: number): string {
  const since = formatTime(session.since);
  // Not longer than the process runs: a clock that was set meanwhile tells of years.
  const span = formatSpan(Math.min(nowMs - Date.parse(session.since), edge.uptimeMs));
  const { current, attempts } = session;
  switch (session.state) {
    case 'up': {
      const via = current === undefined ? '' : ` to ${current.hub} by ${current.transport}`;
      const trip = current?.roundTripMs === undefined ? '' : `, ${current.roundTripMs.toFixed(1)} ms away`;
      return `connected${via} for ${span} (since ${since})${trip}`;
    }
    case 'off':
      return 'no hub is configured: the node works alone';
    case 'held':
      return `held back for ${span} (since ${since}): the hub speaks for a cluster that is not accepted`;
    case 'connecting':
    case 'waiting': {
      const tried = attempts === 0 ? '' : `, ${formatCount(attempts, 'attempt')}`;
      return `NOT connected for ${span} (since ${since})${tried}; pods go on`;
    }
  }
}

function clusterLine({ accepted, held }: EdgeStatus['cluster']): string {
  const name = (cluster: { clusterUid: string; incarnation: string }): string =>
    `${cluster.clusterUid}, incarnation ${cluster.incarnation}`;
  const known = accepted === undefined ? 'none accepted yet' : name(accepted);
  return held === undefined ? known : `${known}\n${' '.repeat(14)}HELD: ${name(held)}`;
}

function podsLine({ pods, runtime }: EdgeStatus['node']): string {
  const total = Object.values(pods).reduce((sum, count) => sum + count, 0);
  const states = Object.entries(pods).filter(([, count]) => count > 0);
  const detail = states.map(([state, count]) => `${count} ${state}`).join(', ');
  return `${total}${detail === '' ? '' : ` (${detail})`}, runtime ${runtime}`;
}

function scopeLine({ scope, objects, bytes, synced, held }: ScopeStatus, { session }: EdgeStatus): string {
  const has = `${formatCount(objects, 'object')}, ${formatBytes(bytes)}`;
  if (held > 0)
    return `${scope}: ${formatCount(held, 'removal')} HELD until the hub has looked again; ${has}`;
  if (session.state !== 'up') return `${scope}: as of the last session; ${has}`;
  return `${scope}: ${synced ? 'in sync' : 'catching up'}; ${has}`;
}

function outboxLine({ waiting, diskError }: EdgeStatus['outbox']): string {
  const text =
    waiting === 0
      ? 'empty: the cloud has everything'
      : `${formatCount(waiting, 'report')} for the cloud to take`;
  return diskError === undefined ? text : `${text}; NOT on disk`;
}

function certificateLine({ certificate }: EdgeStatus, nowMs: number): string | undefined {
  if (certificate === undefined) return undefined;
  const { expires, renewal } = certificate;
  const renews = renewal === undefined ? '' : `, renewed ${formatRelative(renewal, nowMs)}`;
  return `ends ${formatTime(expires)} (${formatRelative(expires, nowMs)})${renews}`;
}

function tokensLine({ kept, missing, expired }: EdgeStatus['tokens']): string {
  return [
    `${kept} kept`,
    ...(missing > 0 ? [`${missing} missing`] : []),
    ...(expired > 0 ? [`${expired} EXPIRED`] : []),
  ].join(', ');
}
