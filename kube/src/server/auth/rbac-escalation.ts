import { forbidden } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission/admission.ts';
import { record, records, strings, text, type MutableRecord } from '../draft.ts';
import type { Authorizer } from './authorizer.ts';
import type { RbacAuthorizer } from './rbac-authorizer.ts';
import { MASTERS, type UserInfo } from './user.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** One thing that a rule allows: no lists any more, so that it can be compared. */
interface Right {
  readonly verb: string;
  readonly apiGroup: string;
  readonly resource: string;
  /** '' for every name. */
  readonly resourceName: string;
  /** '' for rules on resources. */
  readonly url: string;
}

/**
 * Nobody grants what he does not have: who writes a role must hold all its rules himself (or may `escalate` it), and
 * who binds one must hold them too (or may `bind` it). Members of system:masters hold everything.
 * Source: kubernetes pkg/registry/rbac/{role,rolebinding,…}/policybased.
 */
export class RbacEscalation implements AdmissionPlugin {
  readonly #store: ObjectStore;
  readonly #rbac: RbacAuthorizer;
  readonly #authorizer: Authorizer;

  /** `authorizer`: the whole of it, for the verbs `escalate` and `bind`. */
  constructor(store: ObjectStore, rbac: RbacAuthorizer, authorizer: Authorizer) {
    this.#store = store;
    this.#rbac = rbac;
    this.#authorizer = authorizer;
  }

  async admit(attributes: AdmissionAttributes): Promise<void> {
    const { resource, object, user, operation } = attributes;
    if (resource.group !== GROUP || object === undefined || operation === 'DELETE') return;
    if (user.groups.includes(MASTERS)) return;
    switch (resource.resource) {
      case 'roles':
      case 'clusterroles':
        if (await this.#may('escalate', attributes, resource.resource, attributes.name)) return;
        this.#confirm(attributes, records(object['rules']));
        return;
      case 'rolebindings':
      case 'clusterrolebindings': {
        const roleRef = record(object['roleRef']);
        const isCluster = roleRef['kind'] === 'ClusterRole';
        const roles = isCluster ? 'clusterroles' : 'roles';
        const name = text(roleRef['name']);
        if (await this.#may('bind', attributes, roles, name)) return;
        const namespace = isCluster ? '' : attributes.namespace;
        const role = this.#store.get({ group: GROUP, resource: roles, namespace, name });
        this.#confirm(attributes, records(role?.object['rules']));
        return;
      }
      default:
    }
  }

  async #may(
    verb: string,
    { user, namespace, version }: AdmissionAttributes,
    resource: string,
    name: string,
  ): Promise<boolean> {
    const { decision } = await this.#authorizer.authorize({
      user,
      verb,
      isResource: true,
      namespace: resource === 'clusterroles' ? '' : namespace,
      group: GROUP,
      version,
      resource,
      subresource: '',
      name,
      path: '',
    });
    return decision === 'allow';
  }

  #confirm(attributes: AdmissionAttributes, rules: readonly MutableRecord[]): void {
    const { user, namespace, resource, name } = attributes;
    const held = this.#held(user, namespace);
    const missing = rules.filter(
      (rule) => !rightsOf(rule).every((right) => held.some((own) => covers(own, right))),
    );
    if (missing.length === 0) return;
    const who = `user ${JSON.stringify(user.username)} (groups=${JSON.stringify(user.groups)})`;
    const what = missing.map(describe).join('\n');
    throw forbidden(
      resource,
      name,
      `${who} is attempting to grant RBAC permissions not currently held:\n${what}`,
    );
  }

  #held(user: UserInfo, namespace: string): Right[] {
    const { resourceRules, nonResourceRules } = this.#rbac.rulesFor(user, namespace);
    return [...resourceRules, ...nonResourceRules].flatMap((rule) => rightsOf(record(rule)));
  }
}

function rightsOf(rule: MutableRecord): Right[] {
  const verbs = strings(rule['verbs']);
  const names = strings(rule['resourceNames']);
  const urls = strings(rule['nonResourceURLs']).flatMap((url) =>
    verbs.map((verb) => ({ verb, apiGroup: '', resource: '', resourceName: '', url })),
  );
  const resources = strings(rule['apiGroups']).flatMap((apiGroup) =>
    strings(rule['resources']).flatMap((resource) =>
      (names.length === 0 ? [''] : names).flatMap((resourceName) =>
        verbs.map((verb) => ({ verb, apiGroup, resource, resourceName, url: '' })),
      ),
    ),
  );
  return [...urls, ...resources];
}

/** Source: k8s.io/component-helpers auth/rbac/validation ruleCovers. */
function covers(own: Right, wanted: Right): boolean {
  if (own.verb !== '*' && own.verb !== wanted.verb) return false;
  if (wanted.url !== '' || own.url !== '') {
    if (own.url === '*' || own.url === wanted.url) return own.url !== '';
    return own.url.endsWith('*') && wanted.url.startsWith(own.url.slice(0, -1));
  }
  if (own.apiGroup !== '*' && own.apiGroup !== wanted.apiGroup) return false;
  const [, subresource] = wanted.resource.split('/');
  const sameResource =
    own.resource === '*' ||
    own.resource === wanted.resource ||
    (subresource !== undefined && own.resource === `*/${subresource}`);
  return sameResource && (own.resourceName === '' || own.resourceName === wanted.resourceName);
}

function describe(rule: MutableRecord): string {
  const parts = [
    ['APIGroups', 'apiGroups'],
    ['Resources', 'resources'],
    ['ResourceNames', 'resourceNames'],
    ['NonResourceURLs', 'nonResourceURLs'],
    ['Verbs', 'verbs'],
  ] as const;
  const shown = parts
    .map(([title, key]) => [title, strings(rule[key])] as const)
    .filter(([, values]) => values.length > 0)
    .map(([title, values]) => `${title}:[${values.map((value) => JSON.stringify(value)).join(' ')}]`);
  return `{${shown.join(', ')}}`;
}
