// docs/reference/tunnel-limits.md, from proto/src/limits.ts.
import { GENERATED, load, table } from './sources.js';

/** 131072 → `131,072`. */
function figure(value) {
  return value.toLocaleString('en-US');
}

/** @returns {Promise<string>} the page */
export async function limitsPage() {
  const { HEARTBEAT_MS, MISSED_HEARTBEATS, TUNNEL_LIMITS } = await load('proto/src/limits.ts');
  const rows = Object.entries(TUNNEL_LIMITS).map(([name, { default: value, unit, meaning }]) => [
    `\`${name}\``,
    figure(value),
    unit,
    meaning,
  ]);
  return `${GENERATED}

# Limits of the tunnel

All of them are on by default. In code they are \`tunnelLimits({ name: value })\` of \`@hawser/proto\`. How they work
together is in [the protocol](../protocol.md).

${table(['name', 'default', 'unit', 'meaning'], rows)}

## Heartbeats

${table(
  ['what', 'default', 'range', 'unit'],
  [
    [
      'interval (the shorter wish of the two sides counts)',
      figure(HEARTBEAT_MS.default),
      `${figure(HEARTBEAT_MS.min)} to ${figure(HEARTBEAT_MS.max)}`,
      'ms',
    ],
    [
      'intervals without a byte after which the peer counts as dead',
      figure(MISSED_HEARTBEATS),
      'fixed',
      'intervals',
    ],
  ],
)}
`;
}
