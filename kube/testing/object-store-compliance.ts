import type { HistoryLimits, ObjectStore } from '../src/index.ts';
import { describeConcurrency } from './store-concurrency.ts';
import { describeLifecycle } from './store-lifecycle.ts';
import { describeListing } from './store-listing.ts';
import { describeWatching } from './store-watching.ts';
import { describeWriting } from './store-writing.ts';

/** Makes fresh, empty stores for a compliance suite, and clears up after them. */
export interface StoreFixture {
  open(limits?: HistoryLimits): Promise<ObjectStore>;
  /** Closes every store opened and removes what they left. Called after each test. */
  clean(): Promise<void>;
}

/** The part of {@link describeObjectStore} that is about reading: `open` gives stores that somehow take writes. */
export function describeStoreReading(name: string, fixture: StoreFixture): void {
  describe(`${name}: an object store to read from`, () => {
    afterEach(() => fixture.clean());
    describeListing(fixture);
    describeWatching(fixture);
  });
}

/**
 * The compliance suite of {@link ObjectStore}: what every implementation must do. Call it at the top level of a mocha
 * test file.
 */
export function describeObjectStore(name: string, fixture: StoreFixture): void {
  describe(`${name}: an object store`, () => {
    afterEach(() => fixture.clean());
    describeWriting(fixture);
    describeListing(fixture);
    describeWatching(fixture);
    describeConcurrency(fixture);
    describeLifecycle(fixture);
  });
}
