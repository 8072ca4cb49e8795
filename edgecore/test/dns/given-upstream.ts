import { createSocket, type Socket } from 'node:dgram';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { decode, encode, type Answer, type DecodedPacket } from 'dns-packet';

/** How a {@link GivenUpstream} answers: what goes into its answer; undefined: nothing at all. */
export type UpstreamAnswer =
  | {
      readonly rcode?: number;
      readonly flags?: number;
      readonly answers?: readonly Answer[];
      readonly authorities?: readonly Answer[];
      /** Sent before the answer, as it is. */
      readonly before?: readonly Uint8Array[];
    }
  | undefined;

/** Decides upon a question. */
export type UpstreamHandler = (packet: DecodedPacket, way: 'udp' | 'tcp') => UpstreamAnswer;

/** Another DNS server, over UDP and TCP. */
export class GivenUpstream {
  readonly asked: { readonly name: string; readonly type: string; readonly way: 'udp' | 'tcp' }[] = [];
  handler: UpstreamHandler;
  readonly #udp: Socket;
  readonly #tcp: Server;
  #closed = false;

  constructor(handler: UpstreamHandler) {
    this.handler = handler;
    this.#udp = createSocket('udp4');
    this.#udp.on('message', (message, from) => {
      for (const reply of this.#answer(message, 'udp')) this.#udp.send(reply, from.port, from.address);
    });
    this.#tcp = createServer((socket) => {
      let received = Buffer.alloc(0);
      socket.on('error', () => {}); // whoever asked has gone
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        for (const reply of this.#answer(received.subarray(2), 'tcp')) {
          socket.write(Buffer.concat([Buffer.of(reply.length >> 8, reply.length & 0xff), reply]));
        }
      });
    });
  }

  /** Opens both; answers the port. @param port default: any that is free for both */
  async open(host = '127.0.0.1', port = 0): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once('error', reject);
      this.#tcp.listen(port, host, resolve);
    });
    const own = (this.#tcp.address() as AddressInfo).port;
    await new Promise<void>((resolve, reject) => {
      this.#udp.once('error', reject);
      this.#udp.bind(own, host, resolve);
    });
    return own;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
  }

  #answer(message: Buffer, way: 'udp' | 'tcp'): readonly Uint8Array[] {
    const packet = decode(message);
    const [question] = packet.questions ?? [];
    if (question === undefined) return [];
    if (question.name !== '.') this.asked.push({ name: question.name, type: question.type, way });
    const answer = this.handler(packet, way);
    if (answer === undefined) return [];
    const { rcode = 0, flags = 0, answers = [], authorities = [], before = [] } = answer;
    const reply = encode({
      type: 'response',
      id: packet.id ?? 0,
      flags: 0x0180 | flags | rcode,
      questions: [question],
      answers: [...answers],
      authorities: [...authorities],
    });
    return [...before, reply];
  }
}

/** An address record. */
export function address(name: string, data: string, ttl = 60): Answer {
  return { type: 'A', name, ttl, class: 'IN', data };
}

/** What says for how long there is nothing. */
export function startOfAuthority(name: string, minimum: number, ttl = 3600): Answer {
  const data = {
    mname: `ns.${name}`,
    rname: `host.${name}`,
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum,
  };
  return { type: 'SOA', name, ttl, class: 'IN', data };
}
