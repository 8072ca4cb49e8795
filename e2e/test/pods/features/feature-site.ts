import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CriRuntime } from '@hawser/edgecore/runtime';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { delay, silentLogger } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import {
  PodsSite,
  type PodsSiteOptions,
  type SeenContainer,
  type SeenPod,
} from '../../../src/pods-site/pods-site.ts';

/** An event about a pod, as the API has it. */
export interface SeenEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  /** `spec.containers{main}`; empty: of the pod. */
  readonly fieldPath: string;
}

const LOOK_EVERY_MS = 40;
/** For what takes no time by itself: the machine may be busy with other tests. */
const SOON_MS = scaled(30_000, 60_000);

/**
 * A {@link PodsSite} as tests of features use it: many pods at once, looked at less often, and what they say read from
 * where the node has it.
 */
export class FeatureSite {
  readonly pods: PodsSite;
  /** The site's own: `ctr` may lose the output of what ends at once. */
  readonly #runtime: CriRuntime;

  private constructor(pods: PodsSite) {
    this.pods = pods;
    this.#runtime = new CriRuntime({ endpoint: pods.containerd.endpoint, log: silentLogger });
  }

  /** Opens one in a `before` hook; skips the suite, and says why, where containers cannot be run. */
  static async open(
    context: { timeout(ms: number): unknown; skip(): never },
    options: PodsSiteOptions = {},
  ): Promise<FeatureSite> {
    context.timeout(scaled(60_000, 120_000));
    const available = await ContainerdSite.availability();
    if (!available.ok) {
      console.log(`    skipped: ${available.reason}`);
      context.skip();
    }
    const site = new FeatureSite(await PodsSite.open(options));
    await site.#runtime.start();
    return site;
  }

  /** What containers can do here. */
  async availability(): Promise<{ readonly portMappings: boolean }> {
    const available = await ContainerdSite.availability();
    return { portMappings: available.ok && available.portMappings };
  }

  async close(): Promise<void> {
    await this.#runtime.stop();
    await this.pods.close();
  }

  /** Creates objects, side by side. */
  create(...objects: readonly KubeObject[]): Promise<void> {
    return this.pods.cluster.objects.createAll(objects);
  }

  pod(name: string): Promise<SeenPod> {
    return this.pods.pod(name);
  }

  /** Waits until a pod is as it should be. @throws Error with its status and its events */
  async until(name: string, is: (pod: SeenPod) => boolean, deadlineMs = SOON_MS): Promise<SeenPod> {
    const lateMs = performance.now() + deadlineMs;
    for (;;) {
      const pod = await this.pod(name);
      if (is(pod)) return pod;
      if (performance.now() > lateMs) {
        const events = (await this.events(name)).map(({ reason, message }) => `${reason}: ${message}`);
        throw new Error(
          `pod ${name} is still ${JSON.stringify(pod.status, undefined, 1)}\n${events.join('\n')}`,
        );
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  untilPhase(name: string, phase: string, deadlineMs?: number): Promise<SeenPod> {
    return this.until(name, ({ status }) => status?.phase === phase, deadlineMs);
  }

  /** Waits until a pod has ended well; answers what its container said. */
  async saidBy(name: string, container = 'main'): Promise<string> {
    await this.untilPhase(name, 'Succeeded');
    return this.log(name, container);
  }

  untilReady(name: string, deadlineMs?: number): Promise<SeenPod> {
    return this.until(name, (pod) => condition(pod, 'Ready')?.status === 'True', deadlineMs);
  }

  /** Waits for an event of a pod. */
  async untilEvent(
    name: string,
    is: (event: SeenEvent) => boolean,
    deadlineMs = SOON_MS,
  ): Promise<SeenEvent> {
    const lateMs = performance.now() + deadlineMs;
    for (;;) {
      const events = await this.events(name);
      const found = events.find(is);
      if (found !== undefined) return found;
      if (performance.now() > lateMs) throw new Error(`only these: ${JSON.stringify(events, undefined, 1)}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** What the API has been told about a pod, in the order of the first time. */
  async events(name: string): Promise<readonly SeenEvent[]> {
    const all = (await this.pods.cluster.objects.list(RESOURCES.events)) as readonly StoredEvent[];
    return all
      .filter(({ involvedObject }) => involvedObject?.kind === 'Pod' && involvedObject.name === name)
      .sort((one, other) => (firstTime(one) < firstTime(other) ? -1 : 1))
      .map(({ type = '', reason = '', message = '', count = 1, involvedObject }) => ({
        ...{ type, reason, message, count },
        fieldPath: involvedObject?.fieldPath ?? '',
      }));
  }

  /** Runs a shell command in a container; its output. @throws Error where it ends with another code than 0 */
  async exec(name: string, command: string, container = 'main'): Promise<string> {
    const id = containerId(containerOf(await this.pod(name), container));
    const { signal } = new AbortController();
    const run = await this.#runtime.exec(id, ['sh', '-c', command], SOON_MS, signal);
    if (run.exitCode === 0) return run.stdout;
    throw new Error(`${command} ended with ${run.exitCode}: ${run.stdout}${run.stderr}`);
  }

  /** Whether a shell command in a container comes to be true within a deadline. */
  async untilExec(name: string, command: string, container = 'main'): Promise<void> {
    const lateMs = performance.now() + SOON_MS;
    for (;;) {
      try {
        await this.exec(name, command, container);
        return;
      } catch (error) {
        if (performance.now() > lateMs) throw error;
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** What a container has said to one of its streams or both. */
  async log(name: string, container = 'main', attempt = 0): Promise<string> {
    const { metadata } = await this.pod(name);
    const dir = `default_${name}_${metadata.uid ?? ''}`;
    const file = path.join(this.pods.containerd.dir, 'logs', dir, container, `${attempt}.log`);
    return textOf(await readFile(file, 'utf8'));
  }

  /** Waits until a container has said something. */
  async untilLog(name: string, what: RegExp, container = 'main', attempt = 0): Promise<string> {
    const lateMs = performance.now() + SOON_MS;
    for (;;) {
      const said = await this.log(name, container, attempt).catch(String);
      if (what.test(said)) return said;
      if (performance.now() > lateMs) throw new Error(`${container} of ${name} has said:\n${said}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** A folder of the host that is the site's, for hostPath volumes. */
  get hostDir(): string {
    return path.join(this.pods.containerd.dir, 'host');
  }

  /** What is in a file below {@link hostDir}. */
  hostFile(name: string): Promise<string> {
    return readFile(path.join(this.hostDir, name), 'utf8');
  }

  /** Addresses of the node, first one first. */
  async hostAddresses(): Promise<readonly string[]> {
    const { objects } = this.pods.cluster;
    const { status } = (await objects.get(RESOURCES.nodes, this.pods.edge.node)) as SeenNode;
    const own = status?.addresses?.filter(({ type }) => type === 'InternalIP') ?? [];
    return own.map(({ address }) => address);
  }

  async hostAddress(): Promise<string> {
    const [first] = await this.hostAddresses();
    if (first === undefined) throw new Error('the node has no address');
    return first;
  }

  /** Deletes a pod, and waits until the API has it no more. */
  remove(name: string): Promise<void> {
    return this.pods.remove(name, SOON_MS);
  }

  /** Deletes pods, and does not wait for their end. */
  async forget(...names: readonly string[]): Promise<void> {
    await this.pods.cluster.objects.remove(RESOURCES.pods, names);
  }

  patch(name: string, body: object): Promise<void> {
    return this.pods.cluster.objects.patch(RESOURCES.pods, name, body);
  }
}

interface SeenNode extends KubeObject {
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] };
}

interface StoredEvent extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string;
  readonly eventTime?: string;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly fieldPath?: string };
}

function firstTime({ firstTimestamp, eventTime, metadata }: StoredEvent): string {
  return firstTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
}

/** The lines of a log in CRI's format. Source: KEP-9, kubelet CRI logging. */
function textOf(log: string): string {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, tag, text] = /^\S+ \S+ (\S+) (.*)$/.exec(line) ?? [];
      return `${text ?? ''}${tag === 'P' ? '' : '\n'}`;
    })
    .join('');
}

/** A condition of a pod. */
export function condition(
  { status }: SeenPod,
  type: string,
): { readonly status: string; readonly reason?: string; readonly message?: string } | undefined {
  return status?.conditions?.find((one) => one.type === type);
}

/** The status of a container, init container or not. */
export function containerOf({ status }: SeenPod, name = 'main'): SeenContainer | undefined {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return all.find((one) => one.name === name);
}

/** The runtime's id of a container; empty: it was never made. */
export function containerId(container: SeenContainer | undefined): string {
  return container?.containerID?.replace(/^.*:\/\//, '') ?? '';
}

/** How a container has ended, its present run or the one before. */
export function endOf(container: SeenContainer | undefined): Readonly<Record<string, unknown>> | undefined {
  return container?.state?.['terminated'] ?? container?.lastState?.['terminated'];
}

/** `NAME=value` lines as an object. */
export function pairs(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
