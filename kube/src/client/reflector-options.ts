import type { Clock, Random } from '@hawser/seams';
import type { KubeObject } from '../meta/object.ts';
import type { ReflectorMetrics } from './client-metrics.ts';
import type { ListerWatcher } from './lister-watcher.ts';

/** What a reflector was at when something failed. */
export type ReflectorPhase = 'list' | 'streaming-list' | 'watch';

/** Why a list had to follow the first. */
export type RelistCause =
  /** The version was too old for the server's history (410). */
  | 'expired'
  /** The server shows an older state than was seen before: restored, or lagging. */
  | 'rollback'
  /** The server refused the watch for good, or answered nonsense several times. */
  | 'watch-failed'
  /** Somebody asked for it, who knows that the server is not where it was. */
  | 'asked';

/** Where a reflector puts what it sees. Methods are synchronous: what they are told is one state of the server. */
export interface ReflectorSink<E> {
  /** Makes of an object what is stored; undefined leaves it out. */
  prepare(object: KubeObject): E | undefined;
  /** These are all objects there are, as of `version`. */
  replace(entries: Iterable<E>, version: string): void;
  /** The object is new or has changed. */
  put(entry: E): void;
  /** The object is gone, or no longer selected. */
  remove(object: KubeObject): void;
}

/** Settings of a `Reflector`. */
export interface ReflectorOptions<E> {
  /** Names it in metrics: the resource's plural, with whatever tells it from others. */
  readonly name: string;
  readonly listerWatcher: ListerWatcher;
  readonly sink: ReflectorSink<E>;
  /**
   * What the very first list asks for: `'0'`, what the server has in memory (cheap, may be a little old), or `''`,
   * the newest state. A streaming list always begins with the newest. Default `'0'`.
   */
  readonly initialVersion?: '' | '0';
  /** Objects in a page of a list. Default 500. */
  readonly pageSize?: number;
  /** Whether to try streaming lists. Default true. */
  readonly streamingLists?: boolean;
  /** A watch lasts between this and twice this, by chance, so that not all end together. Default 300 (seconds). */
  readonly minWatchSeconds?: number;
  /**
   * Whether a watch that failed, or ended before its time, is reason to look whether the server was restored to an
   * older state: one list of one object for each such watch. Default false: only after a watch that was silent for long.
   */
  readonly suspectsRestores?: boolean;
  /** How long after its time-out a watch that did not end is given up. Default 30000. */
  readonly stalledMarginMs?: number;
  /** Silence within a streaming list after which it is given up. Default 30000. */
  readonly initialSilenceMs?: number;
  /** Back-off after failures, full jitter. Default 800 up to 30000; starts over once a watch lived for 10 s. */
  readonly backoffBaseMs?: number;
  readonly backoffCapMs?: number;
  /** Hears of every failure; the reflector goes on by itself. Default: counted only. */
  readonly onError?: (error: Error, phase: ReflectorPhase) => void;
  readonly metrics?: ReflectorMetrics;
  readonly clock?: Clock;
  readonly random?: Random;
}
