import { forbidden, notFound } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import { record } from '../draft.ts';
import type { AdmissionPlugin } from './admission.ts';

const NAMESPACES = { group: '', resource: 'namespaces' };
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);
/** Reviews concern a namespace; they do not live in it. */
const WITHOUT_NAMESPACE = new Set(['localsubjectaccessreviews']);

/**
 * Nothing is created in a namespace that does not exist or is going away, and three namespaces stay.
 * Source: k8s.io/apiserver admission/plugin/namespace/lifecycle.
 */
export function namespaceLifecycle(store: ObjectStore): AdmissionPlugin {
  return {
    admit({ operation, resource, subresource, namespace, name }) {
      if (resource.resource === 'namespaces' && resource.group === '') {
        if (operation === 'DELETE' && IMMORTAL.has(name)) {
          throw forbidden(NAMESPACES, name, 'this namespace may not be deleted');
        }
        return;
      }
      if (operation !== 'CREATE' || subresource !== '' || namespace === '') return;
      if (WITHOUT_NAMESPACE.has(resource.resource)) return;
      const entry = store.get({ ...NAMESPACES, namespace: '', name: namespace });
      if (entry === undefined) throw notFound(NAMESPACES, namespace);
      if (record(entry.object['status'])['phase'] !== 'Terminating') return;
      throw forbidden(
        resource,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
        [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      );
    },
  };
}
