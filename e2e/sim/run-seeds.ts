import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SeedNews, SeedWork, Subject } from './seed-worker.ts';

/** What many simulations came to. */
export interface SeedsReport {
  /** Simulations that ran. */
  readonly simulations: number;
  readonly failed: readonly { readonly seed: number; readonly why: string; readonly trace: string }[];
}

/** Runs the simulations of `count` seeds from `first` on, in two threads; few of them once there are failures. */
export async function runSeeds(
  first: number,
  count: number,
  subject: Subject = 'cluster',
  threads = 2,
): Promise<SeedsReport> {
  const failed: SeedsReport['failed'][number][] = [];
  let simulations = 0;
  const run = async (index: number): Promise<void> => {
    const work: SeedWork = { subject, first: first + index, end: first + count, step: threads };
    const worker = new Worker(new URL('./seed-worker.js', import.meta.url), {
      workerData: work,
      execArgv: [],
    });
    worker.on('message', (news: SeedNews) => {
      if ('done' in news) simulations += news.done;
      else failed.push({ seed: news.failed, why: news.why.join('; '), trace: news.trace.join('\n') });
    });
    // An error of a worker rejects this; it is no outcome of a simulation.
    await once(worker, 'exit');
  };
  await Promise.all(Array.from({ length: threads }, (_, index) => run(index)));
  return { simulations, failed };
}
