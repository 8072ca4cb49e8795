import type { KubeObject, LabelSelectorObject } from '@hawser/kube';
import {
  isPodActive,
  isPodReady,
  withCondition,
  type Condition,
  type Pod,
  type PodTemplate,
} from '../api/pod.ts';
import { rankForDeletion } from './replica-set-plan.ts';

/** A Job, with the defaults of the API filled in. */
export interface Job extends KubeObject {
  readonly spec: {
    readonly parallelism?: number;
    /** Absent: done when one pod has succeeded and all have ended. */
    readonly completions?: number;
    readonly backoffLimit?: number;
    readonly activeDeadlineSeconds?: number;
    readonly ttlSecondsAfterFinished?: number;
    readonly suspend?: boolean;
    readonly completionMode?: string;
    readonly selector: LabelSelectorObject;
    readonly template: PodTemplate;
  };
  readonly status?: JobStatus;
}

/** `status` of a Job. */
export interface JobStatus {
  readonly active?: number;
  readonly ready?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly conditions?: readonly Condition[];
}

/** What a Job needs now. */
export interface JobPlan {
  /** Pods to make; not before a back-off, if pods have failed. */
  readonly create: number;
  readonly remove: readonly Pod[];
  readonly status: JobStatus;
  /** Milliseconds until the deadline, if there is one. */
  readonly deadlineInMs: number | undefined;
}

/** Whether the job has ended: then it never changes again. */
export function isJobFinished({ status }: Job): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
  );
}

/**
 * What a job needs. Succeeded and failed pods are counted as long as they are there: who deletes one makes the job
 * forget it. `pods`: those that it owns; `clock.now`: as objects carry it.
 * Source: kubernetes pkg/controller/job syncJob, for NonIndexed jobs.
 */
export function planJob(
  job: Job,
  pods: readonly Pod[],
  clock: { readonly now: string; readonly nowMs: number },
): JobPlan {
  const { spec } = job;
  const active = pods.filter(isPodActive);
  const succeeded = count(pods, 'Succeeded');
  const failed = count(pods, 'Failed');
  const suspended = spec.suspend === true;
  const startTime = suspended ? undefined : (job.status?.startTime ?? clock.now);
  const deadlineInMs = deadlineOf(job, startTime, clock.nowMs);
  const end = suspended
    ? undefined
    : endOf(job, pods, { active: active.length, succeeded, failed }, deadlineInMs);
  const wanted = suspended || end !== undefined ? 0 : wantedPods(job, active.length, succeeded);
  const remove = rankForDeletion(active).slice(0, Math.max(0, active.length - wanted));
  const isComplete = end?.type === 'Complete';
  return {
    create: Math.max(0, wanted - active.length),
    remove,
    deadlineInMs: end === undefined ? deadlineInMs : undefined,
    status: {
      active: active.length - remove.length,
      ready: active.filter((pod) => isPodReady(pod) && !remove.includes(pod)).length,
      succeeded,
      failed,
      ...(startTime !== undefined && { startTime }),
      ...(isComplete && { completionTime: clock.now }),
      conditions: conditionsOf(job, end, suspended, clock.now),
    },
  };
}

function count(pods: readonly Pod[], phase: string): number {
  return pods.filter(({ status }) => status?.phase === phase).length;
}

interface End {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

interface Counts {
  readonly active: number;
  readonly succeeded: number;
  readonly failed: number;
}

function endOf(
  job: Job,
  pods: readonly Pod[],
  counts: Counts,
  deadlineInMs: number | undefined,
): End | undefined {
  const { completions, backoffLimit = 6 } = job.spec;
  const { active, succeeded, failed } = counts;
  const restarts = job.spec.template.spec.restartPolicy === 'OnFailure' ? restartsOf(pods) : 0;
  if (failed > backoffLimit || (restarts > 0 && restarts >= backoffLimit)) {
    const message = 'Job has reached the specified backoff limit';
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message };
  }
  if (deadlineInMs === 0) {
    const message = 'Job was active longer than specified deadline';
    return { type: 'Failed', reason: 'DeadlineExceeded', message };
  }
  const complete = completions === undefined ? succeeded > 0 && active === 0 : succeeded >= completions;
  if (!complete) return undefined;
  return {
    type: 'Complete',
    reason: 'CompletionsReached',
    message: 'Reached expected number of succeeded pods',
  };
}

function restartsOf(pods: readonly Pod[]): number {
  const running = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending');
  return running
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
}

function deadlineOf({ spec }: Job, startTime: string | undefined, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  return Math.max(0, Date.parse(startTime) + spec.activeDeadlineSeconds * 1000 - nowMs);
}

function wantedPods({ spec }: Job, active: number, succeeded: number): number {
  const { completions, parallelism = 1 } = spec;
  if (completions !== undefined) return Math.min(parallelism, completions - succeeded);
  // Once one pod of a work queue has succeeded, the others finish what they have; no more are made.
  return succeeded > 0 ? Math.min(active, parallelism) : parallelism;
}

function conditionsOf(job: Job, end: End | undefined, suspended: boolean, now: string): readonly Condition[] {
  const old = job.status?.conditions ?? [];
  if (end !== undefined)
    return withCondition(old, { ...end, status: 'True', lastProbeTime: now, lastTransitionTime: now });
  const present = old.find(({ type }) => type === 'Suspended');
  if ((present?.status === 'True') === suspended) return old;
  return withCondition(old, {
    type: 'Suspended',
    status: suspended ? 'True' : 'False',
    reason: suspended ? 'JobSuspended' : 'JobResumed',
    message: suspended ? 'Job suspended' : 'Job resumed',
    lastProbeTime: now,
    lastTransitionTime: now,
  });
}

const BACKOFF_BASE_MS = 10_000;
const BACKOFF_CAP_MS = 600_000;

/** How long after a failure the next pod waits. `failed`: failures so far. */
export function jobBackoffMs(failed: number): number {
  return failed === 0 ? 0 : Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(failed - 1, 20));
}

/** Milliseconds until a finished job is to be removed; undefined if it stays. Source: KEP-592. */
export function removalInMs(job: Job, nowMs: number): number | undefined {
  const { ttlSecondsAfterFinished } = job.spec;
  const end = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  if (ttlSecondsAfterFinished === undefined || end === undefined) return undefined;
  const finishedMs = Date.parse(end.lastTransitionTime ?? '');
  return Number.isNaN(finishedMs)
    ? undefined
    : Math.max(0, finishedMs + ttlSecondsAfterFinished * 1000 - nowMs);
}
