/**
 * Bounds how many nodes a minute lose their pods: the reason may be here and not there.
 * Source: kube-controller-manager --node-eviction-rate.
 */
export class EvictionGate {
  readonly #perSecond: number;
  #nextMs = -Infinity;

  /** `perSecond`: nodes. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Takes a turn if one is free. `nowMs`: monotonic. */
  pass(nowMs: number): boolean {
    if (nowMs < this.#nextMs) return false;
    this.#nextMs = nowMs + 1000 / this.#perSecond;
    return true;
  }
}
