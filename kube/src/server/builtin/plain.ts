import { ensureRecord, setDefault } from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy } from '../registry/definition.ts';
import { builtIn } from './define.ts';
import { specStatus, statusStrategy, statusSubresource } from './strategies.ts';

/** Volumes and claims begin as pending. */
function pendingVolume(struct: string): ResourceStrategy {
  return {
    ...specStatus(struct, { generation: false, status: true }),
    returnDeletedObject: true,
    prepareForCreate(draft) {
      draft['status'] = { phase: 'Pending' };
    },
  };
}

const STORAGE = 'storage.k8s.io';
const NETWORKING = 'networking.k8s.io';

/**
 * Resources that are only kept: nothing here gives them meaning, but programs write and read them. Their fields are
 * checked and defaulted as far as their structs say.
 */
export function plainResources(): ResourceDefinition[] {
  return [
    builtIn({
      kind: 'LimitRange',
      resource: 'limitranges',
      shortNames: ['limits'],
      strategy: { allowCreateOnUpdate: true },
    }),
    builtIn({
      kind: 'ResourceQuota',
      resource: 'resourcequotas',
      shortNames: ['quota'],
      subresources: [statusSubresource()],
      strategy: {
        ...specStatus('ResourceQuota', { generation: false, status: true }),
        returnDeletedObject: true,
      },
    }),
    builtIn({
      kind: 'PersistentVolume',
      resource: 'persistentvolumes',
      shortNames: ['pv'],
      namespaced: false,
      subresources: [statusSubresource()],
      strategy: {
        ...pendingVolume('PersistentVolume'),
        default(draft) {
          const spec = ensureRecord(draft, 'spec');
          setDefault(spec, 'persistentVolumeReclaimPolicy', 'Retain');
          setDefault(spec, 'volumeMode', 'Filesystem');
        },
      },
    }),
    builtIn({
      kind: 'PersistentVolumeClaim',
      resource: 'persistentvolumeclaims',
      shortNames: ['pvc'],
      subresources: [statusSubresource()],
      strategy: {
        ...pendingVolume('PersistentVolumeClaim'),
        default: (draft) => setDefault(ensureRecord(draft, 'spec'), 'volumeMode', 'Filesystem'),
      },
    }),
    builtIn({
      kind: 'PodTemplate',
      resource: 'podtemplates',
      strategy: { returnDeletedObject: true },
    }),
    builtIn({ group: STORAGE, kind: 'CSIDriver', resource: 'csidrivers', namespaced: false }),
    builtIn({ group: STORAGE, kind: 'CSINode', resource: 'csinodes', namespaced: false }),
    builtIn({
      group: STORAGE,
      kind: 'StorageClass',
      resource: 'storageclasses',
      shortNames: ['sc'],
      namespaced: false,
      strategy: {
        default(draft) {
          draft['reclaimPolicy'] ??= 'Delete';
          draft['volumeBindingMode'] ??= 'Immediate';
        },
      },
    }),
    builtIn({
      group: STORAGE,
      kind: 'VolumeAttachment',
      resource: 'volumeattachments',
      namespaced: false,
      subresources: [statusSubresource(statusStrategy())],
      strategy: specStatus('VolumeAttachment', { generation: false, status: true }),
    }),
    builtIn({
      group: NETWORKING,
      kind: 'Ingress',
      resource: 'ingresses',
      shortNames: ['ing'],
      subresources: [statusSubresource()],
      strategy: specStatus('Ingress', { generation: true, status: true }),
    }),
    builtIn({
      group: NETWORKING,
      kind: 'IngressClass',
      resource: 'ingressclasses',
      namespaced: false,
      strategy: specStatus('IngressClass', { generation: true, status: false }),
    }),
    builtIn({
      group: NETWORKING,
      kind: 'NetworkPolicy',
      resource: 'networkpolicies',
      shortNames: ['netpol'],
      strategy: {
        ...specStatus('NetworkPolicy', { generation: true, status: false }),
        default(draft) {
          const spec = ensureRecord(draft, 'spec');
          // Ingress always; egress where rules for it are given.
          if (spec['policyTypes'] === undefined) {
            spec['policyTypes'] = spec['egress'] === undefined ? ['Ingress'] : ['Ingress', 'Egress'];
          }
        },
      },
    }),
    builtIn({
      group: 'policy',
      kind: 'PodDisruptionBudget',
      resource: 'poddisruptionbudgets',
      shortNames: ['pdb'],
      subresources: [statusSubresource()],
      strategy: {
        ...specStatus('PodDisruptionBudget', { generation: true, status: true }),
        allowUnconditionalUpdate: false,
      },
    }),
    builtIn({
      group: 'node.k8s.io',
      kind: 'RuntimeClass',
      resource: 'runtimeclasses',
      namespaced: false,
      strategy: { allowUnconditionalUpdate: false },
    }),
    builtIn({
      group: 'scheduling.k8s.io',
      kind: 'PriorityClass',
      resource: 'priorityclasses',
      shortNames: ['pc'],
      namespaced: false,
      strategy: {
        default(draft) {
          draft['preemptionPolicy'] ??= 'PreemptLowerPriority';
        },
        prepareForCreate(draft) {
          draft.metadata.generation = 1;
        },
      },
    }),
  ];
}
