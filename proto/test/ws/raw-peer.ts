import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { deferred, systemClock } from '@hawser/seams';
import WebSocket, { type RawData } from 'ws';
import { encodeFrame, encodeStreamOpen, PURPOSE, type OutgoingFrame } from '../../src/codec/codec.ts';
import { frameMessage, type CloseReason, type Credentials } from '../../src/index.ts';
import { decodeCloseReason } from '../../src/transport/close-reason.ts';
import { decodeMuxFrames, encodeMuxFrame, FRAME } from '../../src/transport/mux/mux-frame.ts';
import { SUBPROTOCOL, TUNNEL_PATH } from '../../src/transport/ws/ws-options.ts';

/** How a connection ended, as the peer saw it. */
export interface PeerEnd {
  /** What the hub's CLOSE said, if one came. */
  readonly reason: CloseReason | undefined;
  /** Code of the WebSocket's own close; 1006: none came. */
  readonly wsCode: number;
}

const LEAVE_MS = 300;

/** The session stream's id. */
export const SESSION = 1;

/** OPEN of a stream. */
export function openFrame(id: number, kind: string): Buffer {
  return encodeMuxFrame(FRAME.open, id, encodeStreamOpen(kind));
}

/** DATA of a stream. */
export function dataFrame(id: number, data: Uint8Array): Buffer {
  return encodeMuxFrame(FRAME.data, id, data);
}

/** An authenticated peer that sends whatever a test likes. */
export class RawPeer {
  readonly socket: WebSocket;
  readonly tls: TLSSocket;
  readonly ended: Promise<PeerEnd>;
  /** Messages and frames that it sent. */
  sent = 0;
  readonly #ended = deferred<PeerEnd>();
  #reason: CloseReason | undefined;

  private constructor(socket: WebSocket, tls: TLSSocket) {
    this.socket = socket;
    this.tls = tls;
    this.ended = this.#ended.promise;
    socket.on('message', (data) => this.#onMessage(data));
    socket.on('error', () => {}); // `close` follows
    socket.on('close', (wsCode) => this.#ended.resolve({ reason: this.#reason, wsCode }));
  }

  /** Connects to a hub on loopback. */
  static async connect(port: number, credentials: Credentials): Promise<RawPeer> {
    const tls = connectTls({
      port,
      host: '127.0.0.1',
      key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: credentials.certificate.toString(),
      rejectUnauthorized: false, // an attacker does not care who the hub is
    });
    tls.on('error', () => {}); // the WebSocket tells
    await once(tls, 'secureConnect');
    const socket = new WebSocket(`wss://127.0.0.1:${port}${TUNNEL_PATH}`, SUBPROTOCOL, {
      createConnection: () => tls,
      perMessageDeflate: false,
    });
    await once(socket, 'open');
    return new RawPeer(socket, tls);
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Sends frames in one message. */
  send(...frames: readonly Buffer[]): void {
    this.sent += frames.length;
    if (this.isOpen) this.socket.send(Buffer.concat(frames));
  }

  /** Sends bytes below the WebSocket. */
  sendRaw(bytes: Uint8Array): void {
    this.sent += 1;
    if (this.tls.writable) this.tls.write(bytes);
  }

  /** Sends a session frame on the session stream. */
  sendSession(frame: OutgoingFrame): void {
    this.send(dataFrame(SESSION, frameMessage(encodeFrame(frame))));
  }

  /** Opens the session stream and says hello; the welcome is not waited for. */
  hello(node: string): void {
    this.send(openFrame(SESSION, 'session'));
    this.sendSession({
      hello: {
        minVersion: 1,
        maxVersion: 1,
        purpose: PURPOSE.control,
        node,
        software: 'hostile',
        heartbeatMs: 300_000,
      },
    });
  }

  /** Reads nothing from here on. */
  stopReading(): void {
    this.tls.pause();
  }

  /** Reads what is there, and closes as it should; vanishes where the hub takes that for something else. */
  leave(): void {
    this.tls.resume();
    this.socket.close();
    const patience = systemClock.setTimer(LEAVE_MS, () => this.vanish());
    void this.ended.then(() => patience.cancel());
  }

  /** Vanishes. */
  vanish(): void {
    this.tls.destroy();
    this.socket.terminate();
  }

  #onMessage(data: RawData): void {
    if (!Buffer.isBuffer(data)) return;
    for (const frame of decodeMuxFrames(data)) {
      if (frame.type === FRAME.close) this.#reason = decodeCloseReason(frame.payload);
    }
  }
}
