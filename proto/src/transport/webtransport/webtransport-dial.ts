import { connect, type ClientHttp2Session, type Http2Stream } from 'node:http2';
import { messageOf, TunnelError } from '../../errors.ts';
import { MessageStream } from '../../stream/message-stream.ts';
import { MuxConnection } from '../mux/mux-connection.ts';
import { dialTls, type VerifiedTls } from '../tls-dial.ts';
import type { HubAddress, TransportOptions } from '../transport.ts';
import { guardStream } from './guarded-stream.ts';
import { introduceEdge, MAX_INTRODUCTION_BYTES } from './introduction.ts';
import { loadWebTransport, type ClientHttp2, type LibrarySession } from './library.ts';
import { SessionPipe } from './session-pipe.ts';
import { HTTP2_OPTIONS, LIBRARY_SETTINGS, SESSION_WINDOW_BYTES, WEBTRANSPORT_PATH } from './settings.ts';
import { WebTransportCarrier } from './webtransport-carrier.ts';

/** Connects to a hub: TCP, TLS, the hub's identity, HTTP/2, WebTransport, the edge's proof. Errors: see {@link Transport.dial}. */
export async function dialWebTransport(
  hub: HubAddress,
  options: TransportOptions,
  signal: AbortSignal | undefined,
): Promise<MuxConnection> {
  const expected = { role: 'hub', dialedHost: hub.host } as const;
  const dial = { expected, protocols: ['h2'], anonymous: true, signal } as const;
  return dialTls(hub, options, dial, (verified) => upgradeToWebTransport(verified, hub, options));
}

/** Makes a connection of a TLS connection to a hub that is verified already. */
export async function upgradeToWebTransport(
  verified: VerifiedTls,
  hub: HubAddress,
  options: TransportOptions,
): Promise<MuxConnection> {
  const { tls } = verified;
  if (tls.alpnProtocol !== 'h2') throw failed(hub, 'it does not speak HTTP/2 on this port');
  const http2 = connect(`https://${hostOf(hub)}`, { ...HTTP2_OPTIONS, createConnection: () => tls });
  try {
    return await introduced(http2, verified, hub, options);
  } catch (error) {
    http2.destroy();
    throw error instanceof TunnelError ? error : failed(hub, messageOf(error), error);
  }
}

async function introduced(
  http2: ClientHttp2Session,
  { tls, peer, certificate: hubCertificate }: VerifiedTls,
  hub: HubAddress,
  options: TransportOptions,
): Promise<MuxConnection> {
  const ended = endOf(http2);
  await Promise.race([settingsOf(http2), ended]);
  http2.setLocalWindowSize(SESSION_WINDOW_BYTES);
  let violated: ((error: TunnelError) => void) | undefined;
  const { session, stream } = await openSession(http2, hub, (error) => violated?.(error));
  const broken = new Promise<never>((_resolve, reject) => (violated = reject));
  const early = Promise.race([ended, broken]);
  await Promise.race([session.ready, early]);
  const streams = await Promise.race([session.createBidirectionalStream(), early]);
  const messages = new MessageStream(
    new SessionPipe({ stream: stream(), session: http2 }, streams),
    MAX_INTRODUCTION_BYTES,
  );
  await Promise.race([introduceEdge({ messages, tls, hubCertificate }, options.credentials()), early]);
  const connection = new MuxConnection({
    carrier: new WebTransportCarrier(messages),
    dialer: true,
    peer,
    remoteAddress: `${hub.host}:${hub.port}`,
    limits: options.limits,
  });
  violated = (error) => connection.onViolation(error);
  connection.start();
  return connection;
}

/** Has the library open a session over an HTTP/2 session that is there, in place of one that it dials itself. */
async function openSession(
  http2: ClientHttp2Session,
  hub: HubAddress,
  onViolation: (error: TunnelError) => void,
): Promise<{ session: LibrarySession; stream: () => Http2Stream }> {
  const { WebTransport } = await loadWebTransport();
  let stream: Http2Stream | undefined;
  const clientInt: ClientHttp2 = {
    remoteSettings: http2.remoteSettings,
    request: (headers) => {
      stream = http2.request(headers as Record<string, string>);
      guardStream(stream, onViolation);
      return stream;
    },
    close: () => {}, // who ends it is the connection
  };
  class DialledWebTransport extends WebTransport {
    override createClient(args: object): ReturnType<InstanceType<typeof WebTransport>['createClient']> {
      const made = super.createClient(args);
      const { args: parts } = made.client;
      const create = parts.createReliableClient;
      parts.createReliableClient = (client) => {
        const transport = create(client);
        transport.createTransport = () => {
          transport.clientInt = clientInt;
          queueMicrotask(() => {
            transport.jsobj.onClientConnected({ success: true });
            transport.jsobj.onClientWebTransportSupport({});
          });
        };
        return transport;
      };
      return made;
    }
  }
  const url = `https://${hostOf(hub)}${WEBTRANSPORT_PATH}`;
  const session = new DialledWebTransport(url, { ...LIBRARY_SETTINGS, forceReliable: true });
  for (const promise of [session.ready, session.closed]) promise.catch(() => {}); // the stream tells its end
  return {
    session,
    stream: () => {
      if (stream === undefined) throw new TypeError('the session is ready before it was asked for');
      return stream;
    },
  };
}

/** Resolves when the hub has said that it takes sessions. */
function settingsOf(http2: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    http2.once('remoteSettings', ({ enableConnectProtocol }) => {
      if (enableConnectProtocol === true) resolve();
      else reject(new Error('it takes no WebTransport'));
    });
  });
}

/** Rejects when the HTTP/2 session ends. */
function endOf(http2: ClientHttp2Session): Promise<never> {
  const ended = new Promise<never>((_resolve, reject) => {
    http2.on('error', reject);
    http2.once('close', () => reject(new Error('it closed the connection')));
  });
  ended.catch(() => {}); // nobody waits for it once the connection is up
  return ended;
}

function hostOf({ host, port }: HubAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function failed(hub: HubAddress, why: string, cause?: unknown): TunnelError {
  const message = `no WebTransport with ${hub.host}:${hub.port}: ${why}`;
  return new TunnelError('ERR_TUNNEL_DIAL', message, cause === undefined ? {} : { cause });
}
