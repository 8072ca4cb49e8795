import assert from 'node:assert/strict';
import { wholeLines } from '@hawser/seams/testing';
import type { EdgeStore } from '../../../src/index.ts';
import { message, put, SCOPE } from '../store-folder.ts';

/**
 * A load whose results can be judged afterwards. Each writer takes its object, its message and its value through
 * numbered steps and acknowledges each part by itself. Every fifth step removes the object, every fourth the message.
 */
export const WRITERS = 6;
const PARTS = ['object', 'message', 'value'] as const;
type Part = (typeof PARTS)[number];

/** One acknowledgement: the writer's step of this part is now durable. */
export interface Acknowledgement {
  readonly writer: number;
  readonly part: Part;
  readonly step: number;
}

/** Formats an acknowledgement as one line. */
export function formatAcknowledgement({ writer, part, step }: Acknowledgement): string {
  return `${writer} ${part} ${step}\n`;
}

/** Reads lines of {@link formatAcknowledgement}; what comes after the last line break is not one yet. */
export function parseAcknowledgements(text: string): Acknowledgement[] {
  return wholeLines(text).map((line) => {
    const [writer, part, step] = line.split(' ');
    return { writer: Number(writer), part: part as Part, step: Number(step) };
  });
}

/** Every second writer's object is a secret. */
function keyOf(writer: number): string {
  return `${writer % 2 === 0 ? 'pods' : 'secrets'}/default/w${writer}`;
}

/** Text that does not deflate to nothing. */
function contentOf(writer: number, step: number): string {
  let text = `${writer} ${step}\n`;
  for (let n = 0; n < 150; n += 1) text += ((n * 2_654_435_761 + step * 97 + writer) >>> 3).toString(36);
  return text;
}

/** Takes the parts of a writer to a step, together; answers each as soon as it is durable. */
export async function takeStep(
  store: EdgeStore,
  writer: number,
  step: number,
  done: (acknowledgement: Acknowledgement) => void,
): Promise<void> {
  const key = keyOf(writer);
  const change = step % 5 === 0 ? { remove: key } : put(key, contentOf(writer, step), String(step));
  const record = { normalForm: 1, stamp: Buffer.from(`${writer} ${step}`) };
  const name = `pod/w${writer}`;
  const entry = message(name, step * WRITERS + writer, contentOf(writer, step));
  await Promise.all([
    store.replica.apply(SCOPE, [change], record).then(() => done({ writer, part: 'object', step })),
    store.outbox
      .write(step % 4 === 0 ? { put: [], remove: [name] } : { put: [entry], remove: [] })
      .then(() => done({ writer, part: 'message', step })),
    store.state
      .set(`w${writer}`, Buffer.from(contentOf(writer, step)), { secret: writer % 3 === 0 })
      .then(() => done({ writer, part: 'value', step })),
  ]);
}

/** What must be found, from the acknowledgements seen. */
export class Ledger {
  readonly #steps = new Map<string, number>();

  add({ writer, part, step }: Acknowledgement): void {
    this.#steps.set(`${writer} ${part}`, step);
  }

  /** Each writer's step from which the load may go on: the furthest that any of its parts has come to. */
  get steps(): number[] {
    return Array.from({ length: WRITERS }, (_, writer) =>
      Math.max(...PARTS.map((part) => this.#stepOf(writer, part))),
    );
  }

  /**
   * Holds a store found after a crash against what was acknowledged: nothing is lost, and what is listed is what is on
   * disk. A write under way may have happened or not.
   */
  async check(store: EdgeStore): Promise<void> {
    const entries = store.replica.entries(SCOPE);
    const messages = new Map((await store.outbox.load()).map(({ key, body }) => [key, textOf(body)]));
    for (let writer = 0; writer < WRITERS; writer += 1) {
      const key = keyOf(writer);
      const content = entries.has(key) ? await store.replica.read(SCOPE, key) : undefined;
      this.#compare(writer, 'object', textOf(content), (step) => step % 5 === 0);
      this.#compare(writer, 'message', messages.get(`pod/w${writer}`), (step) => step % 4 === 0);
      this.#compare(writer, 'value', textOf(store.state.get(`w${writer}`)), () => false);
    }
    for (const key of entries.keys()) {
      assert.ok((await store.replica.read(SCOPE, key)) !== undefined, `${key} is listed and not there`);
    }
    const applied = [...this.#steps].some(([name, step]) => name.endsWith('object') && step > 0);
    if (applied) assert.equal(store.replica.record(SCOPE).normalForm, 1);
  }

  /** The ledger goes on from what is found. */
  #compare(writer: number, part: Part, found: string | undefined, isGone: (step: number) => boolean): void {
    const step = this.#stepOf(writer, part);
    const possible = [step, this.#next(writer, step)].find((candidate) => {
      const expected = candidate === 0 || isGone(candidate) ? undefined : contentOf(writer, candidate);
      return found === expected;
    });
    const what = found?.split('\n')[0] ?? 'nothing';
    assert.ok(
      possible !== undefined,
      `${part} of writer ${writer}: step ${step} acknowledged, found ${what}`,
    );
    this.#steps.set(`${writer} ${part}`, possible);
  }

  /** After a crash parts that lag behind begin where the furthest had come to. */
  #next(writer: number, step: number): number {
    const furthest = this.steps[writer] ?? 0;
    return step < furthest ? furthest : step + 1;
  }

  #stepOf(writer: number, part: Part): number {
    return this.#steps.get(`${writer} ${part}`) ?? 0;
  }
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
