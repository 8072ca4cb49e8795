import { ResourceClient, RESOURCES } from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { hasCode, retryConflicts } from './conflict-retry.ts';
import { DONE, Refusal } from './outcome.ts';
import type { Pod } from './pod-guard.ts';
import { isTerminalPhase, mergePodStatus } from './pod-status.ts';
import { sameStatus } from './same-status.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import { callOptions, type Origin, type WriterContext } from './upstream-task.ts';

/** Writes what nodes say about their pods. */
export class PodWriter {
  readonly #context: WriterContext;
  readonly #pods: ResourceClient<Pod>;

  constructor(context: WriterContext) {
    this.#context = context;
    this.#pods = new ResourceClient<Pod>(context.client, RESOURCES.pods);
  }

  /**
   * Status of a pod:
   * 1. the live pod has to be the one meant, and bound to the node; the first time, one that passed by just now will
   *    do to write upon, and not to write nothing;
   * 2. a pod that has ended does not come back to life;
   * 3. the node's part of the status is laid over what others wrote;
   * 4. no difference: nothing is written; else on top of the version read, and again from 1 after a Conflict.
   * @throws Refusal 403, 404, 422; StatusError, ClientError
   */
  writeStatus(origin: Origin, body: UpstreamBodies['pod']): Promise<UpstreamOutcome> {
    const { metrics, guard } = this.#context;
    let recent = guard.recent(origin, body);
    const attempt = async (): Promise<UpstreamOutcome> => {
      const upon = recent;
      recent = undefined;
      if (upon !== undefined && (await this.#writeUponRecent(upon, origin, body))) return DONE;
      return this.#attempt(origin, body);
    };
    return retryConflicts(origin, attempt, () => metrics.conflicts.inc({ kind: 'pod' }));
  }

  async #attempt(origin: Origin, body: UpstreamBodies['pod']): Promise<UpstreamOutcome> {
    const { guard, metrics } = this.#context;
    const pod = await guard.live(origin, body);
    if (hasEnded(pod, body)) {
      const phase = String(pod.status?.['phase']);
      throw new Refusal(422, 'state', `pod ${body.namespace}/${body.name} has ended: ${phase} stays`);
    }
    if (!(await this.#writeUpon(pod, origin, body))) metrics.writes.inc({ kind: 'pod', verb: 'none' });
    return DONE;
  }

  /** As {@link #writeUpon}; false, too, where it is gone: what that means is seen when it is read. */
  async #writeUponRecent(pod: Pod, origin: Origin, body: UpstreamBodies['pod']): Promise<boolean> {
    try {
      return await this.#writeUpon(pod, origin, body);
    } catch (error) {
      if (!hasCode(error, 404)) throw error;
      return false;
    }
  }

  /** Writes the status on top of the pod's version; false: nothing was written, there is no difference or must be none. */
  async #writeUpon(pod: Pod, origin: Origin, body: UpstreamBodies['pod']): Promise<boolean> {
    const { clock, metrics } = this.#context;
    const live = pod.status ?? {};
    const status = mergePodStatus(live, body.status, clock.wallMs());
    if (hasEnded(pod, body) || sameStatus(status, live)) return false;
    await this.#pods.update(
      { ...pod, apiVersion: 'v1', kind: 'Pod', status },
      { ...callOptions(origin), subresource: 'status' },
    );
    metrics.writes.inc({ kind: 'pod', verb: 'update' });
    return true;
  }

  /**
   * A pod has ended at its node: the object goes, if it was to be deleted. One that is not there any more, or has
   * another uid, is what was wanted.
   * @throws Refusal 403, 422; StatusError, ClientError
   */
  async remove(origin: Origin, body: UpstreamBodies['pod-gone']): Promise<UpstreamOutcome> {
    const { namespace, name, uid } = body;
    try {
      await this.#checkDeleting(origin, body);
      const options = { ...callOptions(origin), gracePeriodSeconds: 0, preconditions: { uid } };
      await this.#pods.delete(namespace, name, options);
      this.#context.metrics.writes.inc({ kind: 'pod-gone', verb: 'delete' });
    } catch (error) {
      const gone = error instanceof Refusal ? error.reason === 'gone' : hasCode(error, 404);
      if (!gone) throw error;
    }
    return DONE;
  }

  async #checkDeleting(origin: Origin, body: UpstreamBodies['pod-gone']): Promise<void> {
    const { guard } = this.#context;
    const facts = await guard.facts(origin, body);
    // A cache may not have seen the mark yet; it is never taken back.
    if (facts.deleting || (await guard.live(origin, body)).metadata.deletionTimestamp !== undefined) return;
    throw new Refusal(422, 'state', `pod ${body.namespace}/${body.name} is not marked for deletion`);
  }
}

/** Whether a pod has ended otherwise than is said. */
function hasEnded({ status }: Pod, body: UpstreamBodies['pod']): boolean {
  return isTerminalPhase(status?.['phase']) && status?.['phase'] !== body.status['phase'];
}
