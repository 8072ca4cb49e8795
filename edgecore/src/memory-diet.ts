// What keeps the process small. main.ts imports this before anything else: most of it is about code that is loaded
// afterwards. What each flag saves is in docs/edgecore.md, "Memory".
import { setFlagsFromString } from 'node:v8';

/**
 * Of V8, in force from here on: nothing is compiled to machine code, and heaps grow in small steps. The compilers alone
 * are 5 MB of memory, and an edge that idles has nothing that is worth them; `EngineTuning` gives them back when there
 * is work.
 */
for (const flag of ['--no-opt', '--no-sparkplug', '--optimize-for-size']) setFlagsFromString(flag);
