import { E2eError } from '../errors.ts';

/**
 * The middle of the samples; between the two middle ones for an even number.
 * @throws E2eError ERR_E2E_BAD_OPTION when there are none
 */
export function median(samples: readonly number[]): number {
  const sorted = ascending(samples);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}

/**
 * The least sample that is not below `percent` (0 < percent ≤ 100) of all: one that was measured, by the nearest
 * rank. The 99th percentile of fewer than 100 samples is the greatest.
 * @throws E2eError ERR_E2E_BAD_OPTION when there are none, or for another `percent`
 */
export function percentile(samples: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100))
    throw new E2eError('ERR_E2E_BAD_OPTION', `a percentile is in 0…100, not ${percent}`);
  const sorted = ascending(samples);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? NaN;
}

function ascending(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new E2eError('ERR_E2E_BAD_OPTION', 'there are no samples');
  return samples.toSorted((a, b) => a - b);
}
