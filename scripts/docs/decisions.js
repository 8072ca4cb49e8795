// docs/decisions.md, from the titles of the decisions.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../run.js';
import { GENERATED, readSource, table } from './sources.js';

/** @returns {string} the page */
export function decisionsPage() {
  const files = readdirSync(path.join(root, 'docs', 'adr')).filter((name) => /^\d{4}-.*\.md$/.test(name));
  const rows = files.sort().map((name) => {
    const title = /^# (.+)$/m.exec(readSource(`docs/adr/${name}`))?.[1] ?? name;
    return [String(Number(name.slice(0, 4))), `[${title.replace(/^(?:ADR )?\d+[.:]? */, '')}](adr/${name})`];
  });
  return `${[
    GENERATED,
    '# Decisions',
    'What was decided, why, and what it costs. How one is written is in [the first](adr/0001-record-decisions.md).',
    table(['number', 'decision'], rows),
  ].join('\n\n')}\n`;
}
