// docs/benchmarks.md, from docs/benchmarks/*.jsonl (bench-records.js) and what is wanted (bench-bars.js).
import { BENCHES } from './bench-bars.js';
import { benchRecords } from './bench-records.js';
import { GENERATED, table } from './sources.js';

/** The latest of each figure, with its day and commit. @returns {Map<string, Map<string, object>>} by bench, then by figure */
function latestFigures(records) {
  const benches = new Map();
  for (const { date, figures } of records)
    for (const line of figures) {
      const figuresOf = benches.get(line.bench) ?? new Map();
      figuresOf.set(line.figure, { ...line, on: `${date}, \`${line.commit}\`` });
      benches.set(line.bench, figuresOf);
    }
  return benches;
}

/** 5290.5 → `5,291`; 0.85347 → `0.853`. */
function shown({ value, unit }) {
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  const number = value.toLocaleString('en-US', { maximumFractionDigits: digits });
  return ['ratio', 'count'].includes(unit) ? number : `${number} ${unit}`;
}

const VERDICTS = new Map([
  [true, 'yes'],
  [false, '**no**'],
]);

/** The unit that the name of a figure ends with. */
function unitOf(figure) {
  const units = { ms: ' ms', bytes: ' B', kib: ' KiB', hour: ' KiB', mb: ' MB', percent: ' %' };
  return units[figure.split('_').at(-1)] ?? '';
}

function barRow([figure, what, bar], figures) {
  const line = figures.get(figure);
  const name = `\`${figure}\``;
  const wanted = bar.text.startsWith('–') ? '' : `${bar.text}${unitOf(figure)}`;
  if (line === undefined) return [what, 'not measured yet', wanted, '', '', name];
  const verdict = VERDICTS.get(bar.isMet(line, figures)) ?? '';
  return [
    what,
    shown(line),
    bar.text,
    verdict,
    line.on,
    `${name}, n = ${line.n}${line.note ? `; ${line.note}` : ''}`,
  ];
}

function section([bench, { title, about, bars }], latest) {
  const figures = latest.get(bench) ?? new Map();
  const named = new Set(bars.map(([figure]) => figure));
  const others = [...figures.values()].filter(({ figure }) => !named.has(figure));
  const parts = [
    `## ${title}`,
    `${about} \`npm run bench -- ${bench}\``,
    table(
      ['what', 'measured', 'wanted', 'reached', 'on', 'figure'],
      bars.map((bar) => barRow(bar, figures)),
    ),
  ];
  if (others.length > 0)
    parts.push(
      'Beside them:',
      table(
        ['figure', 'measured', 'on', 'of'],
        others.map((line) => [
          `\`${line.figure}\``,
          shown(line),
          line.on,
          `n = ${line.n}${line.note ? `; ${line.note}` : ''}`,
        ]),
      ),
    );
  return parts.join('\n\n');
}

/** @returns {string} the page */
export function benchmarksPage() {
  const records = benchRecords();
  const latest = latestFigures(records);
  const days = records.map(({ date, machine, remark = '' }) => [date, machine, remark]);
  return `${[
    GENERATED,
    '# Benchmarks',
    `What was measured, what is wanted, and on which machine. A figure that nobody has measured says so; one that misses its bar
stays here with a **no**. Read them as sizes: one machine, everything on it at once. What can be compared is compared within one
run, in turns: with bare calls to the runtime, with a bare WebSocket, with nodes that each have a stream of their own.`,
    '## On which machine',
    table(['on', 'machine', 'conditions'], days),
    '## Repeat it',
    '<!-- not run: takes minutes to an hour each -->',
    '```sh\nnpm run bench                              # lists the benches\nnpm run bench -- sync latency join         # parts of one; without parts, all of it\nnpm run bench -- --record pods             # keeps the figures in docs/benchmarks/<date>.jsonl, and makes this page anew\n```',
    `Each prints one JSON object a line: \`{"bench","figure","value","unit","n","note"}\`. Lines that are there already are kept with
\`node scripts/record-benches.js < lines\`. Bytes need root (network namespaces), pods a containerd.`,
    ...Object.entries(BENCHES).map((entry) => section(entry, latest)),
  ].join('\n\n')}\n`;
}
