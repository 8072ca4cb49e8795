import { deferred } from '@hawser/seams';
import {
  decodeConnectionFrame,
  encodeConnectionFrame,
  encodeFrame,
  encodeStreamOpen,
  PURPOSE,
  type OutgoingConnectionFrame,
} from '../../src/codec/codec.ts';
import { frameMessage, type CloseReason, type Credentials, type TunnelLimits } from '../../src/index.ts';
import { fromCloseNotice } from '../../src/transport/close-reason.ts';
import {
  loadQuicBinding,
  type NativeClient,
  type NativeConnection,
  type NativeStream,
} from '../../src/transport/quic/binding.ts';
import { endpointConfig } from '../../src/transport/quic/endpoint-config.ts';

/** A frame of the connection stream, as it travels. */
export function connectionFrame(frame: OutgoingConnectionFrame): Buffer {
  return frameMessage(encodeConnectionFrame(frame));
}

/** The head of a stream, as it travels. */
export function streamHead(kind: string): Buffer {
  return frameMessage(encodeStreamOpen(kind));
}

/** An endpoint for one node's key, from which any number of peers connect. */
export function quicClient(credentials: Credentials, limits: TunnelLimits): NativeClient {
  const { Client } = loadQuicBinding();
  return new Client(endpointConfig(credentials.privateKey, limits), 0);
}

/** A peer with a proven key that sends whatever a test likes. */
export class RawQuicPeer {
  readonly native: NativeConnection;
  /** Resolves with what the hub's CLOSE said, or undefined where the connection ended without one. */
  readonly ended: Promise<CloseReason | undefined>;
  /** Names of the frames that came on the connection stream. */
  readonly heard: string[] = [];
  isOpen = true;
  readonly #ended = deferred<CloseReason | undefined>();
  /** A native stream that nobody holds is finished when it is collected. */
  readonly #kept: NativeStream[] = [];
  #connection: NativeStream | undefined;
  #reason: CloseReason | undefined;
  #unread = Buffer.alloc(0);

  private constructor(native: NativeConnection) {
    this.native = native;
    this.ended = this.#ended.promise;
    native.closed().then(
      () => this.#end(),
      () => this.#end(),
    );
  }

  /** Connects, and opens the connection stream with these bytes on it. */
  static async connect(client: NativeClient, port: number, first: Uint8Array): Promise<RawQuicPeer> {
    const peer = new RawQuicPeer(await client.outboundConnection('127.0.0.1', port));
    peer.#connection = await peer.native.outboundStream();
    await peer.say(first);
    void peer.#listen(peer.#connection);
    return peer;
  }

  /** Connects and introduces itself. */
  static async introduced(
    client: NativeClient,
    port: number,
    credentials: Credentials,
  ): Promise<RawQuicPeer> {
    const hello = connectionFrame({ hello: { certificates: [credentials.certificate.raw] } });
    const peer = await RawQuicPeer.connect(client, port, hello);
    await peer.say(connectionFrame({ accepted: {} }));
    return peer;
  }

  /** Sends bytes on the connection stream. */
  say(bytes: Uint8Array): Promise<void> {
    return send(this.#connection, bytes);
  }

  /** Ends the connection stream. */
  fallSilent(): void {
    this.#connection?.finishWrite();
  }

  /** Opens a stream with these bytes at its head. */
  async open(bytes: Uint8Array): Promise<NativeStream> {
    const stream = await this.native.outboundStream();
    this.#kept.push(stream);
    await send(stream, bytes);
    return stream;
  }

  /** Opens the session stream and says hello. */
  hello(node: string): Promise<NativeStream> {
    const hello = {
      minVersion: 1,
      maxVersion: 1,
      purpose: PURPOSE.control,
      node,
      software: 'hostile',
      heartbeatMs: 300_000,
    };
    return this.open(Buffer.concat([streamHead('session'), frameMessage(encodeFrame({ hello }))]));
  }

  /** Vanishes. */
  vanish(): void {
    this.native.abort();
  }

  async #listen(stream: NativeStream): Promise<void> {
    try {
      for (let chunk = await stream.read(65_536); chunk !== null; chunk = await stream.read(65_536)) {
        this.#unread = Buffer.concat([this.#unread, chunk]);
        while (this.#next());
      }
    } catch {
      // The connection ended; `closed` tells.
    }
    if (this.#reason !== undefined) this.vanish(); // a peer closes once it has read why
  }

  /** Takes a frame of the connection stream, if one is complete. */
  #next(): boolean {
    const first = this.#unread[0] ?? 0;
    const length = first < 0x80 ? first : (first & 0x7f) | ((this.#unread[1] ?? 0) << 7);
    const head = first < 0x80 ? 1 : 2;
    if (this.#unread.length < head + length || this.#unread.length === 0) return false;
    const frame = decodeConnectionFrame(this.#unread.subarray(head, head + length));
    this.#unread = this.#unread.subarray(head + length);
    this.heard.push(frame.body ?? 'unknown');
    if (frame.body === 'close') this.#reason = fromCloseNotice(frame.close);
    return true;
  }

  #end(): void {
    this.isOpen = false;
    this.#ended.resolve(this.#reason);
  }
}

/** Writes; whether the hub is still there shows elsewhere. */
async function send(stream: NativeStream | undefined, bytes: Uint8Array): Promise<void> {
  try {
    await stream?.write(bytes);
  } catch {
    // The hub reset the stream or has ended the connection.
  }
}
