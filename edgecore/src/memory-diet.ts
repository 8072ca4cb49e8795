// What keeps the process small. main.ts imports this before anything else: most of it is about code that is loaded
// afterwards. What each flag saves is in docs/edgecore.md, "Memory".
import { setFlagsFromString } from 'node:v8';

/**
 * Of V8, in force from here on:
 * - no code is compiled to machine code: the compilers alone are 8 MB of memory, and an edge that idles has nothing
 *   that is worth them. `EngineTuning` takes that back when there is work;
 * - new space stays at its first size; heaps grow in small steps;
 * - what ran once at the start is forgotten at the next collection.
 */
const DIET = [
  '--no-opt',
  '--no-sparkplug',
  '--max-lazy',
  '--optimize-for-size',
  '--semi-space-growth-factor=1',
  '--bytecode-old-age=1',
] as const;

for (const flag of DIET) setFlagsFromString(flag);
