import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { MessageStream, type Credentials } from '../../src/index.ts';
import type { ByteStream } from '../../src/stream/message-stream.ts';
import { introduceEdge } from '../../src/transport/webtransport/introduction.ts';
import { HTTP2_OPTIONS, WEBTRANSPORT_PATH } from '../../src/transport/webtransport/settings.ts';

/** Types of capsules. Source: draft-ietf-webtrans-http2, section 6; RFC 9297. */
export const CAPSULE = {
  padding: 0x190b4d38,
  reset: 0x190b4d39,
  stopSending: 0x190b4d3a,
  stream: 0x190b4d3b,
  streamWithEnd: 0x190b4d3c,
  maxData: 0x190b4d3d,
  maxStreamData: 0x190b4d3e,
  maxStreams: 0x190b4d3f,
  dataBlocked: 0x190b4d41,
  streamDataBlocked: 0x190b4d42,
  streamsBlocked: 0x190b4d44,
  close: 0x2843,
  drain: 0x78ae,
  datagram: 0x00,
} as const;

/** A QUIC varint in its shortest form. Source: RFC 9000, section 16. */
export function varint(value: number): Buffer {
  if (value < 2 ** 6) return Buffer.of(value);
  if (value < 2 ** 14) return Buffer.of(0x40 | (value >> 8), value & 0xff);
  const bytes = Buffer.alloc(value < 2 ** 30 ? 4 : 8);
  if (bytes.length === 4) bytes.writeUInt32BE(value + 0x8000_0000);
  else bytes.writeBigUInt64BE(BigInt(value) | 0xc000_0000_0000_0000n);
  return bytes;
}

/** A capsule, whether or not it makes sense. */
export function capsule(type: number, payload: Uint8Array, length = payload.length): Buffer {
  return Buffer.concat([varint(type), varint(length), payload]);
}

/** Bytes of the stream that a client opens first. */
export function streamBytes(data: Uint8Array, stream = 1): Buffer {
  return capsule(CAPSULE.stream, Buffer.concat([varint(stream), data]));
}

/** An edge over plain HTTP/2, without the library and without its manners. It does not verify the hub. */
export class RawClient implements ByteStream {
  readonly tls: TLSSocket;
  readonly hubCertificate: Uint8Array;
  readonly http2: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  /** Resolves when the hub has ended the connection. */
  readonly ended: Promise<unknown>;
  /** Of the hub's capsules, what is not read yet. */
  #unread = Buffer.alloc(0);

  private constructor(
    tls: TLSSocket,
    hubCertificate: Uint8Array,
    headers: OutgoingHttpHeaders,
    more: readonly OutgoingHttpHeaders[],
  ) {
    this.tls = tls;
    this.hubCertificate = hubCertificate;
    this.ended = once(tls, 'close');
    this.http2 = connectHttp2('https://hub', { ...HTTP2_OPTIONS, createConnection: () => tls });
    this.http2.on('error', () => {}); // `ended` tells
    this.stream = this.request(headers);
    for (const each of more) this.request(each);
  }

  /** Connects, and asks for a session, or for several in the same breath: before the hub has said what it takes. */
  static async connect(
    port: number,
    headers: OutgoingHttpHeaders = {},
    ...more: readonly OutgoingHttpHeaders[]
  ): Promise<RawClient> {
    const tls = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    tls.on('error', () => {}); // likewise
    await once(tls, 'secureConnect');
    const certificate = tls.getPeerX509Certificate();
    const client = new RawClient(tls, certificate?.raw ?? Buffer.alloc(0), headers, more);
    await Promise.race([once(client.http2, 'remoteSettings'), client.ended]);
    return client;
  }

  /** Connects, and proves who it is as an edge does. */
  static async introduced(port: number, credentials: Credentials): Promise<RawClient> {
    const client = await RawClient.connect(port);
    await client.introduce(credentials);
    return client;
  }

  get isOpen(): boolean {
    return !this.tls.destroyed;
  }

  introduce(credentials: Credentials): Promise<void> {
    const messages = new MessageStream(this, 16 * 1024);
    return introduceEdge({ messages, tls: this.tls, hubCertificate: this.hubCertificate }, credentials);
  }

  /** Asks for a session, or for something else. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const usual = { ':method': 'CONNECT', ':protocol': 'webtransport', ':scheme': 'https' };
    const path = { ':authority': 'hub', ':path': WEBTRANSPORT_PATH };
    const stream = this.http2.request({ ...usual, ...path, ...headers });
    stream.on('error', () => {}); // likewise
    return stream;
  }

  /** Sends bytes as they are; false where the network does not take more. */
  send(bytes: Uint8Array): boolean {
    return !this.stream.destroyed && !this.stream.closed && this.stream.write(bytes);
  }

  write(data: Uint8Array): Promise<void> {
    this.send(streamBytes(data));
    return Promise.resolve();
  }

  /** Bytes of the stream from the hub, undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    while (true) {
      const data = this.#nextData();
      if (data !== undefined) return data;
      const chunk = this.stream.read() as Buffer | null;
      if (chunk !== null) this.#unread = Buffer.concat([this.#unread, chunk]);
      else if (this.isOpen) await Promise.race([once(this.stream, 'readable'), this.ended]);
      else return undefined;
    }
  }

  /** Breaks the connection off. */
  vanish(): void {
    this.tls.destroy();
  }

  /** What a hub of ours sends is capsules with four bytes of type. */
  #nextData(): Buffer | undefined {
    while (this.#unread.length >= 6) {
      const lengthBytes = 2 ** ((this.#unread[4] ?? 0) >> 6);
      if (this.#unread.length < 4 + lengthBytes) return undefined;
      const length = this.#unread.readUIntBE(4, lengthBytes) % 2 ** (8 * lengthBytes - 2);
      const [from, to] = [4 + lengthBytes, 4 + lengthBytes + length];
      if (this.#unread.length < to) return undefined;
      const isData = this.#unread.readUInt32BE(0) - 0x8000_0000 === CAPSULE.stream;
      const data = this.#unread.subarray(from + 1, to);
      this.#unread = this.#unread.subarray(to);
      if (isData && data.length > 0) return data;
    }
    return undefined;
  }
}
