import { KubeletRefusal } from './refusal.ts';

/** How many requests may be under way. */
export interface SlotLimits {
  readonly overall: number;
  readonly perNode: number;
}

/** Counts the requests that are under way, so that neither one node nor all of them take more than their share. */
export class RequestSlots {
  readonly #limits: SlotLimits;
  readonly #byNode = new Map<string, number>();
  #taken = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Requests under way. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes one. Answers how to give it back; a second time does nothing. @throws KubeletRefusal 429 */
  take(node: string): () => void {
    const { overall, perNode } = this.#limits;
    const ofNode = this.#byNode.get(node) ?? 0;
    if (ofNode >= perNode) throw full(`node ${node}: ${perNode} requests are under way`, 'maxStreamsPerNode');
    if (this.#taken >= overall)
      throw full(`node ${node}: the hub has ${overall} requests under way`, 'maxStreams');
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

function full(what: string, option: string): KubeletRefusal {
  const text = `${what}, as many as there may be. End some (logs -f, exec), or raise kubelet.${option}`;
  return new KubeletRefusal(429, 'overloaded', text);
}
