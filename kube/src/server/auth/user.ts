/** Who makes a request. Source: k8s.io/apiserver authentication/user Info. */
export interface UserInfo {
  readonly username: string;
  /** '' if unknown. */
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Group of everybody who proved who they are. */
export const AUTHENTICATED = 'system:authenticated';
/** Group of everybody who did not. */
export const UNAUTHENTICATED = 'system:unauthenticated';
/** Group that may do everything, whatever the authorizers say. */
export const MASTERS = 'system:masters';

/** Who sends no credentials. */
export const ANONYMOUS: UserInfo = {
  username: 'system:anonymous',
  uid: '',
  groups: [UNAUTHENTICATED],
  extra: {},
};

/** A user of that name and these groups. */
export function userInfo(username: string, groups: readonly string[] = [], uid = ''): UserInfo {
  return { username, uid, groups, extra: {} };
}
