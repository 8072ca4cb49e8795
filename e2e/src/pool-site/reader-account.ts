import { resourcePath, RESOURCES, type ApiClient, type ApiResource } from '@hawser/kube';

const NAME = 'pool-reader';
const GROUP = 'rbac.authorization.k8s.io';
const CLUSTER_ROLES = rbacResource('clusterroles', 'ClusterRole');
const CLUSTER_ROLE_BINDINGS = rbacResource('clusterrolebindings', 'ClusterRoleBinding');

/**
 * Makes a service account that may read EndpointSlices, Endpoints and Services of all namespaces.
 * @returns a token of it, good for an hour
 */
export async function makeReader(client: ApiClient): Promise<string> {
  const verbs = ['get', 'list', 'watch'];
  const rules = [
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs },
    { apiGroups: [''], resources: ['services', 'endpoints'], verbs },
  ];
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: 'default' }];
  const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name: NAME };
  const rbac = { apiVersion: `${GROUP}/v1`, metadata: { name: NAME } };
  const accounts = resourcePath(RESOURCES.serviceaccounts, { namespace: 'default' });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME } };
  const post = (path: string, body: object): Promise<unknown> =>
    client.request({ method: 'POST', path, body });
  await post(accounts, account);
  await post(resourcePath(CLUSTER_ROLES, {}), { ...rbac, kind: 'ClusterRole', rules });
  const binding = { ...rbac, kind: 'ClusterRoleBinding', subjects, roleRef };
  await post(resourcePath(CLUSTER_ROLE_BINDINGS, {}), binding);
  const order = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const answer = await post(`${accounts}/${NAME}/token`, order);
  return (answer as { readonly status: { readonly token: string } }).status.token;
}

function rbacResource(resource: string, kind: string): ApiResource {
  return { group: GROUP, version: 'v1', resource, kind, namespaced: false };
}
