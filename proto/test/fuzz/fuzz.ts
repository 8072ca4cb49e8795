import { seededRandom, type Random } from '@hawser/seams';
import type { FuzzTarget } from './targets.ts';

/** Seed of all fuzzing; another one by HAWSER_FUZZ_SEED. A failure names it, and the input. */
export const FUZZ_SEED = Number(process.env['HAWSER_FUZZ_SEED'] ?? 20_260_101);

/** No input takes longer than this to be read or refused, milliseconds; far above what a busy machine adds. */
const MAX_INPUT_MS = 2000;

/** Feeds inputs to a target. @throws Error with the input in hex, and the failure as its cause */
export async function fuzz(
  target: FuzzTarget,
  options: { inputs: number; seed: number; make: (random: Random, round: number) => Buffer },
): Promise<void> {
  const random = seededRandom(options.seed);
  for (let round = 0; round < options.inputs; round++)
    await feed(target, options.make(random, round), options.seed);
}

/** Feeds one input to a target. */
export async function feed(target: FuzzTarget, input: Buffer, seed: number): Promise<void> {
  const startedMs = performance.now();
  const hex = input.toString('hex'); // before the target can change it
  try {
    const outcome = target(input);
    if (outcome !== undefined) await outcome;
  } catch (error) {
    throw new Error(`seed ${seed}, input ${hex}`, { cause: error });
  }
  const tookMs = performance.now() - startedMs;
  if (tookMs > MAX_INPUT_MS)
    throw new Error(`${tookMs.toFixed(0)} ms for one input, seed ${seed}, input ${hex}`);
}
