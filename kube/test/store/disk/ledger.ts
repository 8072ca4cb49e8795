import assert from 'node:assert/strict';
import { wholeLines } from '@hawser/seams/testing';
import type { ObjectStore } from '../../../src/index.ts';
import { configMap, configMaps, keyOf, valueOf } from '../../../testing/store-samples.ts';

/**
 * A load whose results can be judged afterwards: each writer owns one object and takes it through numbered steps,
 * acknowledging each. Every fifth step deletes the object, the next makes it again.
 */
export const WRITERS = 8;
const STEPS_TO_DELETION = 5;

/** One acknowledgement: the writer, the step that is now durable, the version it got. */
export interface Acknowledgement {
  readonly writer: number;
  readonly step: number;
  readonly version: number;
}

/** Formats an acknowledgement as one line. */
export function formatAcknowledgement({ writer, step, version }: Acknowledgement): string {
  return `${writer} ${step} ${version}\n`;
}

/** Reads lines of {@link formatAcknowledgement}; what comes after the last line break is not one yet. */
export function parseAcknowledgements(text: string): Acknowledgement[] {
  return wholeLines(text).map((line) => {
    const [writer = -1, step = -1, version = -1] = line.split(' ').map(Number);
    return { writer, step, version };
  });
}

/** Takes a writer's object to its next step; returns the version. */
export async function takeStep(store: ObjectStore, writer: number, step: number): Promise<number> {
  const key = keyOf(`w${writer}`);
  const current = store.get(key);
  const object = configMap(key.name, { value: String(step), text: 'x'.repeat(1500) });
  if (current === undefined) return (await store.create(key, object)).resourceVersion;
  if (step % STEPS_TO_DELETION === 0)
    return (await store.delete(key, current.resourceVersion)).resourceVersion;
  return (await store.update(key, current.resourceVersion, object)).resourceVersion;
}

/** What must be found, from the acknowledgements seen. */
export class Ledger {
  readonly #steps: number[] = Array.from({ length: WRITERS }, () => 0);
  #version = 0;

  add({ writer, step, version }: Acknowledgement): void {
    this.#steps[writer] = step;
    this.#version = Math.max(this.#version, version);
  }

  get steps(): readonly number[] {
    return this.#steps;
  }

  /**
   * Holds a store found after a crash against what was acknowledged: nothing is lost, versions do not go back, and
   * the history tells the same story as the objects. A write under way may have happened or not; the ledger goes on
   * from what is found.
   */
  check(store: ObjectStore): void {
    assert.ok(
      store.resourceVersion >= this.#version,
      `version ${store.resourceVersion} after ${this.#version}`,
    );
    for (const [writer, step] of this.#steps.entries()) {
      const found = store.get(keyOf(`w${writer}`));
      const value = found === undefined ? undefined : valueOf(found.object);
      const possible = [step, step + 1].find((candidate) => value === expectedValue(candidate));
      assert.ok(
        possible !== undefined,
        `writer ${writer} acknowledged step ${step}, found ${value ?? 'nothing'}`,
      );
      this.#steps[writer] = possible;
    }
    checkHistory(store);
  }
}

function expectedValue(step: number): number | undefined {
  return step % STEPS_TO_DELETION === 0 ? undefined : step;
}

/** Undoing all events leads to some state; doing them again must lead to the present. */
function checkHistory(store: ObjectStore): void {
  const present = store
    .list(configMaps)
    .entries.map(({ key, resourceVersion }) => [key.name, resourceVersion]);
  const oldest = store.list(configMaps, { atVersion: store.oldestWatchVersion });
  const objects = new Map(oldest.entries.map(({ key, resourceVersion }) => [key.name, resourceVersion]));
  for (let version = store.oldestWatchVersion + 1; version <= store.resourceVersion; version += 1) {
    const list = store.list(configMaps, { atVersion: version });
    const changed = list.entries.filter((entry) => objects.get(entry.key.name) !== entry.resourceVersion);
    for (const { resourceVersion } of changed) assert.equal(resourceVersion, version);
    objects.clear();
    for (const { key, resourceVersion } of list.entries) objects.set(key.name, resourceVersion);
  }
  assert.deepEqual([...objects], present);
}
