import type { DemoState, DeviceLine, EdgeRow, PodLine, PoolLine, StepState } from './state.ts';
import { cell, table, type Column } from './table.ts';

/** A line of the view. */
export interface ViewLine {
  readonly text: string;
  readonly tone: 'plain' | 'strong' | 'faint' | 'good' | 'bad';
}

/** The size of a terminal, in characters. */
export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
}

const MARKS = { open: ' ', now: '▸', done: '✔', 'left-out': '–' } as const;
/** Lines of the log, whatever else there is. */
const LEAST_LOG = 4;

/**
 * The whole view: as many lines as there are rows, none longer than the columns. What does not fit is counted and left
 * out, so that something of everything is there.
 */
export function renderView(state: DemoState, { columns, rows }: ViewSize): readonly ViewLine[] {
  const head = [title(state), plain(stepsText(state.steps, columns))];
  const rest = rows - head.length - state.hints.length - LEAST_LOG;
  const tail = [...deviceLines(state.devices), poolLine(state.pool)];
  const forTables = rest - tail.length;
  const edges = limited(edgeLines(state.edges), Math.max(2, Math.ceil(forTables / 2)));
  const pods = limited(podLines(state.pods), Math.max(2, forTables - edges.length));
  const body = [...head, ...edges, ...pods, ...tail];
  const hints = state.hints.map((text): ViewLine => ({ text: `  ${text}`, tone: 'good' }));
  const room = Math.max(0, rows - body.length - hints.length - 1);
  const log = [header('EVENTS'), ...state.log.slice(-room || state.log.length).map((line) => plain(line))];
  const lines = [...body, ...hints, ...log].slice(0, rows).map((line) => cut(line, columns));
  return [...lines, ...Array.from({ length: rows - lines.length }, () => plain(''))];
}

function title({ elapsedMs, steps }: DemoState): ViewLine {
  const now = steps.find(({ state }) => state === 'now');
  const isOver = steps.length > 0 && steps.every(({ state }) => state === 'done' || state === 'left-out');
  const doing = isOver ? 'running' : (now?.name ?? 'starting');
  return { text: `Hawser   ${clock(elapsedMs)}   ${doing}   Ctrl-C ends it`, tone: 'strong' };
}

function stepsText(steps: readonly StepState[], columns: number): string {
  const names = steps.map(({ name, state }) => `${MARKS[state]}${name}`);
  const whole = names.join(' ');
  if (whole.length <= columns) return whole;
  // The part that is under way stays in sight.
  const now = steps.findIndex(({ state }) => state === 'now' || state === 'open');
  const done = `✔${Math.max(0, now)} of ${steps.length}`;
  return [done, ...(now < 0 ? [] : names.slice(now))].join(' ');
}

const EDGE_COLUMNS: readonly Column<EdgeRow>[] = [
  { title: 'EDGE', of: ({ name }) => name },
  { title: 'NODE', of: ({ ready }) => (ready === undefined ? '-' : ready ? 'Ready' : 'NotReady') },
  { title: 'TUNNEL', of: ({ session }) => session },
  { title: 'BY', of: ({ transport = '-' }) => transport },
  { title: 'RTT ms', right: true, of: ({ roundTripMs }) => roundTripMs?.toFixed(1) ?? '-' },
  { title: 'UP/s', right: true, of: ({ upPerSecond }) => bytes(upPerSecond) },
  { title: 'DOWN/s', right: true, of: ({ downPerSecond }) => bytes(downPerSecond) },
  { title: 'UP', right: true, of: ({ up }) => bytes(up) },
  { title: 'DOWN', right: true, of: ({ down }) => bytes(down) },
  { title: 'POOL', of: ({ pool = '-' }) => pool },
];

function edgeLines(edges: readonly EdgeRow[]): ViewLine[] {
  const [head = '', ...lines] = table(EDGE_COLUMNS, edges);
  const isWell = (edge: EdgeRow | undefined): boolean => edge?.ready === true && edge.session === 'up';
  return [header(head), ...lines.map((text, index) => toned(text, isWell(edges[index])))];
}

const POD_COLUMNS: readonly Column<PodLine>[] = [
  { title: 'POD', of: ({ name }) => name },
  { title: 'NODE', of: ({ node }) => (node === '' ? '-' : node) },
  { title: 'STATUS', of: ({ status }) => status },
  { title: 'RESTARTS', right: true, of: ({ restarts }) => `${restarts}` },
  { title: 'IP', of: ({ ip }) => (ip === '' ? '-' : ip) },
];

function podLines(pods: readonly PodLine[]): ViewLine[] {
  const [head = '', ...lines] = table(POD_COLUMNS, pods);
  return [header(head), ...lines.map((text, index) => toned(text, pods[index]?.ready === true))];
}

const DEVICE_COLUMNS: readonly Column<DeviceLine>[] = [
  { title: 'DEVICE', of: ({ device }) => device },
  { title: 'AT', of: ({ node }) => node },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'PROPERTY', of: ({ property }) => property },
  { title: 'DESIRED', right: true, of: ({ desired = '-' }) => desired },
  { title: 'REPORTED', right: true, of: ({ reported = '-' }) => reported },
];

function deviceLines(devices: readonly DeviceLine[]): ViewLine[] {
  if (devices.length === 0) return [];
  const [head = '', ...lines] = table(DEVICE_COLUMNS, devices);
  return [header(head), ...lines.map((text) => plain(text))];
}

function poolLine(pool: PoolLine | undefined): ViewLine {
  if (pool === undefined) return header('POOL  -');
  const { name, leader, epoch, members, live } = pool;
  const led = leader === '' ? 'no leader' : `leader ${leader}`;
  return {
    text: `POOL  ${name}: ${led}, epoch ${epoch}, ${live} of ${members} members up to date`,
    tone: leader !== '' && live === members ? 'strong' : 'bad',
  };
}

/** A header and rows, at most so many lines; what is left out is counted. */
function limited(lines: readonly ViewLine[], most: number): readonly ViewLine[] {
  if (lines.length <= most) return lines;
  const shown = lines.slice(0, Math.max(1, most - 1));
  return [...shown, { text: `  … and ${lines.length - shown.length} more`, tone: 'faint' }];
}

function cut({ text, tone }: ViewLine, columns: number): ViewLine {
  return { text: cell(text, columns), tone };
}

function plain(text: string): ViewLine {
  return { text, tone: 'plain' };
}

function header(text: string): ViewLine {
  return { text, tone: 'strong' };
}

function toned(text: string, isWell: boolean): ViewLine {
  return { text, tone: isWell ? 'plain' : 'bad' };
}

/** Bytes in five characters: `999`, `1.2k`, `345k`, `6.7M`. */
export function bytes(count: number): string {
  const units = ['', 'k', 'M', 'G'];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)}${units[unit] ?? ''}`;
}

/** `0:07`, `12:34`, `1:02:03`. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
