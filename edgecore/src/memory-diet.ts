import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** In force from when they are set. What each saves is in docs/edgecore.md, "Memory". */
const FLAGS = ['--no-opt', '--no-sparkplug', '--optimize-for-size'];

/**
 * Keeps the process small: nothing is compiled to machine code from here on, and heaps grow in small steps. The
 * compilers alone are 5 MB of memory, and an edge that idles has nothing that is worth them; `EngineTuning` gives them
 * back when there is work.
 *
 * To be called at one moment (ADR 25). Not before Node's own modules are loaded, here and in threads: with another flag
 * than they were built with, V8 takes none of the code that they are shipped with, and compiles all of it (30 ms in
 * this thread, 50 ms in another). And before our own are: the compilers set in within 100 ms, and stay.
 */
export function beginMemoryDiet(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

/**
 * Collects the garbage of this thread. V8 does so when the heap has grown by a part, which in a process that idles is
 * hours, and a megabyte. Takes 20 to 40 ms.
 * @param dropCode whether compiled code goes, too; what runs again is compiled again. Most of it ran once, at the start. By
 *   itself V8 lets go of what was not run for some collections, of which those that somebody asks for do not count.
 */
export function collectGarbage(dropCode: boolean): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // contexts that are there already do not get it
  if (dropCode) setFlagsFromString('--stress-flush-code');
  try {
    collect();
  } finally {
    if (dropCode) setFlagsFromString('--no-stress-flush-code');
  }
}
