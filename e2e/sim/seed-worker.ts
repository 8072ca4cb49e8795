import { parentPort, workerData } from 'node:worker_threads';
import { simulatePools } from './pools/pool-simulation.ts';
import { simulate } from './simulation.ts';

/** What a seed is simulated as: hubs and edges, or pools. */
export type Subject = 'cluster' | 'pools';

/** What a worker is given: every `step`-th seed from `first` on, below `end`. */
export interface SeedWork {
  readonly subject: Subject;
  readonly first: number;
  readonly end: number;
  readonly step: number;
}

/** What a worker says: once for each seed that failed, and at its end. */
export type SeedNews =
  | { readonly failed: number; readonly why: readonly string[]; readonly trace: readonly string[] }
  | { readonly done: number; readonly cpuMs: number };

/** Failures after which a worker gives up: there is enough to look at. */
const MOST_FAILURES = 3;

async function work({ subject, first, end, step }: SeedWork): Promise<void> {
  const tell = (news: SeedNews): void => parentPort?.postMessage(news);
  const before = process.cpuUsage();
  let failures = 0;
  let done = 0;
  for (let seed = first; seed < end && failures < MOST_FAILURES; seed += step) {
    const { failures: why, trace } = await (subject === 'pools' ? simulatePools(seed) : simulate(seed));
    done += 1;
    if (why.length === 0) continue;
    failures += 1;
    tell({ failed: seed, why, trace: trace.slice(-40) });
  }
  const { user, system } = process.cpuUsage(before);
  tell({ done, cpuMs: (user + system) / 1000 });
}

await work(workerData as SeedWork);
