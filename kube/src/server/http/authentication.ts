import type { IncomingMessage } from 'node:http';
import { unauthorized } from '../../status/status-errors.ts';
import type { Authenticator, TokenAuthenticator } from '../auth/authenticator.ts';
import { ANONYMOUS, AUTHENTICATED, type UserInfo } from '../auth/user.ts';

/** How requests are authenticated. */
export interface AuthenticationSettings {
  /** Asked in order. */
  readonly authenticators: readonly Authenticator[];
  /** For bearer tokens; absent: every token is refused. */
  readonly tokens: TokenAuthenticator | undefined;
  /** Whether requests without credentials pass as system:anonymous. */
  readonly anonymous: boolean;
}

/**
 * Who makes a request.
 * @throws StatusError Unauthorized.
 */
export async function authenticate(
  request: IncomingMessage,
  settings: AuthenticationSettings,
): Promise<UserInfo> {
  for (const authenticator of settings.authenticators) {
    const user = await authenticator.authenticate(request);
    if (user !== undefined) return user;
  }
  const token = bearerToken(request);
  if (token !== undefined) {
    const identity = await settings.tokens?.authenticateToken(token, []);
    if (identity === undefined) throw unauthorized();
    return withGroup(identity.user);
  }
  if (!settings.anonymous || request.headers.authorization !== undefined) throw unauthorized();
  return ANONYMOUS;
}

function withGroup(user: UserInfo): UserInfo {
  return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
}

const PROTOCOL_TOKEN = 'base64url.bearer.authorization.k8s.io.';

/** From the Authorization header, or, for WebSockets of browsers, from the subprotocols. */
function bearerToken(request: IncomingMessage): string | undefined {
  const match = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '');
  if (match !== null) return match[1];
  const protocol = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .find((part) => part.startsWith(PROTOCOL_TOKEN));
  if (protocol === undefined) return undefined;
  return Buffer.from(protocol.slice(PROTOCOL_TOKEN.length), 'base64url').toString('utf8');
}
