import type { DeviceView, TwinView } from '@hawser/edgecore/admin';
import { fields, table } from '../output/table.ts';
import { formatAge } from '../pods/age.ts';

/** Longer values are cut in tables; `-o json` has them whole. */
const MAX_SHOWN = 48;

/** Devices as a table, one a row. */
export function deviceTable(views: readonly DeviceView[], allNamespaces: boolean, nowMs: number): string {
  const header = [
    ...(allNamespaces ? ['NAMESPACE'] : []),
    ...['NAME', 'PROTOCOL', 'STATE', 'LAST ONLINE', 'PROPERTIES', 'PROBLEM'],
  ];
  const lines = views.map((view) => [
    ...(allNamespaces ? [view.namespace] : []),
    ...[view.name, view.protocol, view.state, ageOf(view.lastOnlineMs, nowMs), String(view.twins.length)],
    problemOf(view),
  ]);
  return table([header, ...lines]);
}

/** The first problem in a few words. */
function problemOf({ problems: [problem] }: DeviceView): string {
  return problem === undefined ? '' : `${problem.path} ${problem.message}`.trim();
}

/** A device with its twins. */
export function deviceText(view: DeviceView, nowMs: number): string {
  const head = fields([
    ['Device', `${view.namespace}/${view.name}`],
    ['Protocol', view.protocol],
    ['State', view.state],
    ['Last online', ageOf(view.lastOnlineMs, nowMs)],
  ]);
  const problems = view.problems.map(({ path, message, remedy }) => `! ${path}: ${message}\n  ${remedy}`);
  const twins = table([
    ['PROPERTY', 'VALUE', 'UNIT', 'AGE', 'DESIRED', 'SETTLED'],
    ...view.twins.map((twin) => twinRow(twin, nowMs)),
  ]);
  return [head, ...problems, '', twins].join('\n');
}

function twinRow(
  { property, reported, expected, unit, writable }: TwinView,
  nowMs: number,
): readonly string[] {
  return [
    property,
    reported === undefined ? '<none>' : shown(reported.value),
    unit ?? '',
    ageOf(reported?.atMs, nowMs),
    expected === undefined ? (writable ? '<none>' : '<read-only>') : shown(expected.value),
    settledOf(expected),
  ];
}

function settledOf(expected: TwinView['expected']): string {
  if (expected === undefined) return '';
  const { settled, from } = expected;
  const where = from === 'edge' ? ' (set here, not yet in the cloud)' : '';
  if (settled === undefined) return `waiting${where}`;
  return settled.ok ? `yes${where}` : `no: ${settled.message ?? 'the mapper does not say why'}`;
}

function shown(value: string): string {
  const line = value.replaceAll(/[\p{Cc}]/gu, ' ');
  return line.length <= MAX_SHOWN ? line : `${line.slice(0, MAX_SHOWN - 1)}…`;
}

function ageOf(atMs: number | undefined, nowMs: number): string {
  return atMs === undefined ? '<never>' : formatAge(new Date(atMs).toISOString(), nowMs);
}
