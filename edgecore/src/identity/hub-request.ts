import type { KeyObject, X509Certificate } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { HubAddress } from '@hawser/proto';
import { EdgeCoreError } from '../errors.ts';

/** From the connection's first packet to the answer's last byte. The hub itself gives a request ten seconds. */
const TIMEOUT_MS = 20_000;
/** Largest answer. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Whom to ask, and as whom. */
export interface HubCall {
  readonly hub: HubAddress;
  /** The client certificate to show. Default: none. */
  readonly client?: { readonly privateKey: KeyObject; readonly certificate: X509Certificate };
  readonly signal?: AbortSignal;
}

/** One request on a connection to a hub. */
export interface HubOrder {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Whether others follow on the same connection. Default false. A hub answers two at most. */
  readonly more?: boolean;
}

/** A connection to whoever answered at the hub's address. */
export interface HubConversation {
  /**
   * Checks the certificate of the peer, DER, which has proven in this connection's handshake that it has the key of
   * it. Until then anybody may be at the other end: ask for what is public only.
   * @throws what `check` throws
   */
  verify(check: (certificate: Uint8Array | undefined) => void): void;
  /** @throws EdgeCoreError `ERR_EDGECORE_HUB_UNREACHABLE`, `ERR_EDGECORE_HUB_ANSWER` (too large) */
  ask(order: HubOrder): Promise<HubAnswer>;
}

/** What came back. */
export interface HubAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Speaks with a hub on a connection of its own, TCP → TLS 1.3 → `talk`, which is closed afterwards.
 * @throws EdgeCoreError `ERR_EDGECORE_HUB_UNREACHABLE`; what `talk` throws; `signal.reason`
 */
export async function speakWithHub<T>(
  call: HubCall,
  talk: (conversation: HubConversation) => Promise<T>,
): Promise<T> {
  const { hub, client, signal } = call;
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const ending = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const tls = connect({
    host: hub.host,
    port: hub.port,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false, // `verify` decides
    ca: [], // not the default: to read the authorities of the web takes 30 ms
    ...(client !== undefined && {
      key: client.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: client.certificate.toString(),
    }),
    ...(isIP(hub.host) === 0 && { servername: hub.host }),
  });
  const agent = new OneConnection(tls);
  const onAbort = (): void => void tls.destroy(ending.reason as Error);
  ending.addEventListener('abort', onAbort, { once: true });
  try {
    await secured(tls);
    return await talk({
      verify: (check) => check(tls.getPeerX509Certificate()?.raw),
      ask: (order) => exchanged(agent, hub, order),
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ConnectionTrouble) throw unreachable(hub, error);
    throw error;
  } finally {
    ending.removeEventListener('abort', onAbort);
    agent.destroy();
    tls.destroy();
  }
}

/** Sends all requests over one connection that is there already, and never opens another. */
class OneConnection extends Agent {
  #tls: TLSSocket | undefined;

  constructor(tls: TLSSocket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#tls = tls;
  }

  override createConnection(): TLSSocket {
    const tls = this.#tls;
    this.#tls = undefined;
    if (tls === undefined) throw trouble(new Error('it closed the connection'));
    return tls;
  }
}

/** Whatever the connection itself failed with; `cause` has it. */
class ConnectionTrouble extends Error {}

function unreachable({ host, port }: HubAddress, trouble: ConnectionTrouble): EdgeCoreError {
  const message = `no answer from ${host}:${port}: ${trouble.message}`;
  return new EdgeCoreError('ERR_EDGECORE_HUB_UNREACHABLE', message, { cause: trouble.cause, about: host });
}

function trouble(cause: Error): ConnectionTrouble {
  const why = cause.name === 'TimeoutError' ? `nothing within ${TIMEOUT_MS} ms` : cause.message;
  return new ConnectionTrouble(why, { cause });
}

function secured(tls: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays for the life of the socket: what comes later is reported by the request, and this settles once.
    tls.on('error', (error: Error) => reject(trouble(error)));
    tls.once('close', () => reject(trouble(new Error('it closed the connection'))));
    tls.once('secureConnect', () => resolve());
  });
}

function exchanged(agent: Agent, hub: HubAddress, order: HubOrder): Promise<HubAnswer> {
  const { method, path, body, more = false } = order;
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const host = isIP(hub.host) === 6 ? `[${hub.host}]` : hub.host;
    const request = httpRequest({
      agent,
      method,
      path,
      headers: {
        host: `${host}:${hub.port}`,
        connection: more ? 'keep-alive' : 'close',
        ...(text !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    });
    request.once('error', (error) => reject(error instanceof ConnectionTrouble ? error : trouble(error)));
    request.once('response', (response) => {
      readAnswer(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, text: answer }),
        (error: unknown) => reject(error as Error),
      );
    });
    request.end(text);
  });
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw trouble(error as Error);
  }
  if (bytes <= MAX_ANSWER_BYTES) return Buffer.concat(chunks).toString('utf8');
  throw new EdgeCoreError('ERR_EDGECORE_HUB_ANSWER', `the hub answered more than ${MAX_ANSWER_BYTES} bytes`);
}
