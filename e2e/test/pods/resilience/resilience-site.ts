import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { RuntimePod } from '@hawser/edgecore/runtime';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { eventually, scaled } from '@hawser/seams/testing';
import { isReady, PodsSite, type SeenContainer, type SeenPod } from '../../../src/pods-site/pods-site.ts';
import { podsInRuntime, runningContainers } from '../../../src/pods-site/running-containers.ts';
import { PodWatch } from './pod-watch.ts';

/** For what takes no time by itself: the machine may be busy with other tests. */
export const SOON_MS = scaled(45_000, 120_000);
/**
 * All but what the edge has or can know of. A containerd that is killed while it makes a sandbox forgets what it had
 * begun: an address, a namespace, a snapshot, a shim without a container. Nobody else knows of these, either.
 */
export const FORGOTTEN_BY_CONTAINERD = /^(?!container |task |logs |cgroup |folder |mark |\d)/;
const LOOK_EVERY_MS = 25;

/** A {@link PodsSite} whose parts are killed, and which tells what became of the pods, in the API and on the node. */
export class ResilienceSite {
  readonly pods: PodsSite;
  readonly watch: PodWatch;
  /** What the node had before its first pod. */
  #baseline: readonly string[];

  private constructor(pods: PodsSite, watch: PodWatch, baseline: readonly string[]) {
    this.pods = pods;
    this.watch = watch;
    this.#baseline = baseline;
  }

  /** Opens one in a `before` hook; skips the suite, and says why, where containers cannot be run. */
  static async open(context: { timeout(ms: number): unknown; skip(): never }): Promise<ResilienceSite> {
    context.timeout(scaled(60_000, 120_000));
    const available = await ContainerdSite.availability();
    if (!available.ok) {
      console.log(`    skipped: ${available.reason}`);
      context.skip();
    }
    const pods = await PodsSite.open({ controlPlane: { controllers: true } });
    const watch = await PodWatch.open(pods.cluster.kubeconfig);
    return new ResilienceSite(pods, watch, await pods.containerd.remains());
  }

  async close(): Promise<void> {
    await this.watch.close();
    await this.pods.close();
  }

  /** Creates objects, side by side. */
  create(...objects: readonly KubeObject[]): Promise<void> {
    return this.pods.cluster.objects.createAll(objects);
  }

  async pod(name: string): Promise<SeenPod> {
    return this.pods.pod(name);
  }

  /** Waits until pods are as they should be in the API. @throws Error with the status of those that are not */
  async until(
    names: readonly string[],
    is: (pod: SeenPod) => boolean,
    deadlineMs = SOON_MS,
  ): Promise<ReadonlyMap<string, SeenPod>> {
    let seen = new Map<string, SeenPod>();
    try {
      await eventually(
        'pods are as they should be',
        async () => {
          const all = (await this.pods.cluster.objects.list(RESOURCES.pods)) as readonly SeenPod[];
          seen = new Map(all.map((pod) => [pod.metadata.name ?? '', pod]));
          return names.every((name) => {
            const pod = seen.get(name);
            return pod !== undefined && is(pod);
          });
        },
        { deadlineMs, intervalMs: LOOK_EVERY_MS },
      );
    } catch (cause) {
      const others = names.filter((name) => {
        const pod = seen.get(name);
        return pod === undefined || !is(pod);
      });
      const found = others.map((name) => `${name}: ${JSON.stringify(seen.get(name)?.status)}`);
      throw new Error(`${found.slice(0, 5).join('\n')}\nthe edge says: ${this.#said()}`, { cause });
    }
    return seen;
  }

  untilReady(names: readonly string[], deadlineMs?: number): Promise<ReadonlyMap<string, SeenPod>> {
    return this.until(names, isReady, deadlineMs);
  }

  /** Deletes pods, and waits until the API has none of them. */
  async remove(names: readonly string[], deadlineMs = SOON_MS): Promise<void> {
    await this.pods.cluster.objects.remove(RESOURCES.pods, names);
    await this.untilGone(names, deadlineMs);
  }

  async untilGone(names: readonly string[], deadlineMs = SOON_MS): Promise<void> {
    let left: readonly string[] = names;
    try {
      await eventually(
        'pods are gone',
        async () => {
          const there = await this.pods.names();
          left = names.filter((name) => there.includes(name));
          return left.length === 0;
        },
        { deadlineMs, intervalMs: LOOK_EVERY_MS },
      );
    } catch (cause) {
      throw new Error(`${left.join(', ')} still there; the edge says: ${this.#said()}`, { cause });
    }
  }

  /** What the runtime has, asked past the edge. */
  inRuntime(): Promise<readonly RuntimePod[]> {
    return podsInRuntime(this.pods.containerd);
  }

  /** Ids of running containers by `pod/container`. @throws Error where one runs twice */
  running(): Promise<ReadonlyMap<string, string>> {
    return runningContainers(this.pods.containerd);
  }

  /** Kills the process of a container, as a crash of it would. */
  async killContainer(id: string): Promise<void> {
    await this.pods.containerd.ctr(['tasks', 'kill', '--signal', 'SIGKILL', id]);
  }

  /** Ends the edge and starts it again; resolves when it is in sync. */
  async restartEdge(how: 'stop' | 'kill'): Promise<void> {
    await this.pods.edge[how]();
    await this.pods.edge.start();
    await this.pods.edge.untilInSync(SOON_MS);
  }

  /** Everything that pods have on the node, of the machine and of the edge, beyond what was there before the first. */
  async remains(): Promise<readonly string[]> {
    const { containerd, edge } = this.pods;
    const [machine, folders, marks] = await Promise.all([
      containerd.remains(),
      readdir(path.join(edge.dataDir, 'pods')).catch(noFolder),
      readdir(path.join(edge.dataDir, 'cgroups')).catch(noFolder),
    ]);
    const all = [
      ...machine,
      ...folders.map((name) => `folder of a pod ${name}`),
      ...marks.map((name) => `mark of a cgroup ${name}`),
    ];
    return all.filter((each) => !this.#baseline.includes(each));
  }

  /** Deletes every pod, and waits until nothing of any is left on the node. @param except what may be, all the same */
  async clear(except?: RegExp): Promise<void> {
    await this.remove(await this.pods.names());
    await this.untilNothingLeft(except);
    this.#baseline = await this.pods.containerd.remains();
  }

  /** Waits until nothing of any pod is left on the node. @throws Error that names what is */
  async untilNothingLeft(except?: RegExp): Promise<void> {
    let left: readonly string[] = [];
    const { edge } = this.pods;
    try {
      await eventually(
        'nothing is left',
        async () => {
          left = (await this.remains()).filter((each) => except?.test(each) !== true);
          const { node, tokens } = await edge.admin.status();
          const workers = Object.values(node.pods).reduce((sum, count) => sum + count, 0);
          if (workers > 0) left = [...left, `${workers} workers`];
          if (tokens.kept > 0) left = [...left, `${tokens.kept} tokens`];
          return left.length === 0;
        },
        { deadlineMs: SOON_MS, intervalMs: 100 },
      );
    } catch (cause) {
      throw new Error(`left:\n${left.join('\n')}\nthe edge says: ${this.#said()}`, { cause });
    }
  }

  /** The end of what the edge wrote. */
  #said(): string {
    try {
      return this.pods.edge.process.stderr.slice(-3000);
    } catch {
      return 'nothing, it does not run';
    }
  }
}

function noFolder(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** The status of a container, init container or not. */
export function statusIn({ status }: SeenPod | undefined = {} as SeenPod, name = 'main'): SeenContainer {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const found = all.find((one) => one.name === name);
  assert.ok(found !== undefined, `no status of ${name}`);
  return found;
}

/** A condition's status and the time when it became that. */
export function conditionOf({ status }: SeenPod, type: string): readonly [string, string] {
  const found = status?.conditions?.find((one) => one.type === type) as
    { readonly status: string; readonly lastTransitionTime?: string } | undefined;
  return [found?.status ?? '', found?.lastTransitionTime ?? ''];
}
