import { formatTime, jsonEqual, ResourceClient, type Controller, type Informer } from '@hawser/kube';
import type { Pod } from '../api/pod.ts';
import { API } from '../api/resources.ts';
import { controlQueue, unlessGone, type ControllerContext, type ControlLoop } from './context.ts';
import { Dependents } from './dependents.ts';
import { isJobFinished, jobBackoffMs, planJob, removalInMs, type Job, type JobPlan } from './job-plan.ts';
import { podFromTemplate } from './new-pod.ts';
import { OwnWrites } from './own-writes.ts';
import { slowStart } from './slow-start.ts';

const NAME = 'job-controller';
const WORKERS = 4;
const LOOK_AGAIN_MS = 100;
const BURST = 500;

/** How many pods had failed, and since when (monotonic) it is that many. */
interface Failures {
  readonly count: number;
  readonly sinceMs: number;
}

/**
 * Runs pods until enough of them have succeeded:
 * 1. waits until the cache shows its own earlier writes;
 * 2. finished: nothing, but its removal when ttlSecondsAfterFinished is over;
 * 3. creates pods (after a back-off if some have failed), removes surplus ones;
 * 4. writes the status.
 *
 * Jobs that are Indexed are left alone, with an event.
 * Source: kubernetes pkg/controller/job, ttlafterfinished.
 */
export class JobController implements ControlLoop {
  readonly name: string = NAME;
  readonly #context: ControllerContext;
  readonly #jobs: Informer;
  readonly #pods: Informer;
  readonly #jobClient: ResourceClient<Job>;
  readonly #podClient: ResourceClient<Pod>;
  readonly #writes: OwnWrites;
  readonly #queue: Controller;
  readonly #owned: Dependents<Job, Pod>;
  readonly #failures = new Map<string, Failures>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#jobs = context.informers.informer(API.jobs);
    this.#pods = context.informers.informer(API.pods);
    this.#jobClient = new ResourceClient(context.client, API.jobs);
    this.#podClient = new ResourceClient(context.client, API.pods);
    this.#writes = new OwnWrites(this.#pods);
    this.#queue = controlQueue(context, {
      name: NAME,
      workers: WORKERS,
      reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#owned = new Dependents({
      kind: 'Job',
      owners: this.#jobs,
      ownerClient: this.#jobClient,
      dependents: this.#pods,
      dependentClient: this.#podClient,
      queue: this.#queue,
    });
  }

  start(): void {
    this.#jobs.addHandler((old, current) => {
      const entry = current ?? old;
      if (entry !== undefined) this.#queue.enqueue(entry.key);
    });
    this.#pods.addHandler((old, current) => {
      for (const entry of [old, current]) this.#owned.noticed(entry?.value);
    });
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const job = this.#jobs.lister.byKey(key)?.value as Job | undefined;
    if (job === undefined) {
      this.#writes.forget(key);
      this.#failures.delete(key);
      return;
    }
    if (job.metadata.deletionTimestamp !== undefined) return;
    if (!this.#writes.areSeen(key)) {
      this.#queue.enqueueAfter(key, LOOK_AGAIN_MS);
      return;
    }
    if (isJobFinished(job)) {
      await this.#removeLater(key, job, signal);
      return;
    }
    if (job.spec.completionMode === 'Indexed') {
      this.#note(job, 'Warning', 'Unsupported', 'Indexed jobs are not run by this control plane');
      return;
    }
    const pods = await this.#owned.claim(job, signal);
    const nowMs = this.#context.clock.wallMs();
    const plan = planJob(job, pods, { nowMs, now: formatTime(nowMs) });
    if (plan.deadlineInMs !== undefined) this.#queue.enqueueAfter(key, plan.deadlineInMs);
    let created = 0;
    try {
      await this.#remove(key, job, plan, signal);
      created = await this.#create(key, job, plan, signal);
    } finally {
      await this.#writeStatus(job, plan, created, signal);
    }
  }

  async #removeLater(key: string, job: Job, signal: AbortSignal): Promise<void> {
    this.#failures.delete(key);
    const waitMs = removalInMs(job, this.#context.clock.wallMs());
    if (waitMs === undefined) return;
    if (waitMs > 0) {
      this.#queue.enqueueAfter(key, waitMs);
      return;
    }
    const { namespace = '', name = '', uid } = job.metadata;
    const preconditions = uid === undefined ? {} : { uid };
    await unlessGone(
      this.#jobClient.delete(namespace, name, { propagationPolicy: 'Foreground', preconditions, signal }),
    );
  }

  async #remove(key: string, job: Job, { remove }: JobPlan, signal: AbortSignal): Promise<void> {
    await slowStart(Math.min(remove.length, BURST), async (index) => {
      const pod = remove[index];
      if (pod === undefined) return;
      const { namespace = '', name = '', uid = '' } = pod.metadata;
      await unlessGone(this.#podClient.delete(namespace, name, { preconditions: { uid }, signal }));
      this.#writes.deleted(key, pod);
      this.#note(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
    });
  }

  /** Returns how many were made. */
  async #create(key: string, job: Job, plan: JobPlan, signal: AbortSignal): Promise<number> {
    if (plan.create === 0) return 0;
    const waitMs = this.#backoffMs(key, plan.status.failed ?? 0);
    if (waitMs > 0) {
      this.#queue.enqueueAfter(key, waitMs);
      return 0;
    }
    try {
      return await slowStart(Math.min(plan.create, BURST), async () => {
        const pod = await this.#podClient.create(podFromTemplate(job, job.spec.template), { signal });
        this.#writes.wrote(key, pod);
        this.#note(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name ?? ''}`);
      });
    } catch (error) {
      signal.throwIfAborted();
      this.#note(job, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
      throw error;
    }
  }

  #backoffMs(key: string, failed: number): number {
    const nowMs = this.#context.clock.monotonicMs();
    const known = this.#failures.get(key);
    const failures = known?.count === failed ? known : { count: failed, sinceMs: nowMs };
    this.#failures.set(key, failures);
    return failures.sinceMs + jobBackoffMs(failed) - nowMs;
  }

  #note(job: Job, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.events.record(job, NAME, { type, reason, message });
  }

  async #writeStatus(job: Job, plan: JobPlan, created: number, signal: AbortSignal): Promise<void> {
    const status = { ...plan.status, active: (plan.status.active ?? 0) + created };
    const zeros = { active: 0, ready: 0, succeeded: 0, failed: 0, conditions: [] };
    if (jsonEqual({ ...zeros, ...job.status }, { ...zeros, ...status })) return;
    await unlessGone(this.#jobClient.update({ ...job, status }, { subresource: 'status', signal }));
    const end = status.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed');
    if (end === undefined) return;
    const { reason = '', message = '' } = end;
    if (end.type === 'Complete') this.#note(job, 'Normal', 'Completed', 'Job completed');
    else this.#note(job, 'Warning', reason, message);
  }
}
