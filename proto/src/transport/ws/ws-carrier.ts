import type { Duplex } from 'node:stream';
import WebSocket, { type RawData } from 'ws';
import type { Carrier, CarrierEvents } from '../mux/carrier.ts';
import { badFrame } from '../mux/mux-frame.ts';

/** Errors of the WebSocket that mean too much of something; its others mean malformed. */
const LIMIT_ERRORS: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
]);

/** A WebSocket as a {@link Carrier}: a message is a binary message, a ping is its own. */
export class WsCarrier implements Carrier {
  readonly transport = 'ws';
  readonly #socket: WebSocket;
  readonly #below: Duplex;

  /** @param below what the WebSocket runs over: bytes count as a sign of life before they make a whole message */
  constructor(socket: WebSocket, below: Duplex) {
    this.#socket = socket;
    this.#below = below;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get isClosed(): boolean {
    return this.#socket.readyState === WebSocket.CLOSED;
  }

  start(events: CarrierEvents): void {
    this.#below.on('data', () => events.onBytes());
    this.#socket.on('message', (data, isBinary) => onMessage(events, data, isBinary));
    this.#socket.on('ping', (data) => events.onPing(data));
    this.#socket.on('pong', () => events.onPong());
    this.#socket.on('error', (error) => onError(events, error));
    this.#socket.on('close', (code) => events.onClosed(`WebSocket closed with ${code}`));
  }

  send(message: Buffer, written: () => void): void {
    this.#socket.send(message, (error) => {
      if (!error) written();
    });
  }

  ping(): void {
    this.#socket.ping();
  }

  pong(data: Buffer, sent: () => void): void {
    this.#socket.pong(data, undefined, (error?: Error | null) => {
      if (!error) sent();
    });
  }

  cork(): void {
    this.#below.cork();
  }

  uncork(): void {
    this.#below.uncork();
  }

  close(): void {
    this.#socket.close(1000);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

function onMessage(events: CarrierEvents, data: RawData, isBinary: boolean): void {
  if (isBinary && Buffer.isBuffer(data)) events.onMessage(data);
  else events.onViolation(badFrame('a text message'));
}

function onError(events: CarrierEvents, error: Error): void {
  const code = 'code' in error ? String(error.code) : '';
  if (!code.startsWith('WS_ERR_')) {
    events.onError({ code: 'connection-lost', message: error.message, by: 'remote' });
    return;
  }
  const limit = LIMIT_ERRORS.has(code);
  events.onError({ code: limit ? 'limit-exceeded' : 'protocol-error', message: error.message });
}
