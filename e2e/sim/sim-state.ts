import type { StateStore } from '@hawser/edgecore/testing/devices';

/** The state of one life of an edge: on the disk in the order in which it was asked for, as a disk does it. */
export class SimState implements StateStore {
  readonly #disk: Map<string, Uint8Array>;
  readonly #flush: () => Promise<void>;
  readonly #waiting: (() => void)[] = [];
  #tail: Promise<void> = Promise.resolve();
  #cut = false;

  /** @param disk what outlives the life; @param flush resolves when a write is durable, rejects where the disk refuses */
  constructor(disk: Map<string, Uint8Array>, flush: () => Promise<void>) {
    this.#disk = disk;
    this.#flush = flush;
  }

  get(key: string): Uint8Array | undefined {
    return this.#disk.get(key);
  }

  keys(): readonly string[] {
    return [...this.#disk.keys()];
  }

  set(key: string, bytes: Uint8Array): Promise<void> {
    return this.#write(() => this.#disk.set(key, bytes));
  }

  delete(key: string): Promise<void> {
    return this.#write(() => this.#disk.delete(key));
  }

  /** Writes under way. */
  get depth(): number {
    return this.#waiting.length;
  }

  /** The power goes: the first `reached` of the writes under way have reached the disk, although nobody was told. */
  cut(reached: number): void {
    this.#cut = true;
    for (const commit of this.#waiting.splice(0).slice(0, reached)) commit();
  }

  #write(commit: () => void): Promise<void> {
    if (this.#cut) return forever();
    this.#waiting.push(commit);
    const written = this.#tail.then(async () => {
      const failure = await this.#flush().then(
        () => undefined,
        (error: unknown) => error as Error,
      );
      if (this.#cut) return forever();
      this.#waiting.shift();
      if (failure !== undefined) throw failure;
      commit();
      return undefined;
    });
    this.#tail = written.catch(() => {}); // the caller has the rejection; the next write goes on
    return written;
  }
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
