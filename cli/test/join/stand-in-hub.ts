import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { X509Certificate } from 'node:crypto';
import { TestAuthority, type CertificateWish } from '@hawser/proto/testing';

/** What listens in place of a hub. */
export interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

/** A TLS server that answers as a hub does to who asks for its authority. */
export interface StandInHub extends Listener {
  readonly authority: X509Certificate;
}

/** Settings of {@link startStandInHub}. */
export interface StandInHubOptions {
  /** Default: 200 with the authority. */
  readonly status?: number;
  /** Its clock in relation to this machine's, milliseconds. Default 0. */
  readonly clockAheadMs?: number;
  readonly certificate?: CertificateWish;
}

/** Starts one, with an authority of its own. */
export async function startStandInHub(options: StandInHubOptions = {}): Promise<StandInHub> {
  const { status = 200, clockAheadMs = 0, certificate = {} } = options;
  const authority = await TestAuthority.create();
  const hub = await authority.hub(certificate);
  const server = createHttpsServer(
    {
      key: hub.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: hub.certificate.toString(),
      minVersion: 'TLSv1.3',
    },
    (request, response) => {
      const date = new Date(Date.now() + clockAheadMs).toUTCString();
      const isAsked = request.method === 'GET' && request.url === '/v1/authority';
      response.writeHead(isAsked ? status : 404, { date });
      response.end(authority.certificate.toString());
    },
  );
  return { authority: authority.certificate, ...(await listening(server)) };
}

/** Listens, and does with connections what it is told. */
export async function startListener(onConnection: (socket: Socket) => void): Promise<Listener> {
  return await listening(
    createServer((socket) => {
      socket.on('error', () => {}); // its peer may go at any time
      onConnection(socket);
    }),
  );
}

async function listening(server: Server): Promise<Listener> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
