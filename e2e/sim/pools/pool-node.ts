import type { VirtualMember, VirtualPool } from '@hawser/edgecore/testing/pools';
import { SimPoolReader, type SimPoolReaderOptions } from './pool-reader.ts';

/** What its next process begins with: what the last one has left, nothing, or what was there some time ago. */
export type Disk = 'as it is' | 'empty' | 'older';

/** Copies of snapshots that are kept to go back to. */
const MAX_OLDER = 4;

/** A node of a simulated pool: its member, and who reads there. */
export class SimPoolNode {
  readonly pool: VirtualPool;
  readonly member: VirtualMember;
  readonly #reading: Pick<SimPoolReaderOptions, 'signed' | 'fail'>;
  readonly #older: ReadonlyMap<string, Uint8Array>[] = [];
  #reader: SimPoolReader | undefined;
  #stopping = false;
  /** Whether it is in the pool. */
  inPool = true;

  constructor(
    pool: VirtualPool,
    member: VirtualMember,
    reading: Pick<SimPoolReaderOptions, 'signed' | 'fail'>,
  ) {
    this.pool = pool;
    this.member = member;
    this.#reading = reading;
  }

  get name(): string {
    return this.member.node;
  }

  /** Whether it runs, and is not about to stop. */
  get runs(): boolean {
    return this.member.runs && !this.#stopping;
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  get isFrozen(): boolean {
    return this.member.runs && this.member.process.isStopped;
  }

  async start(disk: Disk = 'as it is'): Promise<void> {
    if (this.member.runs || this.#stopping) return;
    const { kept } = this.member.snapshots;
    if (disk === 'empty') kept.clear();
    const older = disk === 'older' ? this.#older[0] : undefined;
    if (older !== undefined) {
      kept.clear();
      for (const [scope, snapshot] of older) kept.set(scope, snapshot);
    }
    const { name, member } = this;
    await member.start();
    this.#reader = new SimPoolReader({ ...this.#reading, node: name, member: member.member });
  }

  kill(silently: boolean): void {
    if (!this.runs) return;
    this.#endReader();
    this.member.kill(silently);
  }

  /** Stops it in good order; resolves once it has. */
  async stop(): Promise<void> {
    if (!this.runs || this.isFrozen) return;
    this.#stopping = true;
    await this.member.stop();
    this.#endReader();
    this.#stopping = false;
  }

  /** Keeps what is on the disk, to go back to it. */
  keepSnapshots(): void {
    this.#older.push(new Map(this.member.snapshots.kept));
    if (this.#older.length > MAX_OLDER) this.#older.shift();
  }

  /** Holds what readers have against what they are shown. */
  check(): void {
    if (this.runs) this.#reader?.check();
  }

  /** Commits that its reader heard in this process, and changes. */
  get heard(): number {
    return this.#reader?.changes ?? 0;
  }

  #endReader(): void {
    this.#reader?.stop();
    this.#reader = undefined;
  }
}
