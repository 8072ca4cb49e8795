import type { KubeObject } from '../../meta/object.ts';
import type { ObjectStore } from '../../store/store.ts';
import { record, records, strings, text, type MutableRecord } from '../draft.ts';
import {
  NO_OPINION,
  type AuthorizationAttributes,
  type AuthorizationDecision,
  type Authorizer,
} from './authorizer.ts';
import type { UserInfo } from './user.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ACCOUNT_PREFIX = 'system:serviceaccount:';

/** A rule that holds for somebody, and why. */
interface BoundRule {
  readonly rule: MutableRecord;
  readonly reason: string;
}

/**
 * Authorizes by the Roles, ClusterRoles and bindings in the store.
 * Source: kubernetes plugin/pkg/auth/authorizer/rbac.
 */
export class RbacAuthorizer implements Authorizer {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationDecision {
    for (const { rule, reason } of this.#rules(attributes.user, attributes.namespace)) {
      if (allows(rule, attributes)) return { decision: 'allow', reason };
    }
    return NO_OPINION;
  }

  /** What a user may do in a namespace, for `kubectl auth can-i --list`. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): { resourceRules: object[]; nonResourceRules: object[]; incomplete: boolean } {
    const resourceRules: object[] = [];
    const nonResourceRules: object[] = [];
    for (const { rule } of this.#rules(user, namespace)) {
      const verbs = strings(rule['verbs']);
      const nonResourceURLs = strings(rule['nonResourceURLs']);
      if (nonResourceURLs.length > 0) nonResourceRules.push({ verbs, nonResourceURLs });
      if (strings(rule['resources']).length === 0) continue;
      const names = strings(rule['resourceNames']);
      resourceRules.push({
        verbs,
        apiGroups: strings(rule['apiGroups']),
        resources: strings(rule['resources']),
        ...(names.length === 0 ? {} : { resourceNames: names }),
      });
    }
    return { resourceRules, nonResourceRules, incomplete: false };
  }

  *#rules(user: UserInfo, namespace: string): Generator<BoundRule> {
    for (const { object } of this.#store.list({ group: GROUP, resource: 'clusterrolebindings' }).entries) {
      const subject = records(object['subjects']).find((candidate) => isSubject(candidate, user, ''));
      if (subject === undefined) continue;
      const { name = '' } = record(object['roleRef']);
      const reason = `RBAC: allowed by ClusterRoleBinding ${quote(object.metadata.name)} of ClusterRole ${quote(name)} to ${describe(subject, '')}`;
      for (const rule of this.#clusterRole(text(name))) yield { rule, reason };
    }
    if (namespace === '') return;
    for (const { object } of this.#store.list({ group: GROUP, resource: 'rolebindings', namespace })
      .entries) {
      const subject = records(object['subjects']).find((candidate) => isSubject(candidate, user, namespace));
      if (subject === undefined) continue;
      const { kind, name = '' } = record(object['roleRef']);
      const where = `${object.metadata.name ?? ''}/${namespace}`;
      const reason = `RBAC: allowed by RoleBinding ${quote(where)} of ${text(kind)} ${quote(name)} to ${describe(subject, namespace)}`;
      const rules =
        kind === 'ClusterRole' ? this.#clusterRole(text(name)) : this.#role(namespace, text(name));
      for (const rule of rules) yield { rule, reason };
    }
  }

  #clusterRole(name: string): MutableRecord[] {
    const entry = this.#store.get({ group: GROUP, resource: 'clusterroles', namespace: '', name });
    return rulesOf(entry?.object);
  }

  #role(namespace: string, name: string): MutableRecord[] {
    return rulesOf(this.#store.get({ group: GROUP, resource: 'roles', namespace, name })?.object);
  }
}

function rulesOf(role: KubeObject | undefined): MutableRecord[] {
  return records(role?.['rules']);
}

function quote(value: unknown): string {
  return JSON.stringify(text(value));
}

function describe(subject: MutableRecord, namespace: string): string {
  const kind = text(subject['kind']);
  if (kind !== 'ServiceAccount') return `${kind} ${quote(subject['name'])}`;
  return `ServiceAccount ${quote(`${text(subject['name'])}/${text(subject['namespace']) || namespace}`)}`;
}

function isSubject(subject: MutableRecord, user: UserInfo, namespace: string): boolean {
  const name = text(subject['name']);
  switch (subject['kind']) {
    case 'User':
      return user.username === name;
    case 'Group':
      return user.groups.includes(name);
    case 'ServiceAccount':
      return user.username === `${ACCOUNT_PREFIX}${text(subject['namespace']) || namespace}:${name}`;
    default:
      return false;
  }
}

function covers(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

/** Whether a rule allows a request. Source: kubernetes pkg/registry/rbac/validation RuleAllows. */
export function allows(rule: MutableRecord, attributes: AuthorizationAttributes): boolean {
  if (!covers(strings(rule['verbs']), attributes.verb)) return false;
  if (!attributes.isResource) {
    return strings(rule['nonResourceURLs']).some(
      (url) =>
        url === '*' ||
        url === attributes.path ||
        (url.endsWith('*') && attributes.path.startsWith(url.slice(0, -1))),
    );
  }
  const { group, resource, subresource, name } = attributes;
  if (!covers(strings(rule['apiGroups']), group)) return false;
  const resources = strings(rule['resources']);
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  const named = covers(resources, combined) || (subresource !== '' && resources.includes(`*/${subresource}`));
  if (!named) return false;
  const names = strings(rule['resourceNames']);
  return names.length === 0 || (name !== '' && names.includes(name));
}
