import type { KeyObject, X509Certificate } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { HubAddress } from '@hawser/proto';
import { EdgeCoreError } from '../errors.ts';

/** From the connection's first packet to the answer's last byte. The hub itself gives a request ten seconds. */
const TIMEOUT_MS = 20_000;
/** Largest answer. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** One HTTPS request to the tunnel's port of a hub. */
export interface HubRequest {
  readonly hub: HubAddress;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The client certificate to show. Default: none. */
  readonly client?: { readonly privateKey: KeyObject; readonly certificate: X509Certificate };
  /**
   * Checks the hub's certificate (DER) before a byte of the request is sent, and throws where it does not hold.
   * Without it anybody may answer: for what is public only.
   */
  readonly verify?: (certificate: Uint8Array | undefined) => void;
  readonly signal?: AbortSignal;
}

/** What came back. */
export interface HubAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Does a request on a connection of its own: TCP → TLS 1.3 → `verify` → request → answer.
 * @throws EdgeCoreError `ERR_EDGECORE_HUB_UNREACHABLE`, `ERR_EDGECORE_HUB_ANSWER` (too large); what `verify` throws;
 *   `signal.reason`
 */
export async function requestHub(order: HubRequest): Promise<HubAnswer> {
  const { hub, signal } = order;
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const ending = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const tls = connect({
    host: hub.host,
    port: hub.port,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false, // `verify` decides
    ...(order.client !== undefined && {
      key: order.client.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: order.client.certificate.toString(),
    }),
    ...(isIP(hub.host) === 0 && { servername: hub.host }),
  });
  const onAbort = (): void => void tls.destroy(ending.reason as Error);
  ending.addEventListener('abort', onAbort, { once: true });
  try {
    await secured(tls);
    order.verify?.(tls.getPeerX509Certificate()?.raw);
    return await exchanged(tls, order);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ConnectionTrouble) throw unreachable(hub, error);
    throw error;
  } finally {
    ending.removeEventListener('abort', onAbort);
    tls.destroy();
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

function exchanged(tls: TLSSocket, { hub, method, path, body }: HubRequest): Promise<HubAnswer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const host = isIP(hub.host) === 6 ? `[${hub.host}]` : hub.host;
    const request = httpRequest({
      createConnection: () => tls,
      method,
      path,
      headers: {
        host: `${host}:${hub.port}`,
        connection: 'close',
        ...(text !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    });
    request.once('error', (error) => reject(trouble(error)));
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
