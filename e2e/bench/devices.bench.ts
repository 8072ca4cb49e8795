// Devices: from the register to the API and back, a hundred devices, and what the event bus takes.
// `npm run bench -- devices [part …]` with parts of: latency load memory. Default: all.
import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { runBench, type Bench } from '../src/index.ts';
import { measureLatency } from './devices/latency.ts';
import { measureLoad } from './devices/load.ts';
import { measureMemory } from './devices/memory.ts';

/** The whole of it, the minutes in which flash is looked at among them. */
const LIMIT_MS = 20 * 60_000;

const PARTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  latency: measureLatency,
  load: measureLoad,
  memory: measureMemory,
};

await runBench(
  'devices',
  async (bench) => {
    const wanted = process.argv.slice(2);
    const unknown = wanted.filter((name) => PARTS[name] === undefined);
    if (unknown.length > 0)
      throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
    const missing = ModbusPeer.missing();
    if (missing !== undefined) {
      bench.say(`left out: there is no Modbus peer here: ${missing}`);
      return;
    }
    for (const [name, measure] of Object.entries(PARTS)) {
      if (wanted.length === 0 || wanted.includes(name)) await measure(bench);
    }
  },
  { limitMs: LIMIT_MS },
);
