import { CLEANUP_FINALIZER, type CrdSpec } from '../crd/crd-types.ts';
import { crdErrors, crdUpdateErrors } from '../crd/crd-validation.ts';
import { ensureRecord, record, setDefault, strings, text, type Draft } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy } from '../registry/definition.ts';
import { genericPrinter } from '../table/default-printer.ts';
import { builtIn } from './define.ts';
import { specStatus, statusSubresource } from './strategies.ts';

/** The version that objects are stored in; the first, if several claim to be it. */
function storageVersion(draft: Draft): string | undefined {
  return (draft['spec'] as CrdSpec).versions.find(({ storage }) => storage)?.name; // decoded
}

function strategy(): ResourceStrategy {
  const base = specStatus('CustomResourceDefinition', { generation: true, status: true });
  return {
    ...base,
    allowUnconditionalUpdate: false,
    default(draft) {
      const spec = ensureRecord(draft, 'spec');
      const names = ensureRecord(spec, 'names');
      const kind = text(names['kind']);
      if (kind !== '') {
        setDefault(names, 'singular', kind.toLowerCase());
        setDefault(names, 'listKind', `${kind}List`);
      }
      if (spec['conversion'] === undefined) spec['conversion'] = { strategy: 'None' };
      spec['versions'] ??= [];
    },
    prepareForCreate(draft, context) {
      base.prepareForCreate(draft, context);
      const stored = storageVersion(draft);
      const status = ensureRecord(draft, 'status');
      if (stored !== undefined) status['storedVersions'] = [stored];
    },
    validate: crdErrors,
    prepareForUpdate(draft, old, context) {
      base.prepareForUpdate(draft, old, context);
      const stored = storageVersion(draft);
      const status = structuredClone(record(draft['status']));
      const versions = strings(status['storedVersions']);
      if (stored === undefined || versions.includes(stored)) return;
      draft['status'] = { ...status, storedVersions: [...versions, stored] };
    },
    validateUpdate: crdUpdateErrors,
    finalizersOnDelete: () => [CLEANUP_FINALIZER],
  };
}

/** CustomResourceDefinitions. */
export function crdResource(): ResourceDefinition {
  return builtIn({
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
    resource: 'customresourcedefinitions',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    storedVersion: 'v1beta1',
    strategy: strategy(),
    table: genericPrinter,
    subresources: [statusSubresource()],
  });
}
