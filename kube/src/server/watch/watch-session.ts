import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '@hawser/seams';
import { StatusError, type Status } from '../../status/status.ts';
import { asStatusError } from '../../status/as-status-error.ts';
import { failure } from '../../status/status-errors.ts';
import { FellBehindError } from '../../store/event-watch.ts';
import type { ObjectStore, StoreWatch } from '../../store/store.ts';
import type { ListOptions } from '../http/query-options.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import type { Selection } from '../rest/object-lister.ts';
import { seenEvent, type EventLines } from './event-line.ts';

/** Why a watch ended. */
export type WatchEnd = 'timeout' | 'client' | 'slow' | 'expired' | 'removed' | 'stopped' | 'error';

/** Bounds of one watch. */
export interface WatchLimits {
  /** How long a reader may leave our writes waiting, in ms. */
  readonly stalledMs: number;
  /** Interval between bookmarks, in ms. */
  readonly bookmarkMs: number;
  /** Events that wait for a slow reader. */
  readonly limitEvents: number;
}

/** A bookmark is sent this long before the end, so that the client can go on from there. */
const BOOKMARK_BEFORE_END_MS = 2000;

/** Nobody is to go on from there: the next resource of that name is another one. */
const { status: REMOVED } = failure(410, 'Expired', 'The resource is not served any more.');

/** What a {@link WatchSession} watches, and for whom. */
export interface WatchSessionOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly definition: ResourceDefinition;
  readonly namespace: string;
  readonly selection: Selection;
  readonly options: ListOptions;
  /** The version to start from; undefined: send what is there first. */
  readonly fromVersion: number | undefined;
  readonly lines: EventLines;
  readonly timeoutMs: number;
  readonly limits: WatchLimits;
  /** Error of a start that is too old, in the words of the resource. */
  tooOld(error: Status): Status;
}

/**
 * One watch request: sends the state (if asked), then events, bookmarks in between, until its time is over, the
 * client leaves or falls too far behind, the resource is not served any more, or the server stops.
 */
export class WatchSession {
  readonly #options: WatchSessionOptions;
  readonly #response: ServerResponse;
  readonly #timers: Timer[] = [];
  #watch: StoreWatch | undefined;
  #end: WatchEnd | undefined;
  /** Whether a write is waiting for the socket: then not all that was delivered has been sent. */
  #blocked = false;
  #sentVersion = 0;

  constructor(response: ServerResponse, options: WatchSessionOptions) {
    this.#response = response;
    this.#options = options;
  }

  /** Runs to the end; never rejects. The response has been ended, or is destroyed, when it resolves. */
  async run(): Promise<WatchEnd> {
    const onClose = (): void => this.#finish('client');
    this.#response.once('close', onClose);
    try {
      await this.#stream();
      if (this.#end === 'removed') await this.#write(this.#options.lines.error(REMOVED));
    } catch (error) {
      await this.#fail(error);
    } finally {
      this.#response.removeListener('close', onClose);
      for (const timer of this.#timers.splice(0)) timer.cancel();
      this.#watch?.close();
    }
    const end = this.#end ?? 'timeout';
    if (end === 'slow') this.#response.destroy();
    else if (!this.#response.writableEnded) this.#response.end();
    return end;
  }

  /** What is watched. */
  get definition(): ResourceDefinition {
    return this.#options.definition;
  }

  /** Ends the watch. */
  stop(why: 'removed' | 'stopped'): void {
    this.#finish(why);
  }

  async #stream(): Promise<void> {
    const { store, definition, namespace, limits, fromVersion } = this.#options;
    const scope = { ...definition.storage, ...(namespace === '' ? {} : { namespace }) };
    const initial = fromVersion === undefined ? store.list(scope) : undefined;
    const start = initial?.resourceVersion ?? fromVersion ?? 0;
    this.#watch = store.watch(scope, { fromVersion: start, limitEvents: limits.limitEvents });
    this.#sentVersion = start;
    this.#response.flushHeaders();
    this.#setTimers();
    if (initial !== undefined) {
      for (const entry of initial.entries) {
        if (this.#ended()) return;
        if (!this.#options.selection.matches(entry)) continue;
        await this.#write(this.#options.lines.initial(entry));
      }
      const { sendInitialEvents, allowWatchBookmarks } = this.#options.options;
      if (sendInitialEvents === true && allowWatchBookmarks) {
        await this.#write(this.#options.lines.bookmark(start, true));
      }
    }
    for await (const event of this.#watch) {
      if (this.#ended()) return;
      const seen = seenEvent(event, this.#options.selection);
      if (seen === undefined) continue;
      const line = this.#options.lines.line(seen);
      this.#sentVersion = event.entry.resourceVersion;
      // Without a wait where the socket takes it: a thousand watchers of one event must not take a thousand turns.
      if (!this.#response.write(line)) await this.#drained();
    }
  }

  /** A method, so that the compiler does not take the first look for the last. */
  #ended(): boolean {
    return this.#end !== undefined;
  }

  async #write(line: Buffer): Promise<void> {
    if (!this.#response.write(line)) await this.#drained();
  }

  /** Waits until the client has read on; a client that does not ends as slow. */
  async #drained(): Promise<void> {
    if (this.#ended() || this.#response.destroyed) return;
    this.#blocked = true;
    const { clock, limits } = this.#options;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#response.removeListener('drain', done);
        this.#response.removeListener('close', done);
        resolve();
      };
      const timer = clock.setTimer(limits.stalledMs, () => {
        this.#finish('slow');
        done();
      });
      this.#response.once('drain', done);
      this.#response.once('close', done);
    });
    this.#blocked = false;
  }

  #setTimers(): void {
    const { clock, timeoutMs, options, limits } = this.#options;
    this.#timers.push(clock.setTimer(timeoutMs, () => this.#finish('timeout'), { background: true }));
    if (!options.allowWatchBookmarks) return;
    const untilLastMs = timeoutMs - BOOKMARK_BEFORE_END_MS;
    if (untilLastMs > 0)
      this.#timers.push(clock.setTimer(untilLastMs, () => this.#bookmark(), { background: true }));
    const repeat = (): void => {
      const timer = clock.setTimer(
        limits.bookmarkMs,
        () => {
          this.#timers.splice(this.#timers.indexOf(timer), 1);
          this.#bookmark();
          if (!this.#ended()) repeat();
        },
        { background: true },
      );
      this.#timers.push(timer);
    };
    if (limits.bookmarkMs < untilLastMs) repeat();
  }

  /** Says how far the client is, if that is news and everything up to there has been sent. */
  #bookmark(): void {
    const version = this.#watch?.deliveredVersion ?? 0;
    if (this.#ended() || this.#blocked || version <= this.#sentVersion) return;
    this.#sentVersion = version;
    this.#response.write(this.#options.lines.bookmark(version, false));
  }

  #finish(end: WatchEnd): void {
    this.#end ??= end;
    this.#watch?.close();
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#ended()) return;
    const { status } = asStatusError(error);
    const expired = error instanceof StatusError && status.reason === 'Expired';
    // The store drops a reader that fell behind: no line would reach it either.
    if (error instanceof FellBehindError) this.#end = 'slow';
    else this.#end = expired ? 'expired' : 'error';
    if (this.#end === 'slow') return;
    await this.#write(this.#options.lines.error(expired ? this.#options.tooOld(status) : status));
  }
}
