import { dns1123LabelProblems, qualifiedNameProblems } from '../../meta/names.ts';
import { field } from '../../status/field-error.ts';
import { ensureRecord, record, strings, text } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy, UpdateStrategy } from '../registry/definition.ts';
import { namespacePrinter } from '../table/core-printers.ts';
import { builtIn } from './define.ts';
import { keep, statusSubresource } from './strategies.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';
const FINALIZER = 'kubernetes';

/** Source: kubernetes pkg/registry/core/namespace strategy. */
const strategy: ResourceStrategy = {
  default(draft) {
    const { name = '' } = draft.metadata;
    if (name !== '') draft.metadata.labels = { ...draft.metadata.labels, [NAME_LABEL]: name };
  },
  nameProblems: dns1123LabelProblems,
  prepareForCreate(draft) {
    const { name = '' } = draft.metadata;
    draft.metadata.labels = { ...draft.metadata.labels, [NAME_LABEL]: name };
    draft['status'] = { phase: 'Active' };
    const spec = ensureRecord(draft, 'spec');
    const finalizers = strings(spec['finalizers']);
    spec['finalizers'] = finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER];
  },
  prepareForUpdate(draft, old) {
    keep(draft, old, 'spec');
    keep(draft, old, 'status');
  },
  mustStay: (object) => strings(record(object['spec'])['finalizers']).length > 0,
  prepareForDelete(draft) {
    ensureRecord(draft, 'status')['phase'] = 'Terminating';
  },
  returnDeletedObject: true,
};

const statusStrategy: UpdateStrategy = {
  prepareForUpdate: (draft, old) => keep(draft, old, 'spec'),
  validateUpdate(draft, old) {
    const phase = text(record(draft['status'])['phase']);
    if (old.metadata.deletionTimestamp === undefined || phase === 'Terminating') return [];
    const detail = "may only be 'Terminating' if `deletionTimestamp` is not empty";
    return [field.invalid('status.phase', phase, detail)];
  },
};

/** `finalize` writes spec.finalizers: when the last one goes, so does the namespace. */
const finalizeStrategy: UpdateStrategy = {
  prepareForUpdate: (draft, old) => keep(draft, old, 'status'),
  validateUpdate: (draft) =>
    strings(record(draft['spec'])['finalizers']).flatMap((finalizer, index) =>
      qualifiedNameProblems(finalizer).map((problem) =>
        field.invalid(`spec.finalizers[${index}]`, finalizer, problem),
      ),
    ),
};

/** Namespaces. */
export function namespaceResource(): ResourceDefinition {
  return builtIn({
    kind: 'Namespace',
    resource: 'namespaces',
    shortNames: ['ns'],
    namespaced: false,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    strategy,
    fieldNames: ['status.phase'],
    fields: (object) => ({ 'status.phase': text(record(object['status'])['phase']) }),
    table: namespacePrinter,
    subresources: [
      { name: 'finalize', verbs: ['update'], behaviour: { type: 'part', strategy: finalizeStrategy } },
      statusSubresource(statusStrategy),
    ],
  });
}
