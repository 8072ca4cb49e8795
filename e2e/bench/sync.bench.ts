// Delta sync between a real control plane, a real hub and real edges: bytes, times, memory, flash.
// `npm run bench -- sync [part …]` with parts of: bytes join latency cut fleet sessions. Default: all.
import { netnsAvailable, runBench, type Bench } from '../src/index.ts';
import { measureBytes, measureJoin } from './sync/bytes.ts';
import { measureFleet, measureSessions } from './sync/fleet.ts';
import { measureLatency } from './sync/latency.ts';
import { measureSilentCut } from './sync/silent-cut.ts';

const LIMIT_MS = 25 * 60_000;

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  latency: measureLatency,
  fleet: measureFleet,
  sessions: measureSessions,
  cut: measureSilentCut,
  bytes: measureBytes,
  join: measureJoin,
};

await runBench(
  'sync',
  async (bench) => {
    const wanted = process.argv.slice(2);
    const unknown = wanted.filter((name) => PARTS[name] === undefined);
    if (unknown.length > 0)
      throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
    for (const [name, measure] of Object.entries(PARTS)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const countsBytes = name === 'bytes' || name === 'join';
      const netns = countsBytes ? await netnsAvailable() : undefined;
      if (netns?.ok === false) bench.say(`left out: ${name}, which counts at IP level: ${netns.reason}`);
      else await measure(bench);
    }
  },
  { limitMs: LIMIT_MS },
);
