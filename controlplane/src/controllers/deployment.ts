import {
  controllerOf,
  controllerReference,
  formatTime,
  jsonEqual,
  LabelSelector,
  ResourceClient,
  splitCacheKey,
  type Controller,
  type Informer,
  type KubeObject,
} from '@hawser/kube';
import { isPodTerminal, type Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import { templateHash } from '../api/template-hash.ts';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../api/workloads.ts';
import { controlQueue, hasReason, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import {
  HASH_LABEL,
  newSetAnnotations,
  REVISION,
  revisionOf,
  sizeAnnotations,
} from './deployment-annotations.ts';
import {
  maxSurge,
  newSetSize,
  sameTemplate,
  scaleSets,
  shrinkOldSets,
  sortSets,
  wasResized,
  type DeploymentSets,
  type Resize,
} from './deployment-plan.ts';
import { deploymentStatus, progressDeadlineInMs } from './deployment-status.ts';
import { Dependents } from './dependents.ts';
import { OwnWrites } from './own-writes.ts';

const NAME = 'deployment-controller';
const WORKERS = 5;
const LOOK_AGAIN_MS = 100;

/** What one pass did and met. */
interface Pass {
  readonly key: string;
  readonly deployment: Deployment;
  readonly signal: AbortSignal;
  created: boolean;
  failure: string | undefined;
}

/**
 * Brings the ReplicaSets of each Deployment to its template and size:
 * 1. waits until the cache shows its own earlier writes;
 * 2. adopts and releases ReplicaSets;
 * 3. paused, or resized since: scales the sets there are, makes none;
 * 4. otherwise makes the set of the present template and moves pods over: all at once (Recreate), or within maxSurge
 *    and maxUnavailable (RollingUpdate);
 * 5. removes old sets beyond revisionHistoryLimit, once the update is complete;
 * 6. writes the status.
 *
 * Source: kubernetes pkg/controller/deployment.
 */
export class DeploymentController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #deployments: Informer;
  readonly #sets: Informer;
  readonly #pods: Informer;
  readonly #deploymentClient: ResourceClient<Deployment>;
  readonly #setClient: ResourceClient<ReplicaSet>;
  readonly #writes: OwnWrites;
  readonly #queue: Controller;
  readonly #owned: Dependents<Deployment, ReplicaSet>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#deployments = context.informers.informer(API.deployments);
    this.#sets = context.informers.informer(API.replicasets);
    this.#pods = context.informers.informer(API.pods);
    this.#deploymentClient = new ResourceClient(context.client, API.deployments);
    this.#setClient = new ResourceClient(context.client, API.replicasets);
    this.#writes = new OwnWrites(this.#sets);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#owned = new Dependents({
      kind: 'Deployment',
      owners: this.#deployments,
      ownerClient: this.#deploymentClient,
      dependents: this.#sets,
      dependentClient: this.#setClient,
      queue: this.#queue,
    });
  }

  start(): void {
    this.#deployments.addHandler((old, current) => {
      const entry = current ?? old;
      if (entry !== undefined) this.#queue.enqueue(entry.key);
    });
    this.#sets.addHandler((old, current) => {
      this.#owned.noticed(old?.value);
      this.#owned.noticed(current?.value);
    });
    // Recreate waits for the last old pod to go.
    this.#pods.addHandler((old, current) => {
      if (current === undefined && old !== undefined) this.#onPodGone(old.value);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  #onPodGone(pod: KubeObject): void {
    const owner = controllerOf(pod);
    if (owner?.kind !== 'ReplicaSet') return;
    const set = this.#sets.lister.get(pod.metadata.namespace ?? '', owner.name);
    this.#owned.noticed(set?.value);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const deployment = this.#deployments.lister.byKey(key)?.value as Deployment | undefined;
    if (deployment === undefined) {
      this.#writes.forget(key);
      return;
    }
    if (!this.#writes.areSeen(key)) {
      this.#queue.enqueueAfter(key, LOOK_AGAIN_MS);
      return;
    }
    const pass: Pass = { key, deployment, signal, created: false, failure: undefined };
    let sets = sortSets(deployment, await this.#owned.claim(deployment, signal));
    if (deployment.metadata.deletionTimestamp === undefined) {
      try {
        sets = await this.#advance(pass, sets);
      } catch (error) {
        signal.throwIfAborted();
        pass.failure = (error as Error).message;
        await this.#writeStatus(pass, sets);
        throw error;
      }
    }
    await this.#writeStatus(pass, sets);
  }

  /** Returns the sets as they are afterwards. */
  async #advance(pass: Pass, found: DeploymentSets): Promise<DeploymentSets> {
    const { deployment } = pass;
    if (deployment.spec.paused === true || wasResized(deployment, found)) {
      const known = found.current === undefined ? found : await this.#withCurrent(pass, found, undefined);
      const scaled = await this.#resize(pass, known, scaleSets(deployment, known));
      return deployment.spec.paused === true ? this.#cleanUp(pass, scaled) : scaled;
    }
    const advanced =
      deployment.spec.strategy.type === 'Recreate'
        ? await this.#recreate(pass, found)
        : await this.#roll(pass, found);
    return isOver(deployment, advanced) ? this.#cleanUp(pass, advanced) : advanced;
  }

  async #recreate(pass: Pass, found: DeploymentSets): Promise<DeploymentSets> {
    const active = found.old.filter(({ spec }) => spec.replicas > 0);
    if (active.length > 0) {
      const resizes = active.map((set) => ({ set, replicas: 0 }));
      return this.#resize(pass, found, resizes);
    }
    if (this.#oldPodsRun(pass, found)) return found; // their end enqueues the deployment
    const sets = await this.#withCurrent(pass, found, pass.deployment.spec.replicas);
    return this.#resizeCurrent(pass, sets, pass.deployment.spec.replicas);
  }

  async #roll(pass: Pass, found: DeploymentSets): Promise<DeploymentSets> {
    const { deployment } = pass;
    const sets = await this.#withCurrent(pass, found, newSetSize(deployment, found));
    const grown = await this.#resizeCurrent(pass, sets, newSetSize(deployment, sets));
    if (grown !== sets) return grown; // the rest once the cache shows it
    const { current } = grown;
    return current === undefined
      ? grown
      : this.#resize(pass, grown, shrinkOldSets(deployment, { ...grown, current }));
  }

  #oldPodsRun({ key, deployment }: Pass, { old }: DeploymentSets): boolean {
    const { namespace } = splitCacheKey(key);
    const selector = LabelSelector.fromObject(deployment.spec.selector);
    const uids = new Set(old.map(({ metadata }) => metadata.uid));
    return this.#pods.lister.list({ namespace, selector }).some(({ value }) => {
      const owner = controllerOf(value);
      return owner !== undefined && uids.has(owner.uid) && !isPodTerminal(value as Pod);
    });
  }

  /** Makes the set of the present template (of that size), or brings its annotations up to date. */
  async #withCurrent(pass: Pass, sets: DeploymentSets, size: number | undefined): Promise<DeploymentSets> {
    const { deployment, signal } = pass;
    const revision = Math.max(0, ...sets.old.map(revisionOf)) + 1;
    let { current } = sets;
    if (current === undefined) {
      if (size === undefined) return sets;
      current = await this.#create(pass, size, revision);
      pass.created = true;
    } else {
      current = await this.#annotate(pass, current, revision);
    }
    await this.#writeRevision(deployment, current, signal);
    return { ...sets, current };
  }

  async #create(pass: Pass, size: number, revision: number): Promise<ReplicaSet> {
    const { deployment, key, signal } = pass;
    const { namespace = '', name = '' } = deployment.metadata;
    const { template, selector, minReadySeconds, replicas } = deployment.spec;
    const hash = templateHash(template, deployment.status?.collisionCount ?? 0);
    const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
    const sizes = sizeAnnotations(replicas, replicas + maxSurge(deployment));
    const set = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels,
        annotations: { ...newSetAnnotations(deployment, {}, revision), ...sizes },
        ownerReferences: [controllerReference(deployment)],
      },
      spec: {
        replicas: size,
        ...(minReadySeconds !== undefined && { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
    try {
      const created = await this.#setClient.create(set, { signal });
      this.#writes.wrote(key, created);
      const message = `Scaled up replica set ${set.metadata.name} from 0 to ${size}`;
      if (size > 0)
        this.#context.events.record(deployment, NAME, {
          type: 'Normal',
          reason: 'ScalingReplicaSet',
          message,
        });
      return created;
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      return this.#settleCollision(pass, set.metadata.name, error);
    }
  }

  /** A set of that name is ours from before, or another template has the same hash: then the next hash is taken. */
  async #settleCollision({ deployment, signal }: Pass, name: string, cause: unknown): Promise<ReplicaSet> {
    const { namespace = '' } = deployment.metadata;
    const present = await this.#setClient.get(namespace, name, { signal });
    const ours = controllerOf(present)?.uid === deployment.metadata.uid;
    if (ours && sameTemplate(present.spec.template, deployment.spec.template)) return present;
    const status = { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
    await this.#deploymentClient.update({ ...deployment, status }, { subresource: 'status', signal });
    throw new Error(`the name ${name} is taken by another replica set; a new one is chosen`, { cause });
  }

  async #annotate({ key, deployment, signal }: Pass, set: ReplicaSet, revision: number): Promise<ReplicaSet> {
    const old = set.metadata.annotations ?? {};
    const annotations = newSetAnnotations(deployment, old, revision);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    const sameSpec = (set.spec.minReadySeconds ?? 0) === minReadySeconds;
    if (jsonEqual(old, annotations) && sameSpec) return set;
    const changed = {
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: { ...set.spec, minReadySeconds },
    };
    const updated = await this.#setClient.update(changed, { signal });
    this.#writes.wrote(key, updated);
    return updated;
  }

  /** `kubectl rollout` reads the revision at the deployment. */
  async #writeRevision(deployment: Deployment, current: ReplicaSet, signal: AbortSignal): Promise<void> {
    const revision = current.metadata.annotations?.[REVISION];
    if (revision === undefined || deployment.metadata.annotations?.[REVISION] === revision) return;
    const { namespace = '', name = '', uid } = deployment.metadata;
    const body = { metadata: { uid, annotations: { [REVISION]: revision } } };
    await this.#deploymentClient.patch(namespace, name, 'merge', body, { signal });
  }

  #resizeCurrent(pass: Pass, sets: DeploymentSets, replicas: number): Promise<DeploymentSets> {
    const { current } = sets;
    if (current === undefined || current.spec.replicas === replicas) return Promise.resolve(sets);
    return this.#resize(pass, sets, [{ set: current, replicas }]);
  }

  async #resize(pass: Pass, sets: DeploymentSets, resizes: readonly Resize[]): Promise<DeploymentSets> {
    const { deployment, key, signal } = pass;
    const { replicas: size } = deployment.spec;
    const sizes = sizeAnnotations(size, size + maxSurge(deployment));
    const replaced = new Map<ReplicaSet, ReplicaSet>();
    for (const set of sets.current === undefined ? sets.old : [...sets.old, sets.current]) {
      const resize = resizes.find((candidate) => candidate.set === set);
      const replicas = resize?.replicas ?? set.spec.replicas;
      const annotations = { ...set.metadata.annotations, ...sizes };
      const marked = set.spec.replicas === 0 || jsonEqual(annotations, set.metadata.annotations);
      if (resize === undefined && marked) continue;
      const changed = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } };
      const updated = await this.#setClient.update(changed, { signal });
      this.#writes.wrote(key, updated);
      replaced.set(set, updated);
      if (resize !== undefined) this.#noteResize(deployment, set, replicas);
    }
    if (replaced.size === 0) return sets;
    const now = (set: ReplicaSet): ReplicaSet => replaced.get(set) ?? set;
    return { current: sets.current && now(sets.current), old: sets.old.map(now) };
  }

  #noteResize(deployment: Deployment, set: ReplicaSet, replicas: number): void {
    const before = set.spec.replicas;
    const way = replicas > before ? 'up' : 'down';
    const message = `Scaled ${way} replica set ${set.metadata.name ?? ''} from ${before} to ${replicas}`;
    this.#context.events.record(deployment, NAME, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }

  /** Source: kubernetes deployment cleanupDeployment. */
  async #cleanUp({ deployment, key, signal }: Pass, sets: DeploymentSets): Promise<DeploymentSets> {
    const limit = deployment.spec.revisionHistoryLimit ?? 10;
    const idle = sets.old
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .filter(({ spec, status }) => spec.replicas === 0 && (status?.replicas ?? 0) === 0)
      .filter(({ metadata, status }) => (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0))
      .sort((a, b) => revisionOf(a) - revisionOf(b));
    const surplus = idle.slice(0, Math.max(0, idle.length - limit));
    for (const set of surplus) {
      const { namespace = '', name = '', uid = '' } = set.metadata;
      await unlessGone(this.#setClient.delete(namespace, name, { preconditions: { uid }, signal }));
      this.#writes.deleted(key, set);
    }
    return { ...sets, old: sets.old.filter((set) => !surplus.includes(set)) };
  }

  async #writeStatus(pass: Pass, sets: DeploymentSets): Promise<void> {
    const { deployment, key, created, failure, signal } = pass;
    const nowMs = this.#context.clock.wallMs();
    const status = deploymentStatus({ deployment, sets, created, failure, nowMs, now: formatTime(nowMs) });
    const deadlineMs = progressDeadlineInMs({ ...deployment, status }, nowMs);
    if (deadlineMs !== undefined) this.#queue.enqueueAfter(key, deadlineMs + 1000);
    if (sameStatus(deployment.status, status)) return;
    // A patch: the annotation that #writeRevision wrote has changed the version already.
    const { namespace = '', name = '', uid } = deployment.metadata;
    const body = { metadata: { uid }, status: { ...status, conditions: status.conditions ?? [] } };
    await unlessGone(
      this.#deploymentClient.patch(namespace, name, 'merge', body, { subresource: 'status', signal }),
    );
  }
}

/** Whether nothing of old templates is left. */
function isOver(deployment: Deployment, { current, old }: DeploymentSets): boolean {
  const { replicas } = deployment.spec;
  return (
    current?.spec.replicas === replicas &&
    (current.status?.availableReplicas ?? 0) === replicas &&
    old.every(({ spec, status }) => spec.replicas === 0 && (status?.replicas ?? 0) === 0)
  );
}

/** Zeros are left out of stored statuses. */
function sameStatus(old: DeploymentStatus | undefined, status: DeploymentStatus): boolean {
  const zeros = {
    ...{ replicas: 0, updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0, unavailableReplicas: 0 },
    observedGeneration: 0,
    conditions: [],
  };
  return jsonEqual({ ...zeros, ...old }, { ...zeros, ...status });
}
