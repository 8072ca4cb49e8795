import type { Handler, PodContainer } from '../pods/pod.ts';
import type { HttpAnswer } from './http-answer-reader.ts';
import { httpExchange } from './http-exchange.ts';
import { addressOf, targetOf } from './probe-target.ts';

/** Source: kubernetes, pkg/probe/http (RedirectChecker) and Go, net/http (defaultCheckRedirect). */
const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Which every request has, unless it is said otherwise. */
const OWN_HEADERS = new Set(['user-agent', 'accept', 'host']);
/** The release of Kubernetes whose kubelet is spoken for. */
const AGENT_VERSION = '1.36';

type HttpAction = NonNullable<Handler['httpGet']>;

/** A request for an `httpGet`, ready to be sent. */
export interface HttpGet {
  /** As it is shown: `http://10.0.0.1:80/healthz`. */
  readonly text: string;
  readonly url: URL;
  /** As it is sent: not made any shorter, as a URL's is. */
  readonly path: string;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | string[]>>;
}

/**
 * Makes the request of an `httpGet`.
 * @param purpose `probe` or `lifecycle`: for the User-Agent
 * @throws Error where the port or the address is not known
 */
export function httpGetOf(
  action: HttpAction,
  container: PodContainer,
  podIp: string,
  purpose: 'probe' | 'lifecycle',
): HttpGet {
  const address = addressOf(targetOf(container, action.port, action.host, podIp));
  const origin = `${action.scheme === 'HTTPS' ? 'https' : 'http'}://${address}`;
  const path = escaped((action.path ?? '').replace(/#.*$/s, '')).replace(/^(?!\/)/, '/');
  return { text: `${origin}${path}`, url: new URL(origin), path, headers: headersOf(action, purpose) };
}

/**
 * Sends it, without looking at certificates. Redirects are followed to the same host, ten at most; the answer is the
 * redirect itself where it leads elsewhere.
 * @throws Error of the connection; signal.reason
 */
export async function sendHttpGet(request: HttpGet, signal: AbortSignal): Promise<HttpAnswer> {
  let { url, path, headers } = request;
  for (let redirects = 0; ; redirects++) {
    const answer = await httpExchange({ url, path, headers, signal });
    const { status, location } = answer;
    if (!REDIRECTS.has(status) || location === undefined) return answer;
    const next = urlOf(location, `${url.origin}${path}`);
    if (next?.hostname !== url.hostname) return answer;
    if (redirects >= MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
    // A name that the request was given goes on with it only as long as nobody says another one.
    if (next.host !== url.host) headers = { ...headers, host: next.host };
    [url, path] = [next, `${next.pathname}${next.search}`];
  }
}

/** Whatever is not allowed in a request is percent-encoded. */
function escaped(path: string): string {
  return path.replace(/[^\x21-\x7e]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

/** Source: kubernetes, pkg/probe/http/request.go. */
function headersOf({ httpHeaders = [] }: HttpAction, purpose: string): HttpGet['headers'] {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const { name, value } of httpHeaders) (headers[name.toLowerCase()] ??= []).push(value);
  headers['user-agent'] ??= [`kube-${purpose}/${AGENT_VERSION}`];
  headers['accept'] ??= ['*/*'];
  const sent: [string, string | string[]][] = [];
  for (const [name, values] of Object.entries(headers)) {
    const [value = ''] = values;
    if (!OWN_HEADERS.has(name)) sent.push([name, values]);
    else if (value !== '') sent.push([name, value]); // said to be empty: not sent
  }
  return Object.fromEntries(sent);
}

function urlOf(location: string, base: string): URL | undefined {
  const url = URL.canParse(location, base) ? new URL(location, base) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}
