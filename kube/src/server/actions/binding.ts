import { field, type FieldError } from '../../status/field-error.ts';
import { badRequest, conflict, invalid } from '../../status/status-errors.ts';
import { ensureRecord, record, records, text, type Draft } from '../draft.ts';
import type { Action } from '../http/actions.ts';
import { writeOptions } from '../http/query-options.ts';
import type { Registry } from '../registry/registry.ts';
import { currentDraft } from '../rest/object-writer.ts';
import { notFound } from '../../status/status-errors.ts';
import { decodeBody } from './decode-body.ts';
import { successStatus } from './success.ts';

/**
 * `pods/binding` and `bindings`: gives a pod to a node.
 * Source: kubernetes pkg/registry/core/pod/storage BindingREST.
 */
export function bindingAction(registry: Registry): Action {
  return async (context, definition, { writer, strategyContext }) => {
    const options = writeOptions(context.query, 'CreateOptions');
    const binding = await decodeBody(context, definition, {
      struct: 'Binding',
      kind: 'Binding',
      apiVersion: 'v1',
    });
    const { info } = context;
    const name = info.name === '' ? (binding.metadata.name ?? '') : info.name;
    if (info.name !== '' && (binding.metadata.name ?? '') !== info.name) {
      throw badRequest('name in URL does not match name in Binding object');
    }
    const errors = bindingErrors(binding);
    if (errors.length > 0) throw invalid({ group: '', kind: 'Binding' }, name, errors);
    const pods = registry.find('', 'v1', 'pods');
    if (pods === undefined) throw notFound({ group: '', resource: 'pods' }, name);
    const node = text(record(binding['target'])['name']);
    await writer.update(
      pods,
      {
        namespace: info.namespace,
        name,
        subresource: 'binding',
        strategy: {},
        uidIsPrecondition: true,
        needsVersion: false,
        mayCreate: false,
        transform(current) {
          if (current === undefined) throw notFound(pods, name);
          return bound(currentDraft(current), node, binding, context.now);
        },
      },
      strategyContext(options.dryRun),
    );
    await context.respond.object(201, successStatus(201), context.representation);
  };
}

function bindingErrors(binding: Draft): FieldError[] {
  const { kind, name } = record(binding['target']);
  const errors: FieldError[] = [];
  if (text(kind) !== '' && kind !== 'Node')
    errors.push(field.notSupported('target.kind', kind, ['Node', '<empty>']));
  if (text(name) === '') errors.push(field.required('target.name'));
  return errors;
}

function bound(pod: Draft, node: string, binding: Draft, now: string): Draft {
  const { name = '' } = pod.metadata;
  const refuse = (why: string): Error => conflict({ group: '', resource: 'pods/binding' }, name, why);
  if (pod.metadata.deletionTimestamp !== undefined)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  const spec = ensureRecord(pod, 'spec');
  const present = text(spec['nodeName']);
  if (present !== '') throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(present)}`);
  if (records(spec['schedulingGates']).length > 0)
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  spec['nodeName'] = node;
  const { uid, resourceVersion, annotations } = binding.metadata;
  if (annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  if (uid !== undefined) pod.metadata.uid = uid;
  if (resourceVersion === undefined) delete pod.metadata.resourceVersion;
  else pod.metadata.resourceVersion = resourceVersion;
  const condition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now };
  setCondition(pod, condition);
  return pod;
}

/** Puts a condition in the place of the one of its type. */
export function setCondition(
  pod: Draft,
  condition: { readonly type: string; readonly [key: string]: unknown },
): void {
  const status = ensureRecord(pod, 'status');
  const conditions = records(status['conditions']);
  const index = conditions.findIndex(({ type }) => type === condition.type);
  if (index === -1) status['conditions'] = [...conditions, condition];
  else status['conditions'] = conditions.with(index, condition);
}
