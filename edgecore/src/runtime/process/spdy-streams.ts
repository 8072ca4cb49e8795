import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { statusOf } from './exec-status.ts';
import { openSession, type SessionInput } from './exec-session.ts';
import { SpdyConnection } from './spdy-connection.ts';
import { readSize } from './terminal-size.ts';
import type { StreamTarget } from './stream-target.ts';

type CommandTarget = Exclude<StreamTarget, { kind: 'port-forward' }>;

/** Source: apimachinery, util/remotecommand/constants.go; cri/streaming/portforward. */
const COMMAND_PROTOCOL = 'v4.channel.k8s.io';
const FORWARD_PROTOCOL = 'portforward.k8s.io';
const LOOPBACK = '127.0.0.1';

/** Serves a stream over SPDY/3.1, as runtimes do: for API servers, and for `hawser exec`. */
export function serveSpdy(
  target: StreamTarget,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const offered = [request.headers['x-stream-protocol-version'] ?? []].flat().join(',');
  const protocol = target.kind === 'port-forward' ? FORWARD_PROTOCOL : COMMAND_PROTOCOL;
  if (!offered.split(',').some((name) => name.trim() === protocol)) {
    const text = `only ${protocol} is spoken here over SPDY`;
    socket.end(
      `HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    return;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  if (target.kind === 'port-forward') forwardPorts(socket, head);
  else runCommand(target, socket, head);
}

/** Begins when the client has opened every stream that it has asked for. */
function runCommand(target: CommandTarget, socket: Duplex, head: Buffer): void {
  const wanted = [
    'error',
    ...(['stdin', 'stdout', 'stderr'] as const).filter(
      (name) => target[name] && !(name === 'stderr' && target.tty),
    ),
  ];
  const ids = new Map<string, number>();
  let session: SessionInput | undefined;
  const nameOf = (stream: number): string | undefined => [...ids].find(([, id]) => id === stream)?.[0];
  const begin = (): SessionInput => {
    const opened = openSession(target, {
      write: (stream, chunk) => connection.write(ids.get(stream) ?? 0, chunk),
    });
    void opened.ended.then(async (end) => {
      const outputs = ['stdout', 'stderr'].flatMap((name) => ids.get(name) ?? []);
      const nothing = Buffer.alloc(0);
      const words = Buffer.from(JSON.stringify(statusOf(end)));
      const all = [
        connection.write(ids.get('error') ?? 0, words, true),
        ...outputs.map((id) => connection.write(id, nothing, true)),
      ];
      await Promise.allSettled(all); // who has gone hears nothing
      connection.end();
    });
    return opened;
  };
  const connection: SpdyConnection = new SpdyConnection(socket, {
    onOpen: (stream, headers) => {
      ids.set(headers.get('streamtype') ?? '', stream);
      if (session === undefined && wanted.every((name) => ids.has(name))) session = begin();
    },
    onData: async (stream, bytes) => {
      if (nameOf(stream) === 'stdin') await written(session?.stdin ?? null, bytes);
      else if (nameOf(stream) === 'resize')
        readSize(bytes, (columns, rows) => session?.resize(columns, rows));
    },
    onEnd: (stream) => {
      if (nameOf(stream) === 'stdin' && target.kind === 'exec') session?.stdin?.end();
    },
    onClose: () => session?.kill(),
  });
  connection.start(head);
}

/** Each connection to a port is two streams of one request: its data, and what went wrong. */
function forwardPorts(socket: Duplex, head: Buffer): void {
  const errors = new Map<string, number>();
  const sockets = new Map<number, Socket>();
  const connection = new SpdyConnection(socket, {
    onOpen: (stream, headers) => {
      const request = headers.get('requestid') ?? headers.get('port') ?? '';
      if (headers.get('streamtype') === 'error') errors.set(request, stream);
      else sockets.set(stream, forward(connection, stream, errors.get(request), Number(headers.get('port'))));
    },
    onData: (stream, bytes) => written(sockets.get(stream) ?? null, bytes),
    onEnd: (stream) => void sockets.get(stream)?.end(),
    onClose: () => {
      for (const each of sockets.values()) each.destroy();
    },
  });
  connection.start(head);
}

function forward(
  connection: SpdyConnection,
  data: number,
  errorStream: number | undefined,
  port: number,
): Socket {
  const socket = connect({ port, host: LOOPBACK, allowHalfOpen: true });
  let failure = '';
  socket.on('error', ({ message }) => (failure = `port ${port}: ${message}`));
  const pump = async (): Promise<void> => {
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) await connection.write(data, chunk);
    } catch {
      socket.destroy(); // its error is told below, or the client has gone
    }
    await Promise.allSettled([
      connection.write(data, Buffer.alloc(0), true),
      ...(errorStream === undefined ? [] : [connection.write(errorStream, Buffer.from(failure), true)]),
    ]);
  };
  void pump();
  return socket;
}

/** Resolves when there is room for more; what takes nothing any more gets nothing. */
function written(stream: NodeJS.WritableStream | null, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (stream?.writable !== true || stream.write(bytes)) {
      resolve();
      return;
    }
    const go = (): void => {
      stream.removeListener('drain', go);
      stream.removeListener('close', go);
      resolve();
    };
    stream.once('drain', go);
    stream.once('close', go);
  });
}
