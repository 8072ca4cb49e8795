import { median } from './samples.ts';

/** Settings of {@link pairedRuns}. */
export interface PairedRunsOptions {
  /** Runs what is ours once. @returns what was measured */
  readonly own: () => Promise<number>;
  /** Runs what it is compared with once. @returns the same measure of it */
  readonly rival: () => Promise<number>;
  /** How often each is measured. Default 5. */
  readonly runs?: number;
  /** How often each is run before, unmeasured. Default 1. */
  readonly warmUps?: number;
}

/** What {@link pairedRuns} measured. */
export interface PairedRuns {
  readonly own: readonly number[];
  readonly rival: readonly number[];
  /** The median of ours over the median of the rival's. */
  readonly ratio: number;
  /** Measured runs of each. */
  readonly runs: number;
}

/**
 * Measures two things by turns, ours and the rival's, so that what else the machine does meets both alike. Which
 * one begins changes from pair to pair, so that neither always runs after the other.
 */
export async function pairedRuns(options: PairedRunsOptions): Promise<PairedRuns> {
  const { runs = 5, warmUps = 1 } = options;
  const own: number[] = [];
  const rival: number[] = [];
  for (let run = -warmUps; run < runs; run++) {
    const steps = [async () => own.push(await options.own()), async () => rival.push(await options.rival())];
    if (run % 2 !== 0) steps.reverse();
    for (const step of steps) await step();
  }
  own.splice(0, warmUps);
  rival.splice(0, warmUps);
  return { own, rival, ratio: median(own) / median(rival), runs };
}
