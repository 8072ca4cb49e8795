import type { FieldSelector } from '../../meta/field-selector.ts';
import type { UserInfo } from './user.ts';

/** What somebody wants to do. Source: k8s.io/apiserver authorization/authorizer Attributes. */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResource: boolean;
  readonly namespace: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** '' where the request names no object. */
  readonly name: string;
  /** For what is no resource. */
  readonly path: string;
  /** Of lists, watches and deletecollections, if it could be read. */
  readonly fieldSelector?: FieldSelector;
}

/** `deny` ends the matter; `noOpinion` leaves it to the next authorizer, and after the last one means no. */
export interface AuthorizationDecision {
  readonly decision: 'allow' | 'deny' | 'noOpinion';
  /** '' if there is nothing to say. */
  readonly reason: string;
}

/** Says who may do what. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): AuthorizationDecision | Promise<AuthorizationDecision>;
}

/** No opinion, and nothing to say. */
export const NO_OPINION: AuthorizationDecision = { decision: 'noOpinion', reason: '' };

/** Asks one after the other; the first that allows or denies decides, else all reasons are given. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const { decision, reason } = await authorizer.authorize(attributes);
        if (decision !== 'noOpinion') return { decision, reason };
        if (reason !== '') reasons.push(reason);
      }
      return { decision: 'noOpinion', reason: reasons.join('\n') };
    },
  };
}

/** Allows members of a group everything. Source: authorizerfactory.NewPrivilegedGroups. */
export function privilegedGroupAuthorizer(group: string): Authorizer {
  return {
    authorize: ({ user }) => (user.groups.includes(group) ? { decision: 'allow', reason: '' } : NO_OPINION),
  };
}

/** Allows everybody everything: for servers that are reached only from where everybody may. */
export const allowAllAuthorizer: Authorizer = {
  authorize: () => ({ decision: 'allow', reason: '' }),
};

/** The sentence of a refusal. Source: k8s.io/apiserver responsewriters forbiddenMessage. */
export function refusal(attributes: AuthorizationAttributes, reason: string): string {
  const { user, verb, resource, subresource, group, namespace, path } = attributes;
  const who = `User ${JSON.stringify(user.username)} cannot ${verb}`;
  if (!attributes.isResource) return `${who} path ${JSON.stringify(path)}${suffix(reason)}`;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}${suffix(reason)}`;
}

function suffix(reason: string): string {
  return reason === '' ? '' : `: ${reason}`;
}
