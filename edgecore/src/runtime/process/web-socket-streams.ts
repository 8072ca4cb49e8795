import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { openSession } from './exec-session.ts';
import { statusOf } from './exec-status.ts';
import type { StreamTarget } from './stream-target.ts';
import { readSize } from './terminal-size.ts';

/** Source: apimachinery, util/remotecommand/constants.go. */
const CHANNELS = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** `v5` is `v4` with a message that ends a channel. */
const COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const FORWARD_PROTOCOLS = ['v4.channel.k8s.io', 'portforward.k8s.io'];
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Beyond it a reader is too slow to watch a container, which does not wait for it. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const NORMAL = 1000;

/** Serves a stream over WebSocket, as runtimes do. Another upgrade, or other protocols, are refused. */
export function serveWebSocket(
  target: StreamTarget,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const known = target.kind === 'port-forward' ? FORWARD_PROTOCOLS : COMMAND_PROTOCOLS;
  const protocol = known.find((name) => offered.includes(name));
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || protocol === undefined) {
    refuse(socket, `only WebSocket with ${known.join(' or ')} is spoken here`);
    return;
  }
  const server = new WebSocketServer({
    ...{ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false },
    handleProtocols: () => protocol,
  });
  server.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => {}); // closed comes after it
    if (target.kind === 'port-forward') forwardPorts(webSocket, target.ports);
    else runSession(webSocket, target);
  });
}

function runSession(webSocket: WebSocket, target: Exclude<StreamTarget, { kind: 'port-forward' }>): void {
  const session = openSession(target, {
    write: (stream, chunk) => {
      if (target.kind === 'attach' && webSocket.bufferedAmount > MAX_BUFFERED_BYTES)
        return Promise.reject(new Error('the connection is too slow for what the container writes'));
      return send(webSocket, CHANNELS[stream], chunk);
    },
  });
  webSocket.on('message', (data: Buffer) => {
    const [channel] = data;
    const content = data.subarray(1);
    if (channel === CHANNELS.stdin) pass(webSocket, session.stdin, content);
    else if (channel === CHANNELS.resize) readSize(content, (columns, rows) => session.resize(columns, rows));
    else if (channel === CHANNELS.close && content[0] === CHANNELS.stdin && target.kind === 'exec')
      session.stdin?.end();
  });
  let isGone = false;
  webSocket.on('close', () => {
    isGone = true;
    session.kill();
  });
  void session.ended.then(async (end) => {
    if (isGone) return;
    await send(webSocket, CHANNELS.error, Buffer.from(JSON.stringify(statusOf(end)))).catch(() => {}); // it has gone
    webSocket.close(NORMAL);
  });
}

/** Takes no more from the client than the command has taken. */
function pass(webSocket: WebSocket, stdin: NodeJS.WritableStream | null, content: Buffer): void {
  if (stdin?.writable !== true || stdin.write(content)) return;
  webSocket.pause();
  stdin.once('drain', () => webSocket.resume());
}

/**
 * Each port has two channels, for data and for what went wrong; both begin with the port's number.
 * Source: cri/streaming/portforward/websocket.go.
 */
function forwardPorts(webSocket: WebSocket, ports: readonly number[]): void {
  const connections = ports.map((port, index) => {
    const [data, error] = [2 * index, 2 * index + 1];
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    void send(webSocket, data, number).catch(() => {}); // closed tells
    void send(webSocket, error, number).catch(() => {});
    const connection = connect({ port, host: '127.0.0.1' });
    connection.on(
      'error',
      ({ message }) => void send(webSocket, error, Buffer.from(message)).catch(() => {}),
    );
    void readAll(connection, (chunk) => send(webSocket, data, chunk));
    return connection;
  });
  let open = connections.length;
  for (const connection of connections)
    connection.on('close', () => {
      open -= 1;
      if (open === 0) webSocket.close(NORMAL);
    });
  webSocket.on('message', (message: Buffer) => {
    const channel = message[0] ?? 0;
    if (channel % 2 === 0) pass(webSocket, connections[channel / 2] ?? null, message.subarray(1));
  });
  webSocket.on('close', () => {
    for (const connection of connections) connection.destroy();
  });
}

async function readAll(connection: Socket, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  try {
    for await (const chunk of connection as AsyncIterable<Buffer>) await take(chunk);
  } catch {
    connection.destroy(); // its error was told
  }
}

function send(webSocket: WebSocket, channel: number, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    webSocket.send(Buffer.concat([Buffer.of(channel), content]), (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

function refuse(socket: Duplex, text: string): void {
  socket.end(
    `HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
}
