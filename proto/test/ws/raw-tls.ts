import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Credentials } from '../../src/index.ts';
import { SUBPROTOCOL, TUNNEL_PATH } from '../../src/transport/ws/ws-options.ts';

/** A TLS connection to a hub with nothing of our own code on it. */
export interface RawTls {
  readonly tcp: Socket;
  readonly tls: TLSSocket;
}

/** Connects by TLS, with a certificate or without. The hub is not verified: this is the attacker. */
export async function rawTls(port: number, credentials?: Credentials): Promise<RawTls> {
  const tcp = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  const tls = connectTls({
    socket: tcp,
    rejectUnauthorized: false,
    ...(credentials === undefined
      ? {}
      : {
          key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }),
          cert: credentials.certificate.toString(),
        }),
  });
  tcp.on('error', () => {}); // the hub may reset it; `close` tells
  tls.on('error', () => {});
  await once(tls, 'secureConnect');
  return { tcp, tls };
}

/** The request that asks for the tunnel. */
export function upgradeRequest(path: string = TUNNEL_PATH): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: hub',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    '\r\n',
  ].join('\r\n');
}

/** Everything that the hub sends until it closes. */
export async function readToEnd({ tls }: RawTls): Promise<string> {
  let text = '';
  tls.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  if (!tls.closed) await once(tls, 'close');
  return text;
}
