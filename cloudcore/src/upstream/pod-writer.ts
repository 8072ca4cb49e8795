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
   * 1. the live pod has to be the one meant, and bound to the node;
   * 2. a pod that has ended does not come back to life;
   * 3. the node's part of the status is laid over what others wrote;
   * 4. no difference: nothing is written; else on top of the version read, and again from 1 after a Conflict.
   * @throws Refusal 403, 404, 422; StatusError, ClientError
   */
  writeStatus(origin: Origin, body: UpstreamBodies['pod']): Promise<UpstreamOutcome> {
    const { metrics } = this.#context;
    return retryConflicts(
      origin,
      () => this.#attempt(origin, body),
      () => metrics.conflicts.inc({ kind: 'pod' }),
    );
  }

  async #attempt(origin: Origin, body: UpstreamBodies['pod']): Promise<UpstreamOutcome> {
    const { guard, clock, metrics } = this.#context;
    const pod = await guard.live(origin, body);
    const live = pod.status ?? {};
    if (isTerminalPhase(live['phase']) && live['phase'] !== body.status['phase']) {
      const phase = String(live['phase']);
      throw new Refusal(422, 'state', `pod ${body.namespace}/${body.name} has ended: ${phase} stays`);
    }
    const status = mergePodStatus(live, body.status, clock.wallMs());
    if (sameStatus(status, live)) {
      metrics.writes.inc({ kind: 'pod', verb: 'none' });
      return DONE;
    }
    await this.#pods.update(
      { ...pod, apiVersion: 'v1', kind: 'Pod', status },
      { ...callOptions(origin), subresource: 'status' },
    );
    metrics.writes.inc({ kind: 'pod', verb: 'update' });
    return DONE;
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
