import type { ContainerHooks } from '../src/hooks/container-hooks.ts';
import type { PodImages } from '../src/images/pod-images.ts';
import type { Pod } from '../src/pods/pod.ts';
import { nullParts } from '../src/pods/null-parts.ts';
import type { PodParts } from '../src/pods/pod-parts.ts';
import type { PodProbes, ProbeVerdict } from '../src/probes/pod-probes.ts';
import { NullImages } from '../src/runtime/null-images.ts';

/** Parts of pods that a test can let fail and wait. */
export class ScriptedParts {
  /** What was asked of them, in order: `mount uid`, `ensure uid/name` … */
  readonly log: string[] = [];
  /** Called before each of them; what it throws, the part throws. By the entries of {@link log}. */
  before: (asked: string, signal: AbortSignal | undefined) => Promise<void> = () => Promise.resolve();
  /** UIDs that have volumes, and cgroups. */
  readonly volumes = new Set<string>();
  readonly cgroups = new Set<string>();
  readonly logs = new Set<string>();
  /** Verdicts by `uid/name`; others are well. */
  readonly verdicts = new Map<string, ProbeVerdict>();
  refusal: ReturnType<PodParts['configs']['refusal']>;
  /** Says when a pull may be tried again. */
  retryAtMs: PodImages['retryAtMs'] = () => undefined;
  /** What is left of a grace after `preStop`, seconds. */
  preStop: (pod: Pod, container: string, graceSeconds: number) => Promise<number> = (_pod, _name, grace) =>
    Promise.resolve(Math.max(2, grace));
  /** Is put before each hash of a spec. */
  specHash = '';
  readonly parts: PodParts;
  readonly #listeners = new Set<(uid: string) => void>();

  constructor() {
    this.parts = this.#make();
  }

  /** Another verdict than before on a container. */
  judge(uid: string, name: string, verdict: ProbeVerdict): void {
    this.verdicts.set(`${uid}/${name}`, verdict);
    for (const listener of this.#listeners) listener(uid);
  }

  async #ask(asked: string, signal?: AbortSignal): Promise<void> {
    this.log.push(asked);
    await this.before(asked, signal);
  }

  #make(): PodParts {
    const simple = nullParts(new NullImages());
    const { configs } = simple;
    return {
      volumes: {
        ...simple.volumes,
        mount: async ({ metadata: { uid } }, signal) => {
          await this.#ask(`mount ${uid}`, signal);
          this.volumes.add(uid);
        },
        mounts: async ({ metadata: { uid } }, { name }, _env, signal) => {
          await this.#ask(`mounts ${uid}/${name}`, signal);
          return [];
        },
        unmount: async (uid, signal) => {
          await this.#ask(`unmount ${uid}`, signal);
          this.volumes.delete(uid);
        },
        uids: () => Promise.resolve([...this.volumes]),
      },
      images: {
        ensure: async (pod, container, sandbox, signal) => {
          await this.#ask(`ensure ${pod.metadata.uid}/${container.name}`, signal);
          return simple.images.ensure(pod, container, sandbox, signal);
        },
        retryAtMs: (pod, container) => this.retryAtMs(pod, container),
      },
      cgroups: {
        ...simple.cgroups,
        ensure: async ({ metadata: { uid } }) => {
          await this.#ask(`cgroup ${uid}`);
          this.cgroups.add(uid);
          return '';
        },
        remove: async (uid) => {
          await this.#ask(`remove cgroup ${uid}`);
          this.cgroups.delete(uid);
        },
        uids: () => Promise.resolve([...this.cgroups]),
      },
      configs: {
        refusal: () => this.refusal,
        sandbox: (pod, attempt, cgroupParent) => configs.sandbox(pod, attempt, cgroupParent),
        prepare: (pod) => configs.prepare(pod),
        environment: async (pod, container, podIps) => {
          await this.#ask(`environment ${pod.metadata.uid}/${container.name}`);
          return configs.environment(pod, container, podIps);
        },
        container: async (input) => {
          await this.#ask(`config ${input.pod.metadata.uid}/${input.container.name}`);
          const config = await configs.container(input);
          return { ...config, notes: { ...config.notes, specHash: this.#hashOf(input.container) } };
        },
        specHash: (container) => this.#hashOf(container),
      },
      hooks: this.#hooks(),
      probes: this.#probes(),
      logTail: () => Promise.resolve(''),
      removeLogs: async (uid) => {
        await this.#ask(`remove logs ${uid}`);
        this.logs.delete(uid);
      },
    };
  }

  #hashOf(container: Parameters<PodParts['configs']['specHash']>[0]): string {
    return `${this.specHash}${container.image ?? ''}`;
  }

  #hooks(): ContainerHooks {
    return {
      postStart: (pod, { name }, _id, _ip, signal) =>
        this.#ask(`postStart ${pod.metadata.uid}/${name}`, signal),
      preStop: async (pod, { name }, _id, _ip, graceSeconds, signal) => {
        await this.#ask(`preStop ${pod.metadata.uid}/${name} ${graceSeconds}`, signal);
        return this.preStop(pod, name, graceSeconds);
      },
    };
  }

  #probes(): PodProbes {
    return {
      update: () => {},
      verdict: ({ metadata }, name) =>
        this.verdicts.get(`${metadata.uid}/${name}`) ?? { started: true, ready: true },
      remove: () => {},
      listen: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      stop: () => Promise.resolve(),
    };
  }
}
