import type { ContainerRuntime } from '@hawser/edgecore';
import {
  isOver,
  readPod,
  type Pod,
  type PodStatus,
  type SimulatedMachine,
} from '@hawser/edgecore/testing/pods';
import type { Content } from '@hawser/sync';

/** What the disk says of a pod, now and before. */
interface Wish {
  pod: Pod | undefined;
  /** When it was last to run, and when it was last not to, or to run otherwise, virtual milliseconds. */
  wantedMs: number;
  unwantedMs: number;
  /** Whether it was ever to be deleted. */
  wasDeleted: boolean;
}

/** What a {@link PodChecker} works with. */
export interface PodCheckerOptions {
  readonly node: string;
  readonly nowMs: () => number;
  /** What the disk of the edge has. */
  readonly objects: () => Iterable<Content>;
  /** Since when all of it can be read. */
  readonly readableSinceMs: () => number;
  /** Called with what must not happen, and did. */
  readonly fail: (what: string) => void;
}

/** The longest that a worker may act upon what was, once the disk can be read: a grace, slow calls, and a look. */
const ACTS_WITHIN_MS = 130_000;

/**
 * Looks at all that is done to the pods of a machine, with eyes of its own:
 * - nothing is started that the disk does not want, and no container twice at a time;
 * - nothing that runs is ended unless the disk does not want it any more, or wants it otherwise.
 */
export class PodChecker {
  readonly #options: PodCheckerOptions;
  readonly #wishes = new Map<string, Wish>();

  constructor(options: PodCheckerOptions) {
    this.#options = options;
  }

  /** Something has become durable at the edge. */
  applied(): void {
    const nowMs = this.#options.nowMs();
    const pods = this.pods();
    for (const pod of pods.values()) {
      const wish = this.#wishOf(pod.metadata.uid);
      const isDeleted = pod.metadata.deletionTimestamp !== undefined;
      if (isDeleted) wish.wasDeleted = true;
      const isOther = wish.pod !== undefined && imagesOf(wish.pod) !== imagesOf(pod);
      if (isDeleted || isOther) wish.unwantedMs = nowMs;
      if (!isDeleted || isWanted(wish.pod)) wish.wantedMs = nowMs;
      wish.pod = pod;
    }
    for (const [uid, wish] of this.#wishes) {
      if (pods.has(uid)) continue;
      if (wish.pod !== undefined) wish.unwantedMs = nowMs;
      if (isWanted(wish.pod)) wish.wantedMs = nowMs;
      wish.pod = undefined;
    }
  }

  /** The pods that the disk has, by UID. */
  pods(): ReadonlyMap<string, Pod> {
    const pods = new Map<string, Pod>();
    for (const { key, bytes } of this.#options.objects()) {
      if (!key.startsWith('pods/')) continue;
      const read = readPod(bytes);
      if ('pod' in read) pods.set(read.pod.metadata.uid, read.pod);
    }
    return pods;
  }

  /** Whether a pod may have ended for good. */
  mayBeOver(pod: Pod): boolean {
    return pod.spec.restartPolicy !== 'Always' || this.#wishOf(pod.metadata.uid).wasDeleted;
  }

  /** The same runtime, looked at. */
  watch(runtime: ContainerRuntime, machine: SimulatedMachine): ContainerRuntime {
    return new Proxy(runtime, {
      get: (target, name): unknown => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (typeof name === 'string') this.#called(name, args, machine);
          return Reflect.apply(value, target, args);
        };
      },
    });
  }

  /** What is not as it is to be once all is quiet. */
  problem(machine: SimulatedMachine, statusOf: (uid: string) => string | undefined): string | undefined {
    const wanted = new Set<string>();
    for (const pod of this.pods().values()) {
      const { uid } = pod.metadata;
      if (pod.metadata.deletionTimestamp !== undefined) return `${uid} is still being deleted`;
      const text = statusOf(uid);
      const status = text === undefined ? undefined : (JSON.parse(text) as PodStatus);
      if (status === undefined) return `${uid} has no status`;
      if (isOver(status.phase)) {
        if (this.mayBeOver(pod)) continue;
        return `${uid} is ${status.phase}, and nobody ended it`;
      }
      if (pod.spec.restartPolicy !== 'Always') return `${uid} has not done its work`;
      for (const { name, image } of pod.spec.containers) {
        wanted.add(`${uid}/${name}`);
        const container = machine.pods.get(uid)?.containers.find((one) => one.name === name);
        if (container?.state === 'running' && container.image !== image)
          return `${uid}/${name} runs ${container.image}, not ${image ?? ''}`;
      }
    }
    const running = machine.running.join(' ');
    const wish = [...wanted].sort().join(' ');
    return running === wish ? undefined : `${running} run, wanted are ${wish}`;
  }

  #called(name: string, args: readonly unknown[], machine: SimulatedMachine): void {
    const id = String(args[0]);
    switch (name) {
      case 'startContainer': {
        const found = machine.pods.find(id);
        if (found !== undefined) this.#starts(found.pod.uid, found.container.name, id, machine);
        return;
      }
      case 'stopContainer':
      case 'removeContainer': {
        const found = machine.pods.find(id);
        if (found?.container.state === 'running')
          this.#ends(found.pod.uid, `${name} ${found.container.name}`);
        return;
      }
      case 'stopSandbox':
      case 'removeSandbox': {
        const pod = machine.pods.ofSandbox(id);
        if (pod?.containers.some(({ state, sandboxId }) => state === 'running' && sandboxId === id) === true)
          this.#ends(pod.uid, name);
        return;
      }
      default:
    }
  }

  #starts(uid: string, name: string, id: string, machine: SimulatedMachine): void {
    const { node, fail } = this.#options;
    const { pod, wantedMs } = this.#wishOf(uid);
    if (!isWanted(pod) && this.#isLongAgo(wantedMs))
      fail(`${node}: ${uid}/${name} was started, and was not wanted`);
    const others =
      machine.pods.get(uid)?.containers.filter((one) => one.name === name && one.id !== id) ?? [];
    if (others.some(({ state, ended }) => state === 'running' && ended === undefined))
      fail(`${node}: ${uid}/${name} was started beside another attempt of it`);
  }

  #ends(uid: string, what: string): void {
    const { node, fail } = this.#options;
    const { pod, unwantedMs } = this.#wishOf(uid);
    if (isWanted(pod) && this.#isLongAgo(unwantedMs))
      fail(`${node}: ${what} of ${uid}, which was wanted as it was`);
  }

  /** Whether nobody may act upon it any more. */
  #isLongAgo(ms: number): boolean {
    const { nowMs, readableSinceMs } = this.#options;
    return nowMs() - Math.max(ms, ms === -Infinity ? ms : readableSinceMs()) > ACTS_WITHIN_MS;
  }

  #wishOf(uid: string): Wish {
    let wish = this.#wishes.get(uid);
    if (wish === undefined) {
      wish = { pod: undefined, wantedMs: -Infinity, unwantedMs: -Infinity, wasDeleted: false };
      this.#wishes.set(uid, wish);
    }
    return wish;
  }
}

function isWanted(pod: Pod | undefined): boolean {
  return pod !== undefined && pod.metadata.deletionTimestamp === undefined;
}

function imagesOf({ spec }: Pod): string {
  return spec.containers.map(({ image }) => image ?? '').join(' ');
}
