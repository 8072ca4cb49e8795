import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import type { NodeChild, PoolSite } from '../../src/index.ts';
import { POOL_SERVICES } from './pool-fixture.ts';
import type { InformerNote } from './children/informer-notes.ts';

const SCRIPT = new URL('children/informer.js', import.meta.url);
let writers = 0;
const LABEL = 'hawser.dev/test-round';

/** An informer of client-node on the local API of a member, and what it must have heard. */
export class PoolReader {
  readonly member: number;
  readonly notes: InformerNote[] = [];
  readonly #child: NodeChild;

  private constructor(member: number, child: NodeChild) {
    this.member = member;
    this.#child = child;
  }

  /** Starts it, and waits until it has listed. */
  static async start(site: PoolSite, member: number): Promise<PoolReader> {
    const kubeconfig = await site.kubeconfig(member);
    const child = await site.start(member, { script: SCRIPT, args: [kubeconfig] });
    const reader = new PoolReader(member, child);
    void reader.#read();
    await eventually('it has listed', () => reader.lists === 1, { deadlineMs: 10_000 });
    return reader;
  }

  /** How often it has listed. */
  get lists(): number {
    return this.notes.filter(({ note }) => note === 'list').length;
  }

  get errors(): readonly string[] {
    return this.notes.flatMap((note) => (note.note === 'error' ? [note.message] : []));
  }

  /** resourceVersions of the updates that it has heard of a slice, in order. */
  updates(slice: string): readonly string[] {
    return this.notes.flatMap((note) =>
      note.note === 'update' && note.name === slice ? [note.version] : [],
    );
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }

  async #read(): Promise<void> {
    for (;;) {
      try {
        this.notes.push((await this.#child.message(() => true, 3_600_000)) as InformerNote);
      } catch {
        return; // it has ended
      }
    }
  }
}

/** Writes to slices, one after another, until it is stopped; knows each version that it has written. */
export class SliceWriter {
  readonly written = new Map<string, string[]>();
  readonly #site: PoolSite;
  #going = true;
  #running: Promise<void> | undefined;
  /** What is written is never what was there. */
  readonly #name = ++writers;
  #round = 0;

  constructor(site: PoolSite) {
    this.#site = site;
  }

  start(everyMs = 100): this {
    this.#running = this.#run(everyMs);
    return this;
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#running;
  }

  /**
   * Checks that readers have heard what was written, each write once at most, in order, and have not listed again. Two writes to
   * a slice may be one change for a member that had no leader between them; the last one of each has to come.
   */
  async check(readers: readonly PoolReader[], lists = 1): Promise<void> {
    for (const reader of readers) {
      const missing = (): string[] =>
        [...this.written].flatMap(([slice, versions]) => {
          const last = versions.at(-1) ?? '';
          return reader.updates(slice).includes(last) ? [] : [last];
        });
      await eventually(
        `reader ${reader.member} has heard all: ${reader.errors.join('; ')}`,
        () => {
          return missing().length === 0;
        },
        { deadlineMs: 10_000 },
      ).catch(async (error: unknown) => {
        throw new Error(
          `${(error as Error).message}; missing ${missing().join(' ')}\n${await this.#describe(reader.member)}`,
        );
      });
      for (const [slice, versions] of this.written) {
        const heard = reader.updates(slice).filter((version) => versions.includes(version));
        const inOrder = versions.filter((version) => heard.includes(version));
        assert.deepEqual(heard, inOrder, `reader ${reader.member}: ${slice}`);
      }
      assert.equal(
        reader.lists,
        lists,
        `reader ${reader.member} has listed again: ${reader.errors.join('; ')}`,
      );
    }
  }

  async #describe(member: number): Promise<string> {
    const status = await this.#site.status(member);
    return `${JSON.stringify(status)}\n${this.#site.member(member).log.slice(-6000)}`;
  }

  async #run(everyMs: number): Promise<void> {
    while (this.#going) {
      const slice = POOL_SERVICES.slices[this.#round % POOL_SERVICES.slices.length];
      assert.ok(slice);
      this.#round += 1;
      const labels = { ...slice.metadata.labels, [LABEL]: `${this.#name}-${this.#round}` };
      const { metadata } = await this.#site.putSlice({ ...slice, metadata: { ...slice.metadata, labels } });
      const name = metadata.name ?? '';
      this.written.set(name, [...(this.written.get(name) ?? []), metadata.resourceVersion ?? '']);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
