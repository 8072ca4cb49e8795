/** How many requests may be under way. */
export interface SlotLimits {
  readonly overall: number;
  readonly perNode: number;
}

/** The error for a request that is one too many: of its node, or of the hub. `limit`: how many there may be. */
export type SlotRefusal = (whose: 'node' | 'hub', node: string, limit: number) => Error;

/** Counts the requests that are under way, so that neither one node nor all of them take more than their share. */
export class RequestSlots {
  readonly #limits: SlotLimits;
  readonly #refusal: SlotRefusal;
  readonly #byNode = new Map<string, number>();
  #taken = 0;

  constructor(limits: SlotLimits, refusal: SlotRefusal) {
    this.#limits = limits;
    this.#refusal = refusal;
  }

  /** Requests under way. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes one. Answers how to give it back; a second time does nothing. @throws what {@link SlotRefusal} makes */
  take(node: string): () => void {
    const { overall, perNode } = this.#limits;
    const ofNode = this.#byNode.get(node) ?? 0;
    if (ofNode >= perNode) throw this.#refusal('node', node, perNode);
    if (this.#taken >= overall) throw this.#refusal('hub', node, overall);
    this.#byNode.set(node, ofNode + 1);
    this.#taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#taken -= 1;
      const rest = (this.#byNode.get(node) ?? 0) - 1;
      if (rest > 0) this.#byNode.set(node, rest);
      else this.#byNode.delete(node);
    };
  }
}
