import type { UserInfo } from './user.ts';

const PREFIX = 'system:node:';
const GROUP = 'system:nodes';

/**
 * The name of the node that a user is, or undefined. Source: kubernetes pkg/auth/nodeidentifier.
 */
export function nodeName(user: UserInfo): string | undefined {
  if (!user.groups.includes(GROUP) || !user.username.startsWith(PREFIX)) return undefined;
  return user.username.slice(PREFIX.length);
}
