import {
  NO_OPINION,
  type AuthorizationAttributes,
  type AuthorizationDecision,
  type Authorizer,
} from './authorizer.ts';
import type { NodeGraph, ReferencedResource } from './node-graph.ts';
import { nodeName } from './node-identity.ts';

const READ_VERBS = new Set(['get', 'list', 'watch']);
const ALLOW: AuthorizationDecision = { decision: 'allow', reason: '' };
const LEASE_NAMESPACE = 'kube-node-lease';

function no(reason: string): AuthorizationDecision {
  return { decision: 'noOpinion', reason };
}

/** What every node may do whatever the object. Source: rbac/bootstrappolicy NodeRules. */
const NODE_RULES: readonly (readonly [
  group: string,
  resources: readonly string[],
  verbs: readonly string[],
])[] = [
  ['authentication.k8s.io', ['tokenreviews'], ['create']],
  ['authorization.k8s.io', ['subjectaccessreviews', 'localsubjectaccessreviews'], ['create']],
  ['', ['services'], ['get', 'list', 'watch']],
  ['', ['nodes'], ['create']],
  ['', ['nodes'], ['patch', 'update']],
  ['', ['nodes/status'], ['patch', 'update']],
  ['', ['events'], ['create', 'patch', 'update']],
  ['', ['pods'], ['create', 'delete']],
  ['', ['pods/status'], ['patch', 'update']],
  ['', ['pods/eviction'], ['create']],
  ['certificates.k8s.io', ['certificatesigningrequests'], ['create', 'get', 'list', 'watch']],
  ['storage.k8s.io', ['csidrivers'], ['get', 'list', 'watch']],
  ['node.k8s.io', ['runtimeclasses'], ['get', 'list', 'watch']],
  ['', ['persistentvolumeclaims/status'], ['get', 'patch', 'update']],
];

/**
 * A node reads what its own pods refer to, and writes what is its own.
 * Source: kubernetes plugin/pkg/auth/authorizer/node.
 */
export class NodeAuthorizer implements Authorizer {
  readonly #graph: NodeGraph;

  constructor(graph: NodeGraph) {
    this.#graph = graph;
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationDecision {
    const node = nodeName(attributes.user);
    if (node === undefined || !attributes.isResource) return NO_OPINION;
    const { group, resource, subresource } = attributes;
    switch (`${resource}.${group}`) {
      case 'secrets.':
      case 'configmaps.':
        return this.#read(node, resource as ReferencedResource, attributes);
      case 'persistentvolumeclaims.':
        if (subresource === 'status') break;
        return this.#get(node, 'persistentvolumeclaims', attributes);
      case 'persistentvolumes.':
        return this.#get(node, 'persistentvolumes', attributes);
      case 'serviceaccounts.':
        return this.#serviceAccount(node, attributes);
      case 'leases.coordination.k8s.io':
        return lease(node, attributes);
      case 'csinodes.storage.k8s.io':
        return csiNode(node, attributes);
      case 'nodes.':
        return subresource === '' ? ownNode(node, attributes) : byRules(attributes);
      case 'pods.':
        return this.#pod(node, attributes);
      default:
    }
    return byRules(attributes);
  }

  /** Get, list and watch of one object. */
  #read(
    node: string,
    resource: ReferencedResource,
    attributes: AuthorizationAttributes,
  ): AuthorizationDecision {
    if (attributes.subresource !== '') return no('cannot read subresource');
    if (!READ_VERBS.has(attributes.verb)) return no('can only read resources of this type');
    return this.#referred(node, resource, attributes);
  }

  #get(
    node: string,
    resource: ReferencedResource,
    attributes: AuthorizationAttributes,
  ): AuthorizationDecision {
    if (attributes.verb !== 'get') return no('can only get individual resources of this type');
    if (attributes.subresource !== '') return no('cannot get subresource');
    return this.#referred(node, resource, attributes);
  }

  #referred(
    node: string,
    resource: ReferencedResource,
    attributes: AuthorizationAttributes,
  ): AuthorizationDecision {
    const { name, namespace } = attributes;
    if (name === '') return no('No Object name found');
    return this.#graph.refers(node, resource, namespace, name) ? ALLOW : no(unrelated(node));
  }

  #serviceAccount(node: string, attributes: AuthorizationAttributes): AuthorizationDecision {
    const { verb, subresource } = attributes;
    if (subresource === 'token' && verb === 'create')
      return this.#referred(node, 'serviceaccounts', attributes);
    if (subresource === '' && verb === 'get') return this.#referred(node, 'serviceaccounts', attributes);
    return no('can only get individual service accounts, or create tokens of them');
  }

  #pod(node: string, attributes: AuthorizationAttributes): AuthorizationDecision {
    const { verb, subresource, fieldSelector, name, namespace } = attributes;
    if (subresource !== '' || !READ_VERBS.has(verb)) return byRules(attributes);
    if (verb === 'get') {
      if (name === '') return no('No Object name found');
      return this.#graph.runs(node, namespace, name) ? ALLOW : no(unrelated(node));
    }
    if (fieldSelector?.requiredValue('spec.nodeName') === node) return ALLOW;
    if (name !== '' && this.#graph.runs(node, namespace, name)) return ALLOW;
    return no('can only list/watch pods with spec.nodeName field selector');
  }
}

function unrelated(node: string): string {
  return `no relationship found between node '${node}' and this object`;
}

function byRules({ group, resource, subresource, verb }: AuthorizationAttributes): AuthorizationDecision {
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const allowed = NODE_RULES.some(
    ([ruleGroup, resources, verbs]) =>
      ruleGroup === group && resources.includes(what) && verbs.includes(verb),
  );
  return allowed ? ALLOW : NO_OPINION;
}

function ownNode(node: string, attributes: AuthorizationAttributes): AuthorizationDecision {
  const { verb, name } = attributes;
  if (!READ_VERBS.has(verb)) return byRules(attributes);
  if (name === node) return ALLOW;
  return no(
    name === ''
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}

function lease(node: string, { verb, namespace, name }: AuthorizationAttributes): AuthorizationDecision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) {
    return no('can only get, create, update, patch, or delete a node lease');
  }
  if (namespace !== LEASE_NAMESPACE) {
    return no(`can only access leases in the ${JSON.stringify(LEASE_NAMESPACE)} system namespace`);
  }
  // A create request carries the name in its body: NodeRestriction looks at that.
  if (verb !== 'create' && name !== node) {
    return no('can only access node lease with the same name as the requesting node');
  }
  return ALLOW;
}

function csiNode(node: string, { verb, name, subresource }: AuthorizationAttributes): AuthorizationDecision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) {
    return no('can only get, create, update, patch, or delete a CSINode');
  }
  if (subresource !== '') return no('cannot authorize CSINode subresources');
  if (verb !== 'create' && name !== node) {
    return no('can only access CSINode with the same name as the requesting node');
  }
  return ALLOW;
}
