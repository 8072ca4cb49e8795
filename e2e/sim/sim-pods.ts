import { silentLogger } from '@hawser/seams';
import {
  nullParts,
  NullImages,
  PodManager,
  PodStatuses,
  RuntimeError,
  SimulatedMachine,
  SimulatedRuntime,
  type JsonState,
  type Pod,
  type PodParts,
  type PodStatus,
  type SimulatedCall,
  type SimulatedProgram,
} from '@hawser/edgecore/testing/pods';
import type { ReplicaStore } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import type { Dice } from './dice.ts';
import type { PodChecker } from './pod-checker.ts';
import type { SimDisk } from './sim-disk.ts';
import type { MortalClock, VirtualTime } from './virtual-time.ts';

/** What one life of an edge process runs pods with. */
export interface PodLife {
  readonly scope: string;
  readonly clock: MortalClock;
  readonly replica: ReplicaStore;
  readonly dice: Dice;
  readonly onStatus: (pod: Pod, status: PodStatus) => void;
  readonly onGone: (pod: Pod) => void;
}

/** How often all pods are looked at again, milliseconds. */
const RELIST_MS = 60_000;
const STATUS_PREFIX = 'pod-status/';

/**
 * The machine under an edge: the pods on it, and what edge processes have left on it, outlive them. What runs the pods
 * is the true thing; the runtime, the parts of pods and the disk are models.
 */
export class SimPods {
  readonly machine: SimulatedMachine;
  /** UIDs that have volumes. */
  readonly volumes = new Set<string>();
  /** How many of 1 calls of the runtime fail, and how long they take at most, milliseconds. */
  faults = 0;
  slowMs = 0;
  /** Whether its edge process believes that nothing is wanted: what no process may do, for a test of the checker. */
  forgetsAll = false;
  /** How many of 1 events of the runtime get lost. */
  deafness = 0;
  readonly checker: PodChecker;
  readonly #disk: SimDisk;
  readonly #dice: Dice;
  readonly #state = new Map<string, string>();
  /** Edge processes so far. */
  #lives = 0;

  constructor(time: VirtualTime, disk: SimDisk, dice: Dice, checker: PodChecker) {
    this.machine = new SimulatedMachine({ clock: time, program: ({ image }) => programOf(image) });
    // A slow machine takes its time to say how something ended, too.
    this.machine.settlesAfterMs = () => Math.floor(this.slowMs / 4);
    this.checker = checker;
    this.#disk = disk;
    this.#dice = dice;
  }

  /** The last status of a pod that is on the disk, as JSON. */
  status(uid: string): string | undefined {
    return this.#state.get(`${STATUS_PREFIX}${uid}`);
  }

  /** UIDs that have a status on the disk. */
  statusUids(): readonly string[] {
    return [...this.#state.keys()].map((key) => key.slice(STATUS_PREFIX.length));
  }

  heal(): void {
    this.faults = 0;
    this.slowMs = 0;
    this.deafness = 0;
  }

  /** What runs pods in one life of the edge process; not started. */
  open(life: PodLife): PodManager {
    const { clock, replica, scope, onStatus, onGone } = life;
    const isDead = (): boolean => clock.dead;
    const random = life.dice.fork();
    const runtime = new SimulatedRuntime({
      machine: this.machine,
      clock,
      latencyMs: () => (this.slowMs === 0 ? 0 : this.#dice.between(0, this.slowMs)),
      failure: (call) => this.#failure(call),
      losesEvents: () => clock.dead || (this.deafness > 0 && this.#dice.chance(this.deafness)),
    });
    return new PodManager({
      scope,
      replica: this.forgetsAll ? NOTHING_WANTED : replica,
      runtime: this.checker.watch(mortal(runtime, isDead), this.machine),
      parts: this.#parts(isDead),
      statuses: new PodStatuses(mortal(this.#jsonState(isDead), isDead)),
      reports: { status: onStatus, gone: onGone },
      events: { record: () => {} },
      isLost: () => false,
      hasLost: () => false,
      onUnreadable: () => {},
      onPods: () => {},
      hostIps: () => ['192.0.2.1'],
      relistPeriodMs: RELIST_MS,
      parallelStarts: 2,
      clock,
      random,
      log: silentLogger,
    });
  }

  #failure(call: SimulatedCall): { readonly error: Error; readonly isDone: boolean } | undefined {
    if (this.faults === 0 || !this.#dice.chance(this.faults)) return undefined;
    const error = new RuntimeError('ERR_EDGECORE_RUNTIME', `${call} failed`);
    return { error, isDone: this.#dice.chance(0.5) };
  }

  #parts(isDead: () => boolean): PodParts {
    const parts = nullParts(new NullImages());
    const volumes: PodParts['volumes'] = {
      ...parts.volumes,
      mount: ({ metadata }) => {
        this.volumes.add(metadata.uid);
        return Promise.resolve();
      },
      unmount: (uid) => {
        this.volumes.delete(uid);
        return Promise.resolve();
      },
      uids: () => Promise.resolve([...this.volumes]),
    };
    return { ...parts, volumes: mortal(volumes, isDead) };
  }

  /** Persists what is written once the disk has, and nothing that a dead process had on its way. */
  #jsonState(isDead: () => boolean): JsonState {
    this.#lives += 1;
    const life = this.#lives;
    const commit = async (change: () => void): Promise<void> => {
      await this.#disk.flush();
      // What was on its way when the power went may have reached the disk, but not after it came back.
      if (!isDead() || (life === this.#lives && this.#dice.chance(0.5))) change();
    };
    return {
      read: (key) => Promise.resolve(parsed(this.#state.get(key))),
      readAll: (prefix) => {
        const found = [...this.#state].filter(([key]) => key.startsWith(prefix));
        return Promise.resolve(new Map(found.map(([key, text]) => [key, parsed(text)])));
      },
      write: (key, value) => {
        const text = JSON.stringify(value);
        return commit(() => this.#state.set(key, text));
      },
      remove: (key) => commit(() => this.#state.delete(key)),
    };
  }
}

const NOTHING_WANTED: ReplicaStore = new MemoryReplicaStore();

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

/** `…/ends-<milliseconds>-<exit code>` ends by itself, `…/stops-<milliseconds>` takes its time. */
function programOf(image: string): SimulatedProgram {
  const [, endsAfterMs, exitCode] = /ends-(\d+)-(\d+)/.exec(image) ?? [];
  const [, stopTakesMs] = /stops-(\d+)/.exec(image) ?? [];
  return {
    ...(endsAfterMs !== undefined && { endsAfterMs: Number(endsAfterMs) }),
    exit: { exitCode: Number(exitCode ?? 0) },
    stopTakesMs: Number(stopTakesMs ?? 0),
  };
}

/** Once a process is dead nothing that it asked for answers it, and it asks for nothing more. */
function mortal<T extends object>(object: T, isDead: () => boolean): T {
  return new Proxy(object, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (isDead()) return forever();
        const answer: unknown = Reflect.apply(value, target, args);
        return answer instanceof Promise ? unlessDead(answer, isDead) : answer;
      };
    },
  });
}

async function unlessDead<T>(answer: Promise<T>, isDead: () => boolean): Promise<T> {
  try {
    const value = await answer;
    return isDead() ? await forever() : value;
  } catch (error) {
    if (isDead()) return forever();
    throw error;
  }
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
