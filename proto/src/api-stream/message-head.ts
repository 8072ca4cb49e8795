/**
 * What of a request's head travels on a stream of kind `api`, and what of an answer's head back. Both ends go by it:
 * the edge lets nothing else out, and the hub believes no edge.
 */

/** Methods that are carried. Source: Kubernetes API concepts; HTTP clients of proxied services. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Longest target that is carried, characters. */
const MAX_TARGET_CHARACTERS = 16_384;

/** Printable ASCII that begins with a path; what is beyond it is escaped by whoever asks. */
const TARGET = /^\/[\x21-\x7e]*$/;
const FORBIDDEN_IN_TARGET = /[#\\"<>^`{|}]/;

/** About one connection. Source: RFC 9110, 7.6.1; RFC 9113, 3.2.1 (http2-settings). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['http2-settings', 'expect'],
]);

/** Who asks: said by the caller's header and the hub's token only. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  ...['authorization', 'proxy-authorization', 'proxy-authenticate', 'proxy-authentication-info'],
  ...['cookie', 'cookie2', 'forwarded', 'via', 'x-real-ip'],
]);

/** Names that say who asks, or by which way, to somebody who believes them. Source: k8s.io/apiserver requestheader. */
const CREDENTIAL_PREFIXES = ['x-remote-', 'x-forwarded-', 'x-hawser-', 'impersonate-', 'proxy-'] as const;

/** Set anew by each end. */
const SET_ANEW: ReadonlySet<string> = new Set(['host', 'content-length']);

const ANSWERS_OWN: ReadonlySet<string> = new Set([
  ...['set-cookie', 'set-cookie2', 'strict-transport-security', 'alt-svc', 'www-authenticate'],
]);

/** A bearer token among the subprotocols of a WebSocket. Source: k8s.io/apiserver authentication/request/websocket. */
const PROTOCOL_TOKEN = /^base64url\.bearer\.authorization\.k8s\.io\./i;

/** What a request's head says, as Node has it. */
export interface RequestHead {
  readonly method?: string | undefined;
  /** The target as it was sent. */
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Why a request is not carried. */
export interface HeadProblem {
  /** 400, 403, 405 or 501. */
  readonly status: number;
  readonly message: string;
}

/** What is wrong with the head of a request; undefined: it may travel, once its headers have been chosen. */
export function headProblem({ method = '', url = '', headers }: RequestHead): HeadProblem | undefined {
  if (!METHODS.has(method))
    return { status: 405, message: `the method ${method.slice(0, 16)} is not carried` };
  const inTarget = targetProblem(url);
  if (inTarget !== undefined) return { status: 400, message: inTarget };
  const impersonating = Object.keys(headers).find((name) => name.toLowerCase().startsWith('impersonate-'));
  if (impersonating !== undefined) {
    // Left out, the request would be carried out with other rights than those that it asked for.
    return {
      status: 403,
      message: `impersonation (${impersonating}) is not carried from an edge to the cloud`,
    };
  }
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined && String(encoding).trim().toLowerCase() !== 'chunked')
    return { status: 501, message: 'of transfer encodings only chunked is carried' };
  const length = headers['content-length'];
  if (length !== undefined && !/^\d{1,15}$/.test(String(length)))
    return { status: 400, message: 'the content-length is no number' };
  if (length !== undefined && encoding !== undefined)
    return { status: 400, message: 'a request has a content-length, or a transfer-encoding, not both' };
  return undefined;
}

/** Whether a request has a body, by its head. Source: RFC 9112, 6.3. */
export function hasBody({ headers }: RequestHead): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The protocol that a request asks for on its connection; undefined: none. */
export function wantedProtocol({ headers }: RequestHead): string | undefined {
  const upgrade = headers['upgrade'];
  return upgrade !== undefined && namedByConnection(headers['connection']).has('upgrade')
    ? String(upgrade)
    : undefined;
}

/**
 * The headers of a request that travel, by name, in the spelling and the order in which they came. Its framing and
 * `Connection` and `Upgrade`, are for whoever sends it to add.
 * @param rawHeaders names and values in turn, as `IncomingMessage.rawHeaders`
 */
export function requestHeaders(rawHeaders: readonly string[]): Map<string, string[]> {
  const named = namedByConnection(valuesOf(rawHeaders, 'connection'));
  return chosen(rawHeaders, (name) => {
    if (HOP_BY_HOP.has(name) || named.has(name) || SET_ANEW.has(name) || CREDENTIALS.has(name)) return false;
    return !CREDENTIAL_PREFIXES.some((prefix) => name.startsWith(prefix));
  });
}

/** The headers of an answer that travel; what it had for its own connection, and cookies, do not. */
export function answerHeaders(rawHeaders: readonly string[]): Map<string, string[]> {
  const named = namedByConnection(valuesOf(rawHeaders, 'connection'));
  return chosen(rawHeaders, (name) => {
    return !HOP_BY_HOP.has(name) && !named.has(name) && !ANSWERS_OWN.has(name) && !name.startsWith('proxy-');
  });
}

function chosen(rawHeaders: readonly string[], travels: (name: string) => boolean): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  const spelling = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', given = ''] = rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (!travels(lower)) continue;
    const value = lower === 'sec-websocket-protocol' ? withoutToken(given) : given;
    if (value === '' && given !== '') continue;
    const spelled = spelling.get(lower) ?? name;
    spelling.set(lower, spelled);
    headers.set(spelled, [...(headers.get(spelled) ?? []), value]);
  }
  return headers;
}

function withoutToken(protocols: string): string {
  const names = protocols.split(',').map((name) => name.trim());
  return names.filter((name) => !PROTOCOL_TOKEN.test(name)).join(', ');
}

function valuesOf(rawHeaders: readonly string[], wanted: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted);
}

function namedByConnection(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  const names = [connection ?? []].flat().flatMap((value) => value.split(','));
  return new Set(names.map((name) => name.trim().toLowerCase()));
}

function targetProblem(target: string): string | undefined {
  if (target.length > MAX_TARGET_CHARACTERS)
    return `the path has more than ${MAX_TARGET_CHARACTERS} characters`;
  if (!TARGET.test(target) || FORBIDDEN_IN_TARGET.test(pathOf(target)) || target.includes('#'))
    return 'the target is no path of the API, escaped as a URL has it';
  // "//host/…" is the address of another server to whoever resolves it.
  if (target.startsWith('//')) return 'a path does not begin with two slashes';
  for (const segment of pathOf(target).split('/')) {
    const plain = decoded(segment);
    if (plain === undefined) return 'the path has an escape that is none';
    // Whoever resolves them leaves the path that was looked at.
    if (plain.split(/[/\\]/).some((part) => part === '.' || part === '..'))
      return 'a path has no segments "." and ".."';
    if (plain.includes('\0')) return 'a path has no zero bytes';
  }
  return undefined;
}

function pathOf(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? target : target.slice(0, at);
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined; // no escape of a URL
  }
}
