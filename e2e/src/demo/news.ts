import type { DemoState, DeviceLine, EdgeRow, PodLine } from './state.ts';

/** What has happened between two looks, a line each. */
export function newsBetween(before: DemoState, after: DemoState): readonly string[] {
  return [
    ...changes(before.edges, after.edges, ({ name }) => name, ofEdge),
    ...changes(before.pods, after.pods, ({ name }) => name, ofPod),
    ...changes(before.devices, after.devices, ({ device, property }) => `${device}/${property}`, ofDevice),
    ...ofPool(before, after),
  ];
}

/** `say` gets an item as it was and as it is; undefined: it was not, or is not, there. */
function changes<T>(
  before: readonly T[],
  after: readonly T[],
  key: (item: T) => string,
  say: (old: T | undefined, now: T | undefined) => readonly string[],
): readonly string[] {
  const old = new Map(before.map((item) => [key(item), item]));
  const now = new Set(after.map(key));
  return [
    ...after.flatMap((item) => say(old.get(key(item)), item)),
    ...before.filter((item) => !now.has(key(item))).flatMap((item) => say(item, undefined)),
  ];
}

function ofEdge(old: EdgeRow | undefined, now: EdgeRow | undefined): readonly string[] {
  if (now === undefined) return [];
  const { name, ready, session, why, transport } = now;
  const lines: string[] = [];
  if (session !== (old?.session ?? 'stopped')) {
    const how = session === 'up' ? ` by ${transport ?? '?'}` : why === undefined ? '' : ` (${why})`;
    lines.push(`${name}: tunnel ${session}${how}`);
  }
  if (ready !== old?.ready)
    lines.push(`${name}: Node ${ready === undefined ? 'gone' : ready ? 'Ready' : 'NotReady'}`);
  return lines;
}

function ofPod(old: PodLine | undefined, now: PodLine | undefined): readonly string[] {
  if (now === undefined) return old === undefined ? [] : [`${old.name}: gone`];
  const lines: string[] = [];
  if (now.status !== old?.status) lines.push(`${now.name}: ${now.status}`);
  if (old !== undefined && now.restarts > old.restarts)
    lines.push(`${now.name}: restarted, ${now.restarts} so far`);
  return lines;
}

/** Settings, and whether it is there; values that are measured are in the table. */
function ofDevice(old: DeviceLine | undefined, now: DeviceLine | undefined): readonly string[] {
  if (now?.desired === undefined) return [];
  const { device, property, desired, reported, state } = now;
  const lines: string[] = [];
  if (state !== (old?.state ?? 'unknown')) lines.push(`${device}: ${state}`);
  if (desired !== old?.desired) lines.push(`${device}: ${property} is to be ${desired}`);
  if (reported !== undefined && reported !== old?.reported)
    lines.push(`${device}: ${property} is ${reported}`);
  return lines;
}

function ofPool({ pool: old }: DemoState, { pool: now }: DemoState): readonly string[] {
  if (now === undefined || (now.leader === old?.leader && now.epoch === old.epoch)) return [];
  return [`pool ${now.name}: ${now.leader === '' ? 'no leader' : `${now.leader} leads`}, epoch ${now.epoch}`];
}
