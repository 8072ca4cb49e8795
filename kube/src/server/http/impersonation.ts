import { badRequest, forbidden } from '../../status/status-errors.ts';
import { refusal, type AuthorizationAttributes, type Authorizer } from '../auth/authorizer.ts';
import { AUTHENTICATED, UNAUTHENTICATED, type UserInfo } from '../auth/user.ts';

/** Headers by lower-case name, each time they came. */
export type DistinctHeaders = Readonly<Record<string, string[] | undefined>>;

const EXTRA_PREFIX = 'impersonate-extra-';

interface Wanted {
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly group: string;
}

/**
 * Who the request is to be made as: the user of its Impersonate-* headers, if `user` may impersonate him.
 * Source: k8s.io/apiserver endpoints/filters/impersonation.
 * @throws StatusError Forbidden, BadRequest (groups or extra without a user).
 */
export async function impersonated(
  headers: DistinctHeaders,
  user: UserInfo,
  authorizer: Authorizer,
): Promise<UserInfo> {
  const username = single(headers['impersonate-user']);
  const groups = headers['impersonate-group'] ?? [];
  const uid = single(headers['impersonate-uid']);
  const extra = extras(headers);
  if (username === '') {
    if (groups.length === 0 && uid === '' && Object.keys(extra).length === 0) return user;
    throw badRequest('requested groups or extra without impersonating a user');
  }
  const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  const wanted: Wanted[] = [
    serviceAccount === null
      ? { group: '', resource: 'users', subresource: '', namespace: '', name: username }
      : {
          group: '',
          resource: 'serviceaccounts',
          subresource: '',
          namespace: serviceAccount[1] ?? '',
          name: serviceAccount[2] ?? '',
        },
    ...groups.map((name) => ({ group: '', resource: 'groups', subresource: '', namespace: '', name })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((name) => ({
        group: 'authentication.k8s.io',
        resource: 'userextras',
        subresource: key,
        namespace: '',
        name,
      })),
    ),
  ];
  if (uid !== '') {
    wanted.push({
      group: 'authentication.k8s.io',
      resource: 'uids',
      subresource: '',
      namespace: '',
      name: uid,
    });
  }
  for (const item of wanted) await demand(item, user, authorizer);
  return { username, uid, groups: withStandardGroups(username, groups, serviceAccount?.[1]), extra };
}

async function demand(wanted: Wanted, user: UserInfo, authorizer: Authorizer): Promise<void> {
  const attributes: AuthorizationAttributes = {
    user,
    verb: 'impersonate',
    isResource: true,
    version: '',
    path: '',
    ...wanted,
  };
  const { decision, reason } = await authorizer.authorize(attributes);
  if (decision === 'allow') return;
  throw forbidden(
    { group: wanted.group, resource: wanted.resource },
    wanted.name,
    refusal(attributes, reason),
  );
}

/** Groups that everybody of that kind is in. */
function withStandardGroups(
  username: string,
  groups: readonly string[],
  serviceAccountNamespace: string | undefined,
): string[] {
  const all = [...groups];
  if (serviceAccountNamespace !== undefined && groups.length === 0) {
    all.push('system:serviceaccounts', `system:serviceaccounts:${serviceAccountNamespace}`);
  }
  if (username === 'system:anonymous') {
    if (!all.includes(UNAUTHENTICATED)) all.push(UNAUTHENTICATED);
  } else if (!all.includes(AUTHENTICATED) && !all.includes(UNAUTHENTICATED)) all.push(AUTHENTICATED);
  return all;
}

function extras(headers: DistinctHeaders): Record<string, string[]> {
  const found: [string, string[]][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(EXTRA_PREFIX)) continue;
    let key: string;
    try {
      key = decodeURIComponent(name.slice(EXTRA_PREFIX.length));
    } catch (error) {
      throw badRequest(`invalid header ${name}`, { cause: error });
    }
    found.push([key, value ?? []]);
  }
  return Object.fromEntries(found);
}

function single(values: readonly string[] | undefined): string {
  return values?.[0] ?? '';
}
