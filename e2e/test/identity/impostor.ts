import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Credentials, HubAddress } from '@hawser/proto';

/** A server that is not the hub, on the way to it: it keeps all that it is told. */
export class Impostor {
  /** Every byte that came, decrypted. */
  heard = '';
  readonly requests: string[] = [];
  readonly #server: Server;

  /** @param authority what it answers where it is asked for the authority, PEM */
  constructor(credentials: Credentials, authority: string) {
    this.#server = createServer(
      {
        key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }),
        cert: credentials.certificate.toString(),
        minVersion: 'TLSv1.3',
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => {
        this.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
        request.resume();
        response.end(authority); // the connection stays open, for whatever else it might be told
      },
    );
    this.#server.on('secureConnection', (socket) => {
      socket.on('data', (chunk: Buffer) => (this.heard += chunk.toString('latin1')));
    });
  }

  get address(): HubAddress {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}
