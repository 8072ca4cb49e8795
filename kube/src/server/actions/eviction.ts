import { isPlainObject } from '../../meta/json.ts';
import { LabelSelector, type LabelSelectorObject } from '../../meta/label-selector.ts';
import type { KubeObject } from '../../meta/object.ts';
import { badRequest, failure, notFound } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import { number, record, text } from '../draft.ts';
import type { Action } from '../http/actions.ts';
import { writeOptions } from '../http/query-options.ts';
import { deleteOptions } from '../rest/delete-options.ts';
import { currentDraft, keyOf } from '../rest/object-writer.ts';
import { setCondition } from './binding.ts';
import { decodeBody } from './decode-body.ts';
import { successStatus } from './success.ts';

/**
 * `pods/eviction`: deletes a pod if its disruption budgets allow it.
 * Source: kubernetes pkg/registry/core/pod/storage EvictionREST.
 */
export function evictionAction(store: ObjectStore): Action {
  return async (context, pods, { writer, deleter, strategyContext }) => {
    const options = writeOptions(context.query, 'CreateOptions');
    const eviction = await decodeBody(context, pods, {
      struct: 'Eviction',
      kind: 'Eviction',
      apiVersion: 'policy/v1',
    });
    const { namespace, name } = context.info;
    if (eviction.metadata.name !== name)
      throw badRequest('name in URL does not match name in Eviction object');
    const wanted = eviction['deleteOptions'];
    const deletion = deleteOptions(isPlainObject(wanted) ? wanted : {}, new URLSearchParams());
    const strategies = strategyContext(options.dryRun || deletion.dryRun);
    const entry = store.get(keyOf(pods, namespace, name));
    if (entry === undefined) throw notFound(pods, name);
    if (needsBudget(entry.object)) checkBudgets(store, entry.object);
    if (!strategies.dryRun) {
      await writer.update(
        pods,
        {
          namespace,
          name,
          subresource: 'eviction',
          strategy: {},
          uidIsPrecondition: false,
          needsVersion: false,
          mayCreate: false,
          transform(current) {
            if (current === undefined) throw notFound(pods, name);
            const pod = currentDraft(current);
            setCondition(pod, {
              type: 'DisruptionTarget',
              status: 'True',
              lastProbeTime: null,
              lastTransitionTime: context.now,
              reason: 'EvictionByEvictionAPI',
              message: 'Eviction API: evicting',
            });
            return pod;
          },
        },
        strategies,
      );
    }
    await deleter.delete(pods, { namespace, name }, deletion, strategies);
    await context.respond.object(201, successStatus(201), context.representation);
  };
}

/** Pods that do not run yet, no longer run, or end already disturb nobody by going. */
function needsBudget(pod: KubeObject): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return !['Succeeded', 'Failed', 'Pending'].includes(text(record(pod['status'])['phase']));
}

function checkBudgets(store: ObjectStore, pod: KubeObject): void {
  const { namespace = '', labels } = pod.metadata;
  const scope = { group: 'policy', resource: 'poddisruptionbudgets', namespace };
  const budgets = store.list(scope).entries.filter(({ object }) => {
    const selector = record(object['spec'])['selector'] as LabelSelectorObject | undefined; // decoded as LabelSelector
    return LabelSelector.fromObject(selector).matches(labels);
  });
  if (budgets.length > 1) {
    throw failure(
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const [budget] = budgets;
  if (budget === undefined) return;
  const status = record(budget.object['status']);
  if ((number(status['disruptionsAllowed']) ?? 0) > 0) return;
  const desired = number(status['desiredHealthy']) ?? 0;
  const current = number(status['currentHealthy']) ?? 0;
  const message = `The disruption budget ${budget.key.name} needs ${desired} healthy pods and has ${current} currently`;
  throw failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message }],
  });
}
