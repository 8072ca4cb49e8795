import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { within } from '@hawser/seams/testing';
import { decode, encode, type Answer, type DecodedPacket, type Packet, type RecordType } from 'dns-packet';

/** A server to ask. */
export interface At {
  readonly host: string;
  readonly port: number;
}

/** What is asked. */
export interface Ask {
  readonly name: string;
  readonly type: RecordType;
  /** Largest answer with EDNS; absent: no EDNS. */
  readonly udpBytes?: number;
  readonly id?: number;
  /** Default: recursion desired. */
  readonly flags?: number;
}

/** A query as bytes. */
export function queryBytes({ name, type, udpBytes, id = 7, flags = 0x0100 }: Ask): Buffer {
  const packet: Packet = { type: 'query', id, flags, questions: [{ type, name }] };
  if (udpBytes !== undefined) packet.additionals = [optionOf(udpBytes)];
  return encode(packet);
}

function optionOf(udpPayloadSize: number): Answer {
  const bare = { extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
  return { type: 'OPT', name: '.', udpPayloadSize, ...bare };
}

/** Sends bytes over UDP, and answers what comes back. @throws Error after `deadlineMs` (default 5000) @param from own address */
export async function sendUdp(
  at: At,
  bytes: Uint8Array,
  deadlineMs = 5000,
  from = '127.0.0.1',
): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve) => socket.bind(0, from, resolve));
    const answer = new Promise<Buffer>((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('error', reject);
    });
    socket.send(bytes, at.port, at.host);
    return await within('an answer over UDP', answer, deadlineMs);
  } finally {
    socket.close();
  }
}

/** An answer as it came, and what it says. */
export interface Answered extends DecodedPacket {
  readonly rcode: string;
  readonly bytes: number;
}

/** Asks over UDP. */
export async function ask(at: At, what: Ask): Promise<Answered> {
  return read(await sendUdp(at, queryBytes(what)));
}

/** Asks over TCP. */
export async function askTcp(at: At, what: Ask): Promise<Answered> {
  const client = await TcpTalk.open(at);
  try {
    client.send(queryBytes(what));
    return read(await client.next());
  } finally {
    client.close();
  }
}

/** What an answer says. */
export function read(message: Buffer): Answered {
  const packet = decode(message) as DecodedPacket & { rcode: string };
  return { ...packet, bytes: message.length };
}

/** Records as lines: name, TTL, type, data. */
export function lines(records: readonly Answer[] | undefined): string[] {
  return (records ?? [])
    .filter((record) => record.type !== 'OPT')
    .map((record) => {
      const { name, type } = record;
      const { ttl, data } = record as { ttl?: number; data: unknown };
      return `${name} ${ttl ?? 0} ${type} ${dataText(data)}`;
    })
    .sort();
}

function dataText(data: unknown): string {
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return data.map(String).join(' ');
  const { priority, weight, port, target, mname, rname, refresh, retry, expire, minimum } = data as Record<
    string,
    string | number
  >;
  if (target !== undefined) return [priority, weight, port, target].join(' ');
  return [mname, rname, refresh, retry, expire, minimum].join(' ');
}

/** A connection that messages are sent over, with their length before them. */
export class TcpTalk {
  readonly #socket: Socket;
  readonly #events = new EventEmitter();
  #received = Buffer.alloc(0);
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#events.emit('change');
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      this.#closed = true;
      this.#events.emit('change');
    });
  }

  static async open({ host, port }: At): Promise<TcpTalk> {
    const socket = createConnection({ host, port });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new TcpTalk(socket);
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(message: Uint8Array): void {
    this.raw(Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]));
  }

  raw(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next whole message. @throws Error when it was closed before, or `deadlineMs` (default 5000) have passed */
  async next(deadlineMs = 5000): Promise<Buffer> {
    const deadline = { isOver: false };
    const timer = setTimeout(() => {
      deadline.isOver = true;
      this.#events.emit('change');
    }, deadlineMs);
    try {
      while (!deadline.isOver) {
        const length = this.#received.length < 2 ? Infinity : this.#received.readUInt16BE(0);
        if (this.#received.length >= 2 + length) {
          const message = this.#received.subarray(2, 2 + length);
          this.#received = this.#received.subarray(2 + length);
          return message;
        }
        if (this.#closed) throw new Error('the connection was closed');
        await once(this.#events, 'change');
      }
      throw new Error(`no message within ${deadlineMs} ms`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }
}
