import type { CloseReason } from '../transport/close-reason.ts';
import type { Tunnel } from './tunnel.ts';

/** Where epochs come from. They have to grow for each node, over restarts and replicas too if those matter. */
export interface EpochSource {
  /** An epoch above every one given for this node, and above `lastSeen`, which the edge reports. */
  next(node: string, lastSeen: number): Promise<number>;
}

/** Epochs of one hub process: enough while an edge reports the highest one it has seen. */
export class MemoryEpochs implements EpochSource {
  readonly #epochs = new Map<string, number>();

  next(node: string, lastSeen: number): Promise<number> {
    const epoch = Math.max(this.#epochs.get(node) ?? 0, lastSeen) + 1;
    this.#epochs.set(node, epoch);
    return Promise.resolve(epoch);
  }
}

/** The present session of each node. A newer one fences the older: from that moment nothing of the older counts. */
export class SessionRegistry {
  readonly #byNode = new Map<string, Tunnel>();

  get size(): number {
    return this.#byNode.size;
  }

  /** The node's session, if it has one. */
  get(node: string): Tunnel | undefined {
    return this.#byNode.get(node);
  }

  /** All sessions. */
  all(): readonly Tunnel[] {
    return [...this.#byNode.values()];
  }

  /** Registers a session; an older one of the node is ended. Returns false where a newer one is there already. */
  add(tunnel: Tunnel): boolean {
    const { node, epoch } = tunnel.info;
    const present = this.#byNode.get(node);
    if (present !== undefined && present.info.epoch >= epoch) return false;
    this.#byNode.set(node, tunnel);
    void tunnel.closed.then(() => {
      if (this.#byNode.get(node) === tunnel) this.#byNode.delete(node);
    });
    if (present !== undefined) {
      void present.close({
        code: 'replaced',
        message: `a newer session of ${node} (epoch ${epoch}) took over`,
      });
    }
    return true;
  }

  /** Ends the node's session, if it has one. */
  async end(node: string, reason: CloseReason): Promise<void> {
    await this.#byNode.get(node)?.close(reason);
  }
}
