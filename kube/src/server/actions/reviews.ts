import { isPlainObject } from '../../meta/json.ts';
import { field } from '../../status/field-error.ts';
import { badRequest, failure, invalid } from '../../status/status-errors.ts';
import type { TokenAuthenticator } from '../auth/authenticator.ts';
import type { AuthorizationAttributes, Authorizer } from '../auth/authorizer.ts';
import type { UserInfo } from '../auth/user.ts';
import { record, strings, text, type Draft, type MutableRecord } from '../draft.ts';
import type { Action } from '../http/actions.ts';
import type { RequestContext } from '../http/request-context.ts';
import { apiVersionOf, type ResourceDefinition } from '../registry/definition.ts';
import { decodeBody } from './decode-body.ts';

/** A user as review kinds show him. */
function shownUser(user: UserInfo): object {
  return {
    username: user.username,
    ...(user.uid === '' ? {} : { uid: user.uid }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
  };
}

async function readReview(context: RequestContext, definition: ResourceDefinition): Promise<Draft> {
  const { kind } = definition;
  return decodeBody(context, definition, { struct: kind, kind, apiVersion: apiVersionOf(definition) });
}

/** POST authentication.k8s.io/v1 selfsubjectreviews: who am I? */
export const selfSubjectReviewAction: Action = async (context, definition) => {
  const review = await readReview(context, definition);
  review.metadata.creationTimestamp = context.now;
  review['status'] = { userInfo: shownUser(context.user) };
  await context.respond.object(201, review, context.representation);
};

/** POST authentication.k8s.io/v1 tokenreviews: whose token is this? */
export function tokenReviewAction(
  tokens: TokenAuthenticator | undefined,
  defaultAudiences: readonly string[],
): Action {
  return async (context, definition) => {
    const review = await readReview(context, definition);
    const spec = record(review['spec']);
    const token = text(spec['token']);
    if (token === '') throw badRequest('token is required for TokenReview in authentication');
    const audiences = strings(spec['audiences']);
    const identity = await tokens?.authenticateToken(token, audiences);
    review['status'] =
      identity === undefined
        ? { user: {}, error: 'invalid bearer token' }
        : {
            authenticated: true,
            user: shownUser(identity.user),
            audiences: identity.audiences ?? defaultAudiences,
          };
    await context.respond.object(201, review, context.representation);
  };
}

/** POST authorization.k8s.io/v1 subjectaccessreviews, their local and their self form: may he? */
export function accessReviewAction(authorizer: Authorizer): Action {
  return async (context, definition) => {
    const review = await readReview(context, definition);
    const spec = record(review['spec']);
    const isSelf = definition.kind === 'SelfSubjectAccessReview';
    const user = isSelf ? context.user : userOf(spec);
    const resource = spec['resourceAttributes'];
    const path = spec['nonResourceAttributes'];
    if (isPlainObject(resource) === isPlainObject(path)) {
      const detail = isPlainObject(resource)
        ? 'cannot be specified in combination with resourceAttributes'
        : 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
      const at = isPlainObject(resource) ? 'spec.nonResourceAttributes' : 'spec.resourceAttributes';
      const value = isPlainObject(resource) ? path : null;
      throw invalid({ group: definition.group, kind: '' }, '', [field.invalid(at, value, detail)]);
    }
    if (!isSelf && user.username === '' && user.groups.length === 0) {
      throw invalid({ group: definition.group, kind: '' }, '', [
        field.invalid('spec.user', '', 'at least one of user or group must be specified'),
      ]);
    }
    if (definition.namespaced && record(resource)['namespace'] !== context.info.namespace) {
      throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${context.info.namespace}`);
    }
    const { decision, reason } = await authorizer.authorize(
      attributes(user, record(resource), record(path), isPlainObject(path)),
    );
    review['status'] = {
      allowed: decision === 'allow',
      ...(decision === 'deny' ? { denied: true } : {}),
      ...(reason === '' ? {} : { reason }),
    };
    await context.respond.object(201, review, context.representation);
  };
}

function userOf(spec: MutableRecord): UserInfo {
  const extra = Object.entries(record(spec['extra'])).map(([key, values]): [string, string[]] => [
    key,
    strings(values),
  ]);
  return {
    username: text(spec['user']),
    uid: text(spec['uid']),
    groups: strings(spec['groups']),
    extra: Object.fromEntries(extra),
  };
}

function attributes(
  user: UserInfo,
  resource: MutableRecord,
  path: MutableRecord,
  isPath: boolean,
): AuthorizationAttributes {
  return {
    user,
    verb: text(isPath ? path['verb'] : resource['verb']),
    isResource: !isPath,
    namespace: text(resource['namespace']),
    group: text(resource['group']),
    version: text(resource['version']),
    resource: text(resource['resource']),
    subresource: text(resource['subresource']),
    name: text(resource['name']),
    path: text(path['path']),
  };
}

/** Lists what a user may do; only some authorizers can. */
export interface RuleLister {
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): {
    readonly resourceRules: readonly object[];
    readonly nonResourceRules: readonly object[];
    readonly incomplete: boolean;
  };
}

/** POST authorization.k8s.io/v1 selfsubjectrulesreviews: what may I (`kubectl auth can-i --list`)? */
export function rulesReviewAction(lister: RuleLister | undefined): Action {
  return async (context, definition) => {
    const review = await readReview(context, definition);
    const namespace = text(record(review['spec'])['namespace']);
    if (namespace === '') throw badRequest('no namespace on request');
    if (lister === undefined) throw failure(501, '', 'this server cannot list rules');
    review['status'] = lister.rulesFor(context.user, namespace);
    await context.respond.object(201, review, context.representation);
  };
}
