// Counts the datagrams that it gets at a port of its own, and sends some when told to; the same with a TCP stream.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { announceReady, sendToParent } from '../../../src/processes/in-child.ts';

/** What the parent asks for. */
export type Order =
  | { kind: 'count' }
  | { kind: 'datagrams'; address: string; port: number; count: number; bytes: number }
  | { kind: 'stream'; address: string; port: number; bytes: number };

let datagrams = 0;
const udp = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
udp.on('message', () => datagrams++);
udp.bind(0);
await once(udp, 'listening');

/** Answers a finished stream with the number of bytes that it had. */
const tcp = net.createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0;
  socket.on('data', (data) => (bytes += data.length));
  socket.on('end', () => socket.end(String(bytes)));
});
tcp.listen(0);
await once(tcp, 'listening');

async function sendDatagrams(order: Order & { kind: 'datagrams' }): Promise<void> {
  const payload = Buffer.alloc(order.bytes);
  for (let sent = 0; sent < order.count; sent++) {
    udp.send(payload, order.port, order.address);
    if (sent % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1)); // the receiver keeps up
  }
  sendToParent({ sent: order.count });
}

async function sendStream(order: Order & { kind: 'stream' }): Promise<void> {
  const startedMs = performance.now();
  const socket = net.connect(order.port, order.address);
  socket.end(Buffer.alloc(order.bytes));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  sendToParent({ arrived: Number(answer.toString()), ms: performance.now() - startedMs });
}

process.on('message', (order: Order) => {
  if (order.kind === 'count') sendToParent({ datagrams });
  else if (order.kind === 'datagrams') void sendDatagrams(order);
  else void sendStream(order);
});
announceReady({ udpPort: udp.address().port, tcpPort: (tcp.address() as net.AddressInfo).port });
