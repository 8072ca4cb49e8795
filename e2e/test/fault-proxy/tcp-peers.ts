import { once } from 'node:events';
import net, { type Server, type Socket } from 'node:net';

/** A server on loopback whose connections are known, so that a test can look at them and close all. */
export interface TestServer {
  readonly port: number;
  readonly sockets: readonly Socket[];
  close(): Promise<void>;
}

/** Starts a server that hands each connection to `serve`. Errors of sockets are for the test to look at. */
export async function startServer(serve: (socket: Socket) => void): Promise<TestServer> {
  const sockets: Socket[] = [];
  const server: Server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {}); // kept in socket.errored
    serve(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** Starts a server that sends back what it gets. */
export function startEchoServer(): Promise<TestServer> {
  return startServer((socket) => socket.pipe(socket));
}

/**
 * Connects to a port on loopback.
 * @throws the error of connecting
 */
export async function connect(port: number): Promise<Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.on('error', () => {}); // kept in socket.errored
  return socket;
}

/** The next data on a socket. */
export async function nextData(socket: Socket): Promise<Buffer> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data;
}

/** Resolves when the socket is closed, with the code of the error that closed it, if any. */
export async function closeCode(socket: Socket): Promise<string | undefined> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  const error: NodeJS.ErrnoException | null = socket.errored;
  return error?.code;
}

/** Sends `bytes` and waits until as many came back. @returns milliseconds */
export async function echoMs(socket: Socket, bytes = 8): Promise<number> {
  const startedMs = performance.now();
  let left = bytes;
  const back = new Promise<void>((resolve, reject) => {
    const onClose = (): void => reject(new Error('closed before the echo'));
    const onData = (data: Buffer): void => {
      left -= data.length;
      if (left > 0) return;
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve();
    };
    socket.on('data', onData);
    socket.on('close', onClose);
  });
  socket.write(Buffer.alloc(bytes, 'x'));
  await back;
  return performance.now() - startedMs;
}

/** Writes zeros as fast as the socket takes them, until it is destroyed. */
export function flood(socket: Socket): void {
  const chunk = Buffer.alloc(64 * 1024);
  const write = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', write);
  write();
}
