import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import { refusalByPeer, TunnelError } from '../../errors.ts';
import type { VerifyOptions } from '../../identity/identity-verifier.ts';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import { MuxConnection } from '../mux/mux-connection.ts';
import { dialTls } from '../tls-dial.ts';
import type { HubAddress, TransportOptions } from '../transport.ts';
import { WsCarrier } from './ws-carrier.ts';
import { SUBPROTOCOL, TUNNEL_PATH, WS_OPTIONS } from './ws-options.ts';

/** Headers in which a hub says why it refuses an upgrade. */
export const ERROR_HEADER = 'hawser-error';
export const MESSAGE_HEADER = 'hawser-message';

/** Connects to a hub: TCP, TLS, the hub's identity, then the WebSocket. Errors: see {@link Transport.dial}. */
export async function dialWebSocket(
  hub: HubAddress,
  options: TransportOptions,
  signal: AbortSignal | undefined,
): Promise<MuxConnection> {
  const expected = expectedOf(hub, options);
  return dialTls(hub, options, { expected, signal }, ({ tls, peer }) => upgraded(tls, hub, peer, options));
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
