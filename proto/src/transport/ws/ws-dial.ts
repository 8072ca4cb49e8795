import type { IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { systemClock } from '@hawser/seams';
import WebSocket from 'ws';
import { messageOf, refusalByPeer, TunnelError } from '../../errors.ts';
import { verifyPeer, type VerifyOptions } from '../../identity/identity-verifier.ts';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import type { HubAddress, TransportOptions } from '../transport.ts';
import { MuxConnection } from '../mux/mux-connection.ts';
import { WsCarrier } from './ws-carrier.ts';
import { peerCertificate, secureContextFor, SUBPROTOCOL, TUNNEL_PATH } from './tls-options.ts';
import { WS_OPTIONS } from './ws-options.ts';

/** Headers in which a hub says why it refuses an upgrade. */
export const ERROR_HEADER = 'hawser-error';
export const MESSAGE_HEADER = 'hawser-message';

/** Connects to a hub: TCP, TLS, the hub's identity, then the WebSocket. Errors: see {@link Transport.dial}. */
export async function dialWebSocket(
  hub: HubAddress,
  options: TransportOptions,
  signal: AbortSignal | undefined,
): Promise<MuxConnection> {
  signal?.throwIfAborted();
  const expected = expectedOf(hub, options);
  const deadline = AbortSignal.timeout(options.limits.handshakeTimeoutMs);
  const ending = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const tcp = connectTcp({ host: hub.host, port: hub.port, noDelay: true });
  const onAbort = (): void => void tcp.destroy(deadline.aborted ? timeout(hub) : (signal?.reason as Error));
  ending.addEventListener('abort', onAbort, { once: true });
  try {
    await connected(tcp, hub, options.limits.connectTimeoutMs);
    const { tls, peer } = await secured(tcp, hub, options, expected);
    return await upgraded(tls, hub, peer, options);
  } catch (error) {
    tcp.destroy();
    if (deadline.aborted) throw timeout(hub);
    signal?.throwIfAborted();
    throw error;
  } finally {
    ending.removeEventListener('abort', onAbort);
  }
}

/** Who is to be at the address. */
function expectedOf(
  { host, port, node }: HubAddress,
  { peers }: TransportOptions,
): Pick<VerifyOptions, 'role' | 'dialedHost' | 'node'> {
  if (peers !== true) return { role: 'hub', dialedHost: host };
  // Without a name any node of the cluster would do.
  if (node === undefined || node === '')
    throw new TunnelError('ERR_TUNNEL_DIAL', `it is not said which node is to be at ${host}:${port}`);
  return { role: 'peer', node };
}

function timeout(hub: HubAddress): TunnelError {
  return new TunnelError('ERR_TUNNEL_HANDSHAKE_TIMEOUT', `no handshake with ${hub.host}:${hub.port} in time`);
}

/** A hub with too much to do closes before TLS: whatever ends the connection until then counts as that. */
function closedEarly(hub: HubAddress, error?: Error): TunnelError {
  const how = error?.message ?? 'closed';
  const cause = error === undefined ? {} : { cause: error };
  return new TunnelError(
    'ERR_TUNNEL_OVERLOADED',
    `${hub.host}:${hub.port} closed before TLS (${how})`,
    cause,
  );
}

function connected(tcp: Socket, hub: HubAddress, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const patience = systemClock.setTimer(timeoutMs, () => {
      tcp.destroy(new Error(`no answer within ${timeoutMs} ms`));
    });
    const onError = (error: NodeJS.ErrnoException): void => {
      patience.cancel();
      if (error.code === 'ECONNRESET') {
        reject(closedEarly(hub, error)); // accepted and closed before this side saw it open
        return;
      }
      const message = `cannot connect to ${hub.host}:${hub.port}: ${messageOf(error)}`;
      reject(new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error }));
    };
    tcp.once('error', onError);
    tcp.once('connect', () => {
      patience.cancel();
      tcp.off('error', onError);
      resolve();
    });
  });
}

function secured(
  tcp: Socket,
  hub: HubAddress,
  options: TransportOptions,
  expected: Pick<VerifyOptions, 'role' | 'dialedHost' | 'node'>,
): Promise<{ tls: TLSSocket; peer: PeerIdentity }> {
  return new Promise((resolve, reject) => {
    const credentials = options.credentials();
    const tls = connectTls({
      socket: tcp,
      secureContext: secureContextFor(credentials),
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false, // verifyPeer below decides, and with more care
      ...(isIP(hub.host) === 0 ? { servername: hub.host } : {}),
    });
    const onEarlyEnd = (error?: Error): void => {
      const cause = error === undefined ? {} : { cause: error };
      const how = error?.message ?? 'closed';
      reject(
        new TunnelError('ERR_TUNNEL_OVERLOADED', `${hub.host}:${hub.port} closed before TLS (${how})`, cause),
      );
    };
    const onEarlyError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
        onEarlyEnd(error);
        return;
      }
      const message = `no TLS with ${hub.host}:${hub.port}: ${error.message}`;
      reject(new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error }));
    };
    const onEarlyClose = (): void => onEarlyEnd();
    tls.once('error', onEarlyError);
    tls.once('close', onEarlyClose);
    tls.once('secureConnect', () => {
      tls.off('error', onEarlyError);
      tls.off('close', onEarlyClose);
      try {
        const peer = verifyPeer(peerCertificate(tls), {
          ...options.verify,
          ...expected,
          authorities: credentials.authorities,
        });
        resolve({ tls, peer });
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

function upgraded(
  tls: TLSSocket,
  hub: HubAddress,
  peer: PeerIdentity,
  options: TransportOptions,
): Promise<MuxConnection> {
  return new Promise((resolve, reject) => {
    const host = hub.host.includes(':') ? `[${hub.host}]` : hub.host;
    const socket = new WebSocket(`wss://${host}:${hub.port}${TUNNEL_PATH}`, SUBPROTOCOL, {
      createConnection: () => tls,
      ...WS_OPTIONS,
      // A mask keeps proxies from reading meaning into plain-text traffic. Inside TLS it protects nothing and
      // costs a pass over every byte; the all-zero mask is valid, and skipped by both ends.
      generateMask: () => {},
    });
    const connection = new MuxConnection({
      carrier: new WsCarrier(socket, tls),
      dialer: true,
      peer,
      remoteAddress: `${hub.host}:${hub.port}`,
      limits: options.limits,
    });
    const onEarlyError = (error: Error): void => {
      const message = `no WebSocket with ${hub.host}:${hub.port}: ${error.message}`;
      reject(new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error }));
    };
    socket.once('unexpected-response', (_request, response) => {
      reject(refusalOf(response));
      tls.destroy();
    });
    socket.once('error', onEarlyError);
    socket.once('open', () => {
      socket.off('error', onEarlyError);
      connection.start();
      resolve(connection);
    });
  });
}

function refusalOf(response: IncomingMessage): TunnelError {
  const code = response.headers[ERROR_HEADER];
  const message = response.headers[MESSAGE_HEADER];
  const said = typeof message === 'string' ? decoded(message) : `HTTP ${response.statusCode ?? 0}`;
  return refusalByPeer(code, `the hub refuses this certificate or request: ${said}`);
}

/** What is not percent-encoded properly is shown as it came: this runs in an event listener, and must not throw. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
