import type { PoolReader } from '../pool/pool-types.ts';

/** Where an endpoint is. */
export interface EndpointPlace {
  /** '': not known. */
  readonly node: string;
  /** '': not known. */
  readonly zone: string;
  readonly ready: boolean;
}

/** Where nodes of the pool are, by its roster, and where this one is. */
export class NodePlaces {
  readonly #node: string;
  readonly #pool: PoolReader;
  readonly #listeners = new Set<() => void>();
  #zones = new Map<string, string>();
  #stop: (() => void) | undefined;

  constructor(node: string, pool: PoolReader) {
    this.#node = node;
    this.#pool = pool;
  }

  /** Idempotent. */
  start(): void {
    if (this.#stop !== undefined) return;
    this.#zones = this.#read();
    this.#stop = this.#pool.listen(() => this.#look());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Calls when nodes are somewhere else. Answers how to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Whether an endpoint is where a topology key wants it. A key that is not known wants nothing. Without a zone of this
   * node its zone is its pool, as in OpenYurt.
   */
  isAt(key: string, { node, zone }: EndpointPlace): boolean {
    const own = this.#zones.get(this.#node) ?? '';
    const inPool = node === this.#node || this.#zones.has(node);
    switch (key) {
      case '*':
        return true;
      case 'kubernetes.io/hostname':
        return node === this.#node;
      case 'openyurt.io/nodepool':
        return inPool;
      case 'kubernetes.io/zone':
      case 'topology.kubernetes.io/zone':
        return own === '' ? inPool : own === (zone === '' ? this.#zones.get(node) : zone);
      default:
        return false;
    }
  }

  #read(): Map<string, string> {
    return new Map(this.#pool.roster?.members.map(({ name, zone }) => [name, zone]));
  }

  #look(): void {
    const zones = this.#read();
    const isSame =
      zones.size === this.#zones.size && [...zones].every(([node, zone]) => this.#zones.get(node) === zone);
    if (isSame) return;
    this.#zones = zones;
    for (const listener of [...this.#listeners]) listener();
  }
}
