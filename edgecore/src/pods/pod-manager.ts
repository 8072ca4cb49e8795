import type { ContentKey, ReplicaStore } from '@hawser/sync';
import { delay, type Clock, type Logger, type Random, type Timer } from '@hawser/seams';
import type { ContainerRuntime, RuntimePod } from '../runtime/container-runtime.ts';
import { podName, PODS, readPod, type Pod } from './pod.ts';
import type { PodEvents } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import type { PodStatuses } from './pod-statuses.ts';
import type { PodReports } from './pod-reporter.ts';
import { PodWorker } from './pod-worker.ts';
import { StartGate } from './start-gate.ts';

/** What a {@link PodManager} needs. */
export interface PodManagerOptions {
  /** `node/<name>`. */
  readonly scope: string;
  readonly replica: ReplicaStore;
  readonly runtime: ContainerRuntime;
  readonly parts: PodParts;
  readonly statuses: PodStatuses;
  readonly reports: PodReports;
  readonly events: PodEvents;
  /**
   * Whether the store lost this object to damage: it is not there, and nobody took it away. What runs because of it
   * goes on running.
   */
  readonly isLost: (key: ContentKey) => boolean;
  /** Whether it may lack objects that nobody took away: those of `isLost`, or some that nobody can name. */
  readonly hasLost: () => boolean;
  /** An object in the store is no pod that can be read. */
  readonly onUnreadable: (key: ContentKey, problem: string) => void;
  /** The pods of the node are others than before, or one of them has changed. */
  readonly onPods: () => void;
  readonly hostIps: () => readonly string[];
  readonly relistPeriodMs: number;
  /** How many sandboxes are made at a time. */
  readonly parallelStarts: number;
  readonly clock: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  readonly log: Logger;
}

/** How long the start waits for a runtime that takes calls and does not answer, each time it asks, milliseconds. */
const START_PATIENCE_MS = 5_000;
/** A moment of no worker: it came after the list. */
const NEVER = -1;
/** The same for the stop: then the connection with the runtime is closed, and what waits for it fails. */
const STOP_PATIENCE_MS = 5_000;

/**
 * Keeps one worker for each pod of the node, by UID. Everything it knows comes from the store and the runtime, so
 * that it begins without a cloud as it goes on with one:
 * - a key of the store changed → the object is read, its worker is woken;
 * - an object with the name of another one that is still here → its worker waits for the other to end;
 * - the runtime, or a probe, says that something happened to a pod → its worker is woken;
 * - another object of the store changed → workers that failed, or lack something, are woken;
 * - the runtime has a pod that the store does not have → it is ended. Not before the store was read, not where what
 *   the store has under that name cannot be read, and not while the store may have lost it;
 * - something of a pod is left on the disk, or among the cgroups, that neither of them has → it is removed;
 * - every `relistPeriodMs` all are woken: the fallback for whatever event was missed.
 */
export class PodManager {
  readonly #options: PodManagerOptions;
  readonly #log: Logger;
  readonly #gate: StartGate;
  /** What the store has, by key. */
  readonly #pods = new Map<ContentKey, Pod>();
  readonly #byUid = new Map<string, Pod>();
  /** UID of the pod that had a name last, and has not ended, by `namespace/name`. */
  readonly #latest = new Map<string, string>();
  readonly #workers = new Map<string, PodWorker>();
  /** UIDs that the runtime has without a worker, by `namespace/name`: at the start, and what is left alone for now. */
  readonly #found = new Map<string, string>();
  /** Keys of the store under which there is no pod that can be read. */
  readonly #unreadable = new Set<ContentKey>();
  /** Keys that are being read; true: once more when that is done. */
  readonly #reading = new Map<ContentKey, boolean>();
  readonly #undo: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  /** Reads that are under way: the start waits for them, and for nothing that needs the runtime. */
  readonly #tasks = new Set<Promise<void>>();
  #timer: Timer | undefined;
  #relisting: Promise<void> | undefined;
  /** Whether the runtime has told what it has, when it was asked last. */
  #isListed = false;
  #relistedMs: number | undefined;
  #running = false;

  constructor(options: PodManagerOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#gate = new StartGate(options.parallelStarts);
  }

  /** The pods that the store has. */
  pods(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  /** Calls when the pods are others than before, or one has changed. Answers how to stop listening. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As {@link pods}; undefined where some of them cannot be told now: lost to damage, or being read. */
  allPods(): readonly Pod[] | undefined {
    return this.#running && !this.#isIncomplete() ? this.pods() : undefined;
  }

  /** When all pods were looked at last, monotonic milliseconds; undefined: not since the start. */
  get relistedMs(): number | undefined {
    return this.#relistedMs;
  }

  /** Workers by phase, for status and metrics. */
  phases(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = { sync: 0, terminating: 0, terminated: 0 };
    for (const { phase } of this.#workers.values()) counts[phase] = (counts[phase] ?? 0) + 1;
    return counts;
  }

  /**
   * Reads the store and the runtime, and begins to work. Resolves once every pod has its worker; a runtime that is away,
   * or does not answer, is not waited for. Idempotent.
   */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { replica, runtime, parts, scope, statuses } = this.#options;
    await statuses.load();
    await runtime.start();
    await parts.cgroups.start();
    await parts.volumes.start();
    await this.#soon(this.#findRunning());
    this.#undo.push(
      replica.listen((changed, keys) => {
        if (changed !== scope) return;
        for (const key of keys) if (key.startsWith(PODS)) this.#look(key);
        if (keys.some((key) => !key.startsWith(PODS)))
          for (const worker of this.#workers.values()) worker.sourcesChanged();
      }),
      runtime.listen((uid) => {
        if (uid === undefined) this.#answersAgain();
        else this.#workers.get(uid)?.wake();
      }),
      parts.probes.listen((uid) => this.#workers.get(uid)?.wake()),
    );
    for (const key of replica.entries(scope).keys()) if (key.startsWith(PODS)) this.#look(key);
    await Promise.all(this.#tasks);
    this.#turn();
    await this.#soon(this.#relisting);
  }

  /** Stops every worker, the parts of pods and the runtime; pods stay as they are. Idempotent. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    for (const undo of this.#undo.splice(0)) undo();
    const { runtime, parts, clock } = this.#options;
    let closed: Promise<void> | undefined;
    const close = (): void => {
      closed = runtime.stop();
      closed.catch(() => {}); // heard below
    };
    const patience = clock.setTimer(STOP_PATIENCE_MS, close, { background: true });
    try {
      await Promise.all([...this.#tasks, this.#relisting]);
      await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    } finally {
      patience.cancel();
    }
    await parts.probes.stop();
    await parts.volumes.stop();
    await (closed ?? runtime.stop());
  }

  /** Says the status of every pod again: the cloud asked. */
  repeat(): void {
    for (const worker of this.#workers.values()) worker.repeat();
  }

  /** Looks at every pod: something that all statuses have in them has changed. */
  wakeAll(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** Looks at one pod: something that it waited for may have come. */
  wake(uid: string): void {
    this.#workers.get(uid)?.wake();
  }

  /** Ends a pod for good, said by an event too: it has taken more than it may. */
  evict(uid: string, message: string): void {
    const pod = this.pods().find(({ metadata }) => metadata.uid === uid);
    const worker = this.#workers.get(uid);
    if (pod === undefined || worker === undefined) return;
    this.#options.events.record(pod, 'Warning', 'Evicted', message);
    worker.fail('Evicted', message);
  }

  #look(key: ContentKey): void {
    if (this.#reading.has(key)) {
      this.#reading.set(key, true);
      return;
    }
    this.#reading.set(key, false);
    this.#track(this.#read(key));
  }

  /** Never rejects. */
  async #read(key: ContentKey): Promise<void> {
    do {
      this.#reading.set(key, false);
      try {
        this.#take(key, await this.#options.replica.read(this.#options.scope, key));
      } catch (error) {
        this.#unreadable.add(key);
        this.#log.error({ err: error, key }, 'a pod cannot be read from the store; it stays as it is');
      }
    } while (this.#reading.get(key) === true && this.#running);
    this.#reading.delete(key);
    // Only now all of them may be known.
    this.#tellPods();
  }

  #take(key: ContentKey, bytes: Uint8Array | undefined): void {
    const before = this.#pods.get(key);
    const read = bytes === undefined ? undefined : readPod(bytes);
    if (read !== undefined && 'problem' in read) {
      // What was there stays as it is until there is something to put in its place.
      this.#unreadable.add(key);
      this.#options.onUnreadable(key, read.problem);
      return;
    }
    if (read === undefined && (this.#options.isLost(key) || this.#isInStore(key))) {
      this.#unreadable.add(key);
      return;
    }
    this.#unreadable.delete(key);
    if (before !== undefined) this.#byUid.delete(before.metadata.uid);
    if (read === undefined) {
      this.#pods.delete(key);
    } else {
      this.#pods.set(key, read.pod);
      this.#byUid.set(read.pod.metadata.uid, read.pod);
    }
    const isAnother = before !== undefined && before.metadata.uid !== read?.pod.metadata.uid;
    if (isAnother) this.#workers.get(before.metadata.uid)?.wake();
    if (read !== undefined) this.#workerOf(read.pod).wake();
    this.#tellPods();
  }

  #tellPods(): void {
    this.#options.onPods();
    for (const listener of this.#listeners) listener();
  }

  #workerOf(pod: Pod): PodWorker {
    const { uid } = pod.metadata;
    const present = this.#workers.get(uid);
    if (present !== undefined) return present;
    this.#log.info({ pod: podName(pod), uid }, 'pod to look after');
    const other = this.#latest.get(podName(pod)) ?? this.#found.get(podName(pod));
    const after = other === undefined || other === uid ? undefined : this.#endOf(other, podName(pod));
    const worker = this.#add(uid, podName(pod), after);
    this.#latest.set(podName(pod), uid);
    return worker;
  }

  /** When the pod that had this name before will have ended here. */
  #endOf(uid: string, name: string): Promise<void> | undefined {
    if (this.#found.get(name) !== uid) return this.#workers.get(uid)?.ended;
    const worker = this.#workers.get(uid) ?? this.#add(uid, name);
    worker.wake();
    return worker.ended;
  }

  /** @param after resolves when it may begin */
  #add(uid: string, name: string, after?: Promise<void>): PodWorker {
    const { runtime, parts, statuses, reports, events, hostIps, clock, random } = this.#options;
    const worker = new PodWorker({
      ...{ uid, runtime, parts, statuses, reports, events, hostIps, clock },
      desired: () => this.#byUid.get(uid),
      gate: this.#gate,
      ...(after !== undefined && { after }),
      ...(random !== undefined && { random }),
      onDone: () => {
        this.#workers.delete(uid);
        if (this.#latest.get(name) === uid) this.#latest.delete(name);
        this.#log.info({ pod: name, uid }, 'pod has ended');
      },
      log: this.#log.child({ pod: name, uid }),
    });
    this.#workers.set(uid, worker);
    // What is only to be ended does not stand in for the pod that has the name now.
    if (!this.#latest.has(name)) this.#latest.set(name, uid);
    return worker;
  }

  /** A runtime that is away is found again; what it has then is seen by the next re-list. */
  async #findRunning(): Promise<void> {
    try {
      const found = await this.#options.runtime.list();
      for (const { uid, namespace, name } of found) this.#found.set(`${namespace}/${name}`, uid);
    } catch (error) {
      this.#log.warn({ err: error }, 'what runs could not be listed yet');
    }
  }

  /** Ends what the runtime has and the store has not, and what is left of pods that are in neither. */
  async #relist(): Promise<void> {
    this.#lookForMissed();
    this.#isListed = false;
    this.#relistedMs = this.#options.clock.monotonicMs();
    const moments = new Map([...this.#workers].map(([uid, { moment }]) => [uid, moment]));
    const listed = new Map<string, RuntimePod>();
    try {
      const present = await this.#options.runtime.list();
      if (!this.#running) return;
      this.#isListed = true;
      for (const pod of present) listed.set(pod.uid, pod);
      this.#found.clear();
      for (const { uid, namespace, name } of present) {
        if (this.#workers.has(uid)) continue; // it knows better
        // What the store has under that name may be this pod, unreadable for now.
        const isLeft = this.#mayHave(`${PODS}${namespace}/${name}`);
        if (isLeft) this.#found.set(`${namespace}/${name}`, uid);
        else this.#add(uid, `${namespace}/${name}`);
      }
      const left = this.#isIncomplete() ? [] : await this.#leftovers();
      for (const uid of left) if (!this.#workers.has(uid)) this.#add(uid, uid);
    } catch (error) {
      this.#log.warn({ err: error }, 'pods could not be listed again');
    }
    for (const [uid, worker] of this.#workers) {
      if (this.#isListed) worker.wakeWith(listed.get(uid), moments.get(uid) ?? NEVER);
      else worker.wake();
    }
  }

  /** UIDs of pods that have left something, for a crash or for now. */
  async #leftovers(): Promise<ReadonlySet<string>> {
    const { statuses, parts } = this.#options;
    return new Set([...statuses.uids(), ...(await parts.volumes.uids()), ...(await parts.cgroups.uids())]);
  }

  /** Reads what the store has and this has not, and the reverse. */
  #lookForMissed(): void {
    const { replica, scope } = this.#options;
    const there = replica.entries(scope);
    for (const key of there.keys()) if (key.startsWith(PODS) && !this.#pods.has(key)) this.#look(key);
    for (const [key, { metadata }] of this.#pods)
      if (!there.has(key) || !this.#workers.has(metadata.uid)) this.#look(key);
    for (const key of this.#unreadable) this.#look(key);
  }

  #isInStore(key: ContentKey): boolean {
    return this.#options.replica.entries(this.#options.scope).has(key);
  }

  /** Whether a status may be that of a pod which cannot be read at the moment. */
  #isIncomplete(): boolean {
    return this.#unreadable.size > 0 || this.#reading.size > 0 || this.#options.hasLost();
  }

  /** Whether there may be a pod under a key that is not known here. */
  #mayHave(key: ContentKey): boolean {
    if (this.#unreadable.has(key) || this.#reading.has(key)) return true;
    return this.#options.isLost(key) || (this.#options.hasLost() && !this.#isInStore(key));
  }

  /** The runtime may have been away, and is not any more. What it has is not known where it could not be listed. */
  #answersAgain(): void {
    if (this.#isListed) this.wakeAll();
    else this.#turn();
  }

  /** Looks at all of them, and again after a while. One look at a time. */
  #turn(): void {
    if (!this.#running || this.#relisting !== undefined) return;
    this.#timer?.cancel();
    this.#relisting = this.#relist().finally(() => {
      this.#relisting = undefined;
      this.#arm();
    });
  }

  #arm(): void {
    if (!this.#running) return;
    const { clock, relistPeriodMs } = this.#options;
    this.#timer = clock.setTimer(relistPeriodMs, () => this.#turn(), { background: true });
  }

  /** Waits for it, but not for long: it goes on, and nobody depends on it. */
  async #soon(task: Promise<void> | undefined): Promise<void> {
    const over = new AbortController();
    const patience = delay(START_PATIENCE_MS, { clock: this.#options.clock, signal: over.signal });
    await Promise.race([task, patience.catch(() => {})]);
    over.abort();
  }

  #track(task: Promise<void>): void {
    this.#tasks.add(task);
    void task.finally(() => this.#tasks.delete(task));
  }
}
