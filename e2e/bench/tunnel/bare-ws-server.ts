// The rival of the tunnel's bench: `ws` over mutual TLS with nothing on top. Echoes, or counts, as the path says.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { announceReady, readIdentityFiles } from '../../src/index.ts';

const credentials = await readIdentityFiles(process.argv[2] ?? '', 'hub');
const server = createServer({
  key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  cert: credentials.certificate.toString(),
  ca: credentials.authorities.map((authority) => authority.toString()),
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.3',
});
const upgrades = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 1024 * 1024 });
upgrades.on('connection', (socket, request) => {
  let bytes = 0;
  socket.on('error', () => {}); // the bench ends by closing
  socket.on('message', (data: Buffer, isBinary) => {
    if (request.url === '/echo') socket.send(data);
    else if (isBinary) bytes += data.length;
    else socket.send(String(bytes)); // a text message ends a transfer
  });
});
server.listen(0, '127.0.0.1', () => announceReady({ port: (server.address() as AddressInfo).port }));
