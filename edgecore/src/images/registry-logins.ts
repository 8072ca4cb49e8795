import type { ApiObject } from '../objects/object-source.ts';
import type { RegistryLogin } from '../runtime/image-store.ts';
import type { ImageName } from './image-name.ts';

/** A login, and what it is for: `registry.example`, `*.example:5000/team`. */
export interface ScopedLogin {
  readonly scope: string;
  readonly login: RegistryLogin;
}

/** The key of a configuration of docker, by the type of its secret. */
const SECRET_KEYS: Readonly<Record<string, string>> = {
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
  'kubernetes.io/dockercfg': '.dockercfg',
};

/** What Docker calls its own registry in its configuration. */
const DOCKER_SCOPE = 'index.docker.io';

/**
 * Logins of a pull secret. Secrets of other types have none.
 * Source: kubelet, credentialprovider/secrets.
 * @throws Error that says why it cannot be read; it never has anything of its content
 */
export function readPullSecret(secret: ApiObject): readonly ScopedLogin[] {
  const key = SECRET_KEYS[String(secret['type'])];
  const encoded =
    key === undefined ? undefined : (secret['data'] as Record<string, unknown> | undefined)?.[key];
  if (key === undefined || encoded === undefined) return [];
  if (typeof encoded !== 'string') throw new Error(`its ${key} is no text`);
  const config = parsed(Buffer.from(encoded, 'base64').toString('utf8'), key);
  const logins = key === '.dockercfg' ? config : config['auths'];
  if (typeof logins !== 'object' || logins === null) return [];
  return Object.entries(logins).flatMap(([scope, entry]) => {
    const login = readLogin(entry);
    return login === undefined ? [] : [{ scope: normalScope(scope), login }];
  });
}

/**
 * The logins that fit an image, the most specific scope first, none twice. For Docker's own registry those of
 * `index.docker.io` are used where none fits better.
 * Source: kubelet, credentialprovider/keyring.go.
 */
export function loginsFor(image: ImageName, logins: readonly ScopedLogin[]): readonly RegistryLogin[] {
  const ordered = [...logins].sort((a, b) => (a.scope < b.scope ? 1 : a.scope > b.scope ? -1 : 0));
  const fitting = ordered.filter(({ scope }) => fits(scope, image));
  const used =
    fitting.length === 0 && image.registry === 'docker.io'
      ? ordered.filter(({ scope }) => scope === DOCKER_SCOPE)
      : fitting;
  const found = new Map(used.map(({ login }) => [JSON.stringify(login), login]));
  return [...found.values()];
}

function parsed(text: string, key: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // A syntax error's message has some of the text, which is secret.
  }
  throw new Error(`its ${key} is no JSON object`);
}

/** Without a user, a password or a token it is no login. */
function readLogin(entry: unknown): RegistryLogin | undefined {
  const { username, password, auth, identitytoken } = (entry ?? {}) as Readonly<Record<string, unknown>>;
  const pair = typeof auth === 'string' && auth !== '' ? decodeAuth(auth) : undefined;
  const login = {
    ...pair,
    ...(pair === undefined && typeof username === 'string' && username !== '' && { username }),
    ...(pair === undefined && typeof password === 'string' && password !== '' && { password }),
    ...(typeof identitytoken === 'string' && identitytoken !== '' && { identityToken: identitytoken }),
  };
  return Object.keys(login).length === 0 ? undefined : login;
}

/** `auth` counts more than user name and password beside it, as it does for a kubelet. */
function decodeAuth(auth: string): { username: string; password: string } | undefined {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  // Some programs pad with NUL.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

/** Host and path, without scheme and the version of the API that older programs put there. */
function normalScope(scope: string): string {
  const bare = scope.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  if (slash < 0) return bare;
  const path = bare.slice(slash).replace(/^\/v[12](?=\/|$)/, '');
  return `${bare.slice(0, slash)}${path}`;
}

/** The parts of the host one by one, each with `*`, `?` and `[…]`; the port as it is; the path as a beginning. */
function fits(scope: string, image: ImageName): boolean {
  const slash = scope.indexOf('/');
  const [scopeHost, scopePort] = hostAndPort(slash < 0 ? scope : scope.slice(0, slash));
  const [host, port] = hostAndPort(image.registry);
  if (scopePort !== port) return false;
  const patterns = scopeHost.split('.');
  const labels = host.split('.');
  if (patterns.length !== labels.length) return false;
  if (!patterns.every((pattern, index) => matches(pattern, labels[index] ?? ''))) return false;
  return slash < 0 || `/${image.repository}`.startsWith(scope.slice(slash));
}

function hostAndPort(text: string): readonly [string, string] {
  const match = /^(.*?)(?::(\d+))?$/.exec(text);
  return [match?.[1] ?? text, match?.[2] ?? ''];
}

/** Source: Go's path.Match, within one label. */
function matches(pattern: string, label: string): boolean {
  const source = pattern
    .replace(/[.+${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  try {
    return new RegExp(`^${source}$`).test(label);
  } catch {
    return false; // a bracket that is not closed fits nothing
  }
}
