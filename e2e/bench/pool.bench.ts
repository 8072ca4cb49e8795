// Pools: what the way to the cloud carries for a pool of 1 to 100 nodes, what a pool takes of a node's memory, and how long a
// change takes to the last of fifty members. `npm run bench -- pool [part …]` with parts of: bytes memory latency. Default: all.
import { netnsAvailable, runBench, type Bench } from '../src/index.ts';
import { measurePoolBytes } from './pool/bytes.ts';
import { measurePoolLatency } from './pool/latency.ts';
import { measurePoolMemory } from './pool/memory.ts';

const LIMIT_MS = 25 * 60_000;

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  latency: measurePoolLatency,
  memory: measurePoolMemory,
  bytes: measurePoolBytes,
};

await runBench(
  'pool',
  async (bench) => {
    const wanted = process.argv.slice(2);
    const unknown = wanted.filter((name) => PARTS[name] === undefined);
    if (unknown.length > 0)
      throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
    for (const [name, measure] of Object.entries(PARTS)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const netns = name === 'bytes' ? await netnsAvailable() : undefined;
      if (netns?.ok === false) bench.say(`left out: ${name}, which counts at IP level: ${netns.reason}`);
      else await measure(bench);
    }
  },
  { limitMs: LIMIT_MS },
);
