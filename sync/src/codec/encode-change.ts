import { encodeDelta } from './encode-delta.ts';
import { pack } from './pack.ts';

/** What travels, by what it is: instructions or the whole content, packed. */
export interface Encoding {
  readonly kind: 'delta' | 'full';
  readonly packed: Uint8Array;
}

/** A delta below this part of the target is taken without a look at how well the target packs. */
const CLEARLY_SMALLER = 1 / 32;

/** The smaller of a delta against the base, where there is one, and the whole content. */
export function encodeChange(target: Uint8Array, base: Uint8Array | undefined): Encoding {
  if (base === undefined) return { kind: 'full', packed: pack(target) };
  const delta = encodeDelta(base, target);
  if (delta.length <= target.length * CLEARLY_SMALLER) return { kind: 'delta', packed: delta };
  const full = pack(target);
  return delta.length < full.length ? { kind: 'delta', packed: delta } : { kind: 'full', packed: full };
}
