import { qualifiedNameProblems } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { record, records, text, type Draft } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy } from '../registry/definition.ts';
import { nodePrinter } from '../table/core-printers.ts';
import { builtIn } from './define.ts';
import { keep, statusStrategy, statusSubresource } from './strategies.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** Source: ValidateNode, so far as taints go. */
function nodeErrors(draft: Draft): FieldError[] {
  const seen = new Set<string>();
  return records(record(draft['spec'])['taints']).flatMap((taint, index) => {
    const at = `spec.taints[${index}]`;
    const key = text(taint['key']);
    const effect = text(taint['effect']);
    const errors = qualifiedNameProblems(key).map((problem) => field.invalid(`${at}.key`, key, problem));
    if (effect === '') errors.push(field.required(`${at}.effect`));
    else if (!EFFECTS.includes(effect)) errors.push(field.notSupported(`${at}.effect`, effect, EFFECTS));
    const identity = `${key}:${effect}`;
    if (seen.has(identity)) errors.push(field.duplicate(at, taint));
    seen.add(identity);
    return errors;
  });
}

function nodeUpdateErrors(draft: Draft, old: KubeObject): FieldError[] {
  const errors = nodeErrors(draft);
  const providerId = text(record(draft['spec'])['providerID']);
  const oldProviderId = text(record(old['spec'])['providerID']);
  if (oldProviderId !== '' && providerId !== oldProviderId) {
    const detail = 'node updates may not change providerID except from "" to valid';
    errors.push(field.forbidden('spec.providerID', detail));
  }
  return errors;
}

const strategy: ResourceStrategy = {
  validate: nodeErrors,
  prepareForUpdate: (draft, old) => keep(draft, old, 'status'),
  validateUpdate: nodeUpdateErrors,
};

/** Nodes. */
export function nodeResource(): ResourceDefinition {
  return builtIn({
    kind: 'Node',
    resource: 'nodes',
    shortNames: ['no'],
    namespaced: false,
    strategy,
    fieldNames: ['spec.unschedulable'],
    fields: (object) => ({ 'spec.unschedulable': String(record(object['spec'])['unschedulable'] === true) }),
    table: nodePrinter,
    subresources: [
      {
        name: 'proxy',
        verbs: ['create', 'delete', 'get', 'patch', 'update'],
        responseKind: { group: '', version: '', kind: 'NodeProxyOptions' },
        behaviour: { type: 'connect' },
      },
      statusSubresource(statusStrategy()),
    ],
  });
}
