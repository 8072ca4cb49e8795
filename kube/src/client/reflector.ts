import { Backoff, systemClock, systemRandom, type Clock, type Random } from '@hawser/seams';
import type { KubeObject } from '../meta/object.ts';
import { StatusError } from '../status/status.ts';
import { cacheKey } from './cache-entry.ts';
import { CallSignal } from './call-signal.ts';
import { ClientError } from './client-error.ts';
import { listAll } from './paged-list.ts';
import { pause } from './pause.ts';
import { report } from './report.ts';
import type { ReflectorOptions, ReflectorPhase, ReflectorSink, RelistCause } from './reflector-options.ts';
import { judgeFailure, type Verdict } from './reflector-verdict.ts';
import { compareVersions } from './resource-version.ts';
import { SyncSignal } from './sync-signal.ts';
import { INITIAL_EVENTS_END, type WatchEvent } from './watch-events.ts';

/** A watch that lived this long was a success: the next failure is a first one. */
const HEALTHY_MS = 10_000;
/** A watch that ended sooner than this without an event counts as failed. Source: client-go VeryShortWatchError. */
const SHORT_MS = 1000;
/** A server with bookmarks sends one about each minute; a watch silent for longer is looked into. */
const SUSPICIOUS_MS = 60_000;
/** A watch that ends this much before its time was ended by a server that stops, or by something between. */
const EARLY_SECONDS = 5;
/** Watches in a row that the server answered wrongly before the state is listed again. */
const BAD_WATCHES = 5;
/** Why a round ends that {@link Reflector.relist} has ended. One for all: it carries nothing. */
const RELIST = new ClientError('ERR_KUBE_CLIENT_CLOSED', 'the state is to be listed anew');
/** A time-out in a row of streaming lists is moved at most this often. */
const REARM_MS = 1000;

interface WatchSession<E> {
  readonly openedMs: number;
  readonly timeoutSeconds: number;
  /** What a streaming list has collected so far; undefined once it is complete, and in a plain watch. */
  collected: Map<string, E> | undefined;
  /** Events and bookmarks received. */
  events: number;
}

/**
 * Keeps a sink equal to what an API server shows: lists, then watches from the list's version on; relists when the
 * history is gone, goes on from the last version seen when a watch merely ended.
 *
 * One round: 1. if the state is unknown or lost: a streaming list, which goes over into a watch by itself, or where
 * the server refuses that a paged list; 2. a watch, until it ends; 3. after a failure a pause with full jitter.
 * No update is lost between list and watch, since a watch starts at the version that the list showed.
 * Source: client-go tools/cache Reflector; KEP-3157 (streaming lists).
 */
export class Reflector<E> {
  readonly #options: ReflectorOptions<E>;
  readonly #sink: ReflectorSink<E>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: Backoff;
  readonly #sync = new SyncSignal();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** Of the present round: ends it, and nothing else. */
  #roundGuard: CallSignal | undefined;
  /** The last version seen, `''` before the first list. */
  #version = '';
  #mustList = true;
  #relistCause: RelistCause | undefined;
  /** The server cannot give the last version seen: ask for the newest, whatever it is. */
  #versionLost = false;
  #phase: ReflectorPhase = 'list';
  #badWatches = 0;
  #suspicious = false;

  constructor(options: ReflectorOptions<E>) {
    this.#options = options;
    this.#sink = options.sink;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#backoff = new Backoff({
      baseMs: options.backoffBaseMs ?? 800,
      capMs: options.backoffCapMs ?? 30_000,
      random: this.#random,
    });
  }

  /** Whether the sink has seen a complete list. */
  get hasSynced(): boolean {
    return this.#sync.done;
  }

  /** The last version seen: of a list, an event or a bookmark; `''` before the first list. */
  get lastVersion(): string {
    return this.#version;
  }

  /**
   * Resolves when the sink has seen a complete list.
   * Errors: `signal.reason`; `ERR_KUBE_CLIENT_CLOSED` when the reflector was stopped before.
   */
  waitForSync(signal?: AbortSignal): Promise<void> {
    return this.#sync.wait(signal);
  }

  /**
   * The state is to be listed anew, whatever was seen: the present list, watch or pause ends at once, nothing of it
   * reaches the sink any more, and the newest state is listed. For whoever knows that the server is not where it was.
   * What the sink shows until then stays. Before the start: the first list is one of the newest state.
   */
  relist(): void {
    this.#suspicious = false;
    this.#badWatches = 0;
    this.#backoff.reset();
    this.#lose('asked');
    this.#roundGuard?.abort(RELIST);
  }

  /** Begins; without effect when begun. A stopped reflector does not start again. */
  start(): void {
    if (this.#stopping.signal.aborted) return;
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Ends whatever is under way; resolves when nothing is open any more. Idempotent. */
  async stop(): Promise<void> {
    const closed = new ClientError(
      'ERR_KUBE_CLIENT_CLOSED',
      `the reflector of ${this.#options.name} was stopped`,
    );
    this.#sync.fail(closed);
    this.#stopping.abort(closed);
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const guard = new CallSignal(this.#clock, signal);
      this.#roundGuard = guard;
      try {
        await this.#round(guard.signal);
      } catch (error) {
        await this.#recover(error, guard.signal);
      } finally {
        guard.release();
      }
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    if (this.#suspicious) await this.#lookForRollback(signal);
    if (this.#mustList && this.#mayStream()) {
      await this.#watch(signal, new Map());
      return;
    }
    if (this.#mustList) await this.#list(signal);
    await this.#watch(signal, undefined);
  }

  #mayStream(): boolean {
    const { streamingLists = true, listerWatcher } = this.#options;
    return streamingLists && listerWatcher.server.mayStreamLists(this.#clock.monotonicMs());
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#phase = 'list';
    const { listerWatcher, pageSize = 500, initialVersion = '0' } = this.#options;
    const version = this.#versionLost ? '' : this.#version === '' ? initialVersion : this.#version;
    const sink = this.#sink;
    const listed = await listAll(
      listerWatcher,
      { version, pageSize, prepare: (o) => sink.prepare(o) },
      signal,
    );
    signal.throwIfAborted();
    this.#replace(listed.entries, listed.version, 'paged');
  }

  #replace(entries: ReadonlyMap<string, E>, version: string, how: 'paged' | 'streamed'): void {
    const { metrics, name } = this.#options;
    this.#sink.replace(entries.values(), version);
    this.#version = version;
    metrics?.lists.inc({ resource: name, how });
    this.#sync.succeed();
    // The sink may have asked for another list just now.
    if (this.#roundGuard?.signal.aborted === true) return;
    this.#versionLost = false;
    this.#mustList = false;
    if (this.#relistCause !== undefined) metrics?.relists.inc({ resource: name, cause: this.#relistCause });
    this.#relistCause = undefined;
  }

  /** One watch from opening to end; with `collected` it begins with a streaming list. */
  async #watch(signal: AbortSignal, collected: Map<string, E> | undefined): Promise<void> {
    this.#phase = collected === undefined ? 'watch' : 'streaming-list';
    const { listerWatcher, minWatchSeconds = 300, name, metrics } = this.#options;
    const timeoutSeconds = Math.ceil(minWatchSeconds * (1 + this.#random.next()));
    const session = { openedMs: this.#clock.monotonicMs(), timeoutSeconds, collected, events: 0 };
    const guard = new CallSignal(this.#clock, signal);
    try {
      this.#armLifetime(guard, session);
      const resourceVersion = collected !== undefined && this.#versionLost ? '' : this.#version;
      const call = { resourceVersion, timeoutSeconds, ...(collected && { sendInitialEvents: true }) };
      const stream = await listerWatcher.watch(call, guard.signal);
      metrics?.watches.inc({ resource: name });
      let armedMs = this.#clock.monotonicMs();
      if (collected !== undefined) this.#armSilence(guard);
      for await (const event of stream) {
        guard.signal.throwIfAborted();
        const streaming = session.collected !== undefined;
        this.#receive(event, session);
        if (streaming && session.collected === undefined) this.#armLifetime(guard, session);
        else if (streaming && this.#clock.monotonicMs() - armedMs >= REARM_MS) {
          armedMs = this.#clock.monotonicMs();
          this.#armSilence(guard);
        }
      }
      guard.signal.throwIfAborted();
      this.#judgeEnd(session);
    } finally {
      guard.release();
      this.#account(session);
    }
  }

  #receive(event: WatchEvent, session: WatchSession<E>): void {
    const { metrics, name } = this.#options;
    if (event.type === 'ERROR') throw new StatusError(event.status);
    metrics?.events.inc({ resource: name, type: event.type });
    session.events += 1;
    if (session.collected !== undefined) {
      this.#collect(event, session, session.collected);
      return;
    }
    const version = event.object.metadata.resourceVersion ?? '';
    this.#refuseOlder(version);
    if (event.type === 'DELETED') this.#sink.remove(event.object);
    else if (event.type !== 'BOOKMARK') this.#put(event.object);
    // Only now: what the sink did not take comes again.
    this.#version = version;
  }

  #put(object: KubeObject): void {
    const entry = this.#sink.prepare(object);
    if (entry !== undefined) this.#sink.put(entry);
  }

  #collect(
    event: Exclude<WatchEvent, { type: 'ERROR' }>,
    session: WatchSession<E>,
    into: Map<string, E>,
  ): void {
    const { metadata } = event.object;
    if (event.type === 'BOOKMARK') {
      if (metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') return;
      session.collected = undefined;
      this.#phase = 'watch';
      this.#replace(into, metadata.resourceVersion ?? '', 'streamed');
      // The frame of the watch, which may live for minutes, refers to it.
      into.clear();
      return;
    }
    const key = cacheKey(metadata.namespace, metadata.name ?? '');
    const entry = event.type === 'DELETED' ? undefined : this.#sink.prepare(event.object);
    if (entry === undefined) into.delete(key);
    else into.set(key, entry);
  }

  /** An event below the version seen before must not be believed. */
  #refuseOlder(version: string): void {
    const order = compareVersions(version, this.#version);
    if (order !== undefined && order < 0) {
      this.#lose('rollback');
      const text = `the watch went back from version ${this.#version} to ${version}`;
      throw new ClientError('ERR_KUBE_CLIENT_BAD_RESPONSE', text);
    }
  }

  #judgeEnd(session: WatchSession<E>): void {
    if (session.collected !== undefined) {
      throw new ClientError('ERR_KUBE_CLIENT_STALLED', 'the watch ended before its initial events did');
    }
    if (session.events === 0 && this.#clock.monotonicMs() - session.openedMs < SHORT_MS) {
      throw new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'the server ended the watch at once');
    }
    const livedMs = this.#clock.monotonicMs() - session.openedMs;
    if (livedMs < (session.timeoutSeconds - EARLY_SECONDS) * 1000) this.#onBroken();
  }

  #account(session: WatchSession<E>): void {
    const livedMs = this.#clock.monotonicMs() - session.openedMs;
    if (livedMs >= HEALTHY_MS && session.events > 0) this.#backoff.reset();
    if (session.events > 0) this.#badWatches = 0;
    else if (livedMs >= SUSPICIOUS_MS && this.#phase === 'watch') this.#suspicious = true;
  }

  /**
   * A watch from a version that the server has not reached is silent, not refused: so it looks after etcd was
   * restored from a backup. One cheap list tells: after a watch that was silent for long, and, where asked for, after
   * one that failed or ended before its time, since a server that is restored was stopped first.
   */
  async #lookForRollback(signal: AbortSignal): Promise<void> {
    this.#phase = 'list';
    const page = await this.#options.listerWatcher.list({ resourceVersion: '', limit: 1 }, signal);
    signal.throwIfAborted();
    this.#suspicious = false;
    const order = compareVersions(page.resourceVersion, this.#version);
    if (order !== undefined && order < 0) this.#lose('rollback');
  }

  #onBroken(): void {
    if (this.#options.suspectsRestores === true) this.#suspicious = true;
  }

  #lose(cause: RelistCause): void {
    this.#mustList = true;
    this.#relistCause ??= this.#sync.done ? cause : undefined;
    if (cause !== 'watch-failed') this.#versionLost = true;
  }

  /** Draws the conclusions from a failure, reports it, and pauses. */
  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { listerWatcher, onError, metrics, name } = this.#options;
    const phase = this.#phase;
    const verdict = judgeFailure(error, phase);
    if (verdict.streamingRefused) listerWatcher.server.streamingListsRefused(this.#clock.monotonicMs());
    this.#conclude(verdict, phase);
    metrics?.errors.inc({ resource: name, phase });
    report(onError, error, phase);
    const waitMs = verdict.streamingRefused ? 0 : Math.max(this.#backoff.nextMs(), verdict.retryAfterMs);
    await pause(waitMs, this.#clock, signal);
  }

  #conclude(verdict: Verdict, phase: ReflectorPhase): void {
    // 410 for a watch: the server lists at least the version that we have. 410 for a list: it does not have it.
    if (verdict.lost === 'expired' && phase === 'watch') {
      this.#mustList = true;
      this.#relistCause ??= 'expired';
    } else if (verdict.lost !== undefined) this.#lose(verdict.lost);
    else if (phase === 'watch') this.#onBroken();
    if (verdict.badAnswer && phase === 'watch') this.#badWatches += 1;
    if (this.#badWatches < BAD_WATCHES) return;
    this.#badWatches = 0;
    this.#lose('watch-failed');
  }

  #armLifetime(guard: CallSignal, { openedMs, timeoutSeconds }: WatchSession<E>): void {
    const { stalledMarginMs = 30_000 } = this.#options;
    const leftMs = openedMs + timeoutSeconds * 1000 + stalledMarginMs - this.#clock.monotonicMs();
    guard.arm(leftMs, () => {
      return new ClientError(
        'ERR_KUBE_CLIENT_STALLED',
        `the watch did not end after its ${timeoutSeconds} s`,
      );
    });
  }

  #armSilence(guard: CallSignal): void {
    const silenceMs = this.#options.initialSilenceMs ?? 30_000;
    guard.arm(silenceMs, () => {
      return new ClientError(
        'ERR_KUBE_CLIENT_STALLED',
        `no initial event for ${silenceMs} ms, and no end of them`,
      );
    });
  }
}
