import type { Probe } from '../pods/pod.ts';

/** Source: the defaults of core/v1 Probe. */
const DEFAULTS = { successThreshold: 1, failureThreshold: 3 } as const;

/**
 * Turns single results of a probe into what counts: a result has to come so many times in a row as its threshold says.
 * Until then what counted before goes on to count. Source: kubelet, prober/worker.go (doProbe).
 */
export class ProbeTally {
  readonly #successThreshold: number;
  readonly #failureThreshold: number;
  #passes: boolean | undefined;
  #last: boolean | undefined;
  #run = 0;

  /** @param passes what counts before the first probe; undefined: nothing is known */
  constructor(probe: Pick<Probe, 'successThreshold' | 'failureThreshold'>, passes: boolean | undefined) {
    this.#successThreshold = probe.successThreshold ?? DEFAULTS.successThreshold;
    this.#failureThreshold = probe.failureThreshold ?? DEFAULTS.failureThreshold;
    this.#passes = passes;
  }

  /** What counts now. */
  get passes(): boolean | undefined {
    return this.#passes;
  }

  /** Counts one result; answers whether something else counts now. */
  record(passed: boolean): boolean {
    this.#run = this.#last === passed ? this.#run + 1 : 1;
    this.#last = passed;
    if (this.#run < (passed ? this.#successThreshold : this.#failureThreshold)) return false;
    const isNew = this.#passes !== passed;
    this.#passes = passed;
    return isNew;
  }
}
