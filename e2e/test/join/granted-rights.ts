import { ResourceClient, type ApiClient } from '@hawser/kube';
import type { UsedRight } from './recorded-calls.ts';

/** One verb on one resource that a role gives. */
export interface GrantedRight {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** `''`: everywhere. */
  readonly namespace: string;
  /** Empty: all. */
  readonly names: readonly string[];
}

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
  /** Paths that are no resources; here they take the place of a resource of the core group. */
  readonly nonResourceURLs?: readonly string[];
}

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;

/** All that the roles named `name` give, one verb and resource each. */
export async function grantedRights(
  client: ApiClient,
  name: string,
  namespaces: readonly string[],
): Promise<readonly GrantedRight[]> {
  const clusterRoles = new ResourceClient(client, {
    ...RBAC,
    ...{ resource: 'clusterroles', kind: 'ClusterRole', namespaced: false },
  });
  const roles = new ResourceClient(client, { ...RBAC, resource: 'roles', kind: 'Role', namespaced: true });
  const found = [
    await clusterRoles.get('', name),
    ...(await Promise.all(namespaces.map((namespace) => roles.get(namespace, name)))),
  ];
  return found.flatMap(({ metadata, ...role }) =>
    (role['rules'] as readonly Rule[]).flatMap((rule) => {
      const { apiGroups = [''], nonResourceURLs = [], verbs, resourceNames: names = [] } = rule;
      const resources = rule.resources ?? nonResourceURLs;
      const namespace = metadata.namespace ?? '';
      return apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource, namespace, names }))),
      );
    }),
  );
}

/** Whether a use is one of this right. */
export function isUseOf(used: UsedRight, { verb, group, resource, namespace, names }: GrantedRight): boolean {
  return (
    used.verb === verb &&
    used.group === group &&
    used.resource === resource &&
    (namespace === '' || used.namespace === namespace) &&
    (names.length === 0 ||
      names.includes(used.name) ||
      (resource === 'namespaces' && names.includes(used.namespace)))
  );
}
