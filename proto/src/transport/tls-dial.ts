import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { systemClock } from '@hawser/seams';
import { messageOf, TunnelError } from '../errors.ts';
import { verifyPeer, type VerifyOptions } from '../identity/identity-verifier.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import { anonymousContext, peerCertificate, secureContextFor } from './tls-options.ts';
import type { HubAddress, TransportOptions } from './transport.ts';

/** Options of {@link dialTls}. */
export interface TlsDialOptions {
  /** Who is to be at the address. */
  readonly expected: Pick<VerifyOptions, 'role' | 'dialedHost' | 'node'>;
  /** Protocols to ask for by ALPN. Default: none. */
  readonly protocols?: readonly string[];
  /** Shows no certificate, and has no key in TLS. */
  readonly anonymous?: true;
  readonly signal?: AbortSignal | undefined;
}

/** A TLS connection whose other side is verified. */
export interface VerifiedTls {
  readonly tls: TLSSocket;
  readonly peer: PeerIdentity;
  /** The certificate that it has shown, DER. Node.js gives it once only. */
  readonly certificate: Uint8Array;
}

/**
 * Connects to a hub, or a peer: TCP, TLS, who it is, and then whatever `upgrade` makes of it. All of it has to be done
 * within `handshakeTimeoutMs`. Nothing but TLS is sent before the other side is verified. Errors: see
 * {@link Transport.dial}, and those of `upgrade`.
 */
export async function dialTls<T>(
  hub: HubAddress,
  options: TransportOptions,
  dial: TlsDialOptions,
  upgrade: (verified: VerifiedTls) => Promise<T>,
): Promise<T> {
  const { signal } = dial;
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(options.limits.handshakeTimeoutMs);
  const ending = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const tcp = connectTcp({ host: hub.host, port: hub.port, noDelay: true });
  const onAbort = (): void => void tcp.destroy(deadline.aborted ? timeout(hub) : (signal?.reason as Error));
  ending.addEventListener('abort', onAbort, { once: true });
  try {
    await connected(tcp, hub, options.limits.connectTimeoutMs);
    return await upgrade(await secured(tcp, hub, options, dial));
  } catch (error) {
    tcp.destroy();
    if (deadline.aborted) throw timeout(hub);
    signal?.throwIfAborted();
    throw error;
  } finally {
    ending.removeEventListener('abort', onAbort);
  }
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
  { expected, protocols, anonymous }: TlsDialOptions,
): Promise<VerifiedTls> {
  return new Promise((resolve, reject) => {
    const credentials = options.credentials();
    const tls = connectTls({
      socket: tcp,
      secureContext: anonymous === true ? anonymousContext() : secureContextFor(credentials),
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false, // verifyPeer below decides, and with more care
      ...(isIP(hub.host) === 0 ? { servername: hub.host } : {}),
      ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
    });
    const onEarlyError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
        reject(closedEarly(hub, error));
        return;
      }
      const message = `no TLS with ${hub.host}:${hub.port}: ${error.message}`;
      reject(new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error }));
    };
    const onEarlyClose = (): void => reject(closedEarly(hub));
    tls.once('error', onEarlyError);
    tls.once('close', onEarlyClose);
    tls.once('secureConnect', () => {
      tls.off('error', onEarlyError);
      tls.off('close', onEarlyClose);
      try {
        const certificate = peerCertificate(tls);
        const peer = verifyPeer(certificate, {
          ...options.verify,
          ...expected,
          authorities: credentials.authorities,
        });
        resolve({ tls, peer, certificate: certificate ?? new Uint8Array(0) }); // none does not hold
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
