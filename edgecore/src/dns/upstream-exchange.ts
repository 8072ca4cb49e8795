import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createConnection, isIPv6 } from 'node:net';
import type { Clock } from '@hawser/seams';
import type { Question } from './query.ts';
import { HEADER_BYTES } from './record-walk.ts';

/** How one server is asked. */
export interface Exchange {
  readonly server: string;
  readonly port: number;
  readonly question: Question;
  /** Makes a query with an id. */
  readonly query: (id: number) => Buffer;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** A server did not answer in time. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Answers to something else that may come before we go over to TCP, where nobody can make them up. Source: RFC 5452 §9.3. */
const MAX_WRONG = 8;

/**
 * Asks over UDP: a socket of its own for each question, so that its port, by chance, has to be guessed as well as the
 * id (RFC 5452). What does not fit both and the question is not looked at.
 * @returns undefined: there is more than fits, or somebody guesses; to be asked over TCP
 */
export function askUdp(exchange: Exchange): Promise<Buffer | undefined> {
  const { server, port, question, query, timeoutMs, clock, signal } = exchange;
  return new Promise((resolve, reject) => {
    const id = randomInt(0x1_0000);
    const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    let wrong = 0;
    const end = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('message');
      socket.close();
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason as Error));
    const timer = clock.setTimer(timeoutMs, () =>
      end(() => reject(new NoAnswer(`${server} does not answer`))),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => {
      end(() => reject(error));
      socket.on('error', () => {}); // it is closed: what comes late is of no interest
    });
    socket.on('message', (message) => {
      if (isAnswerTo(message, id, question)) {
        const isCut = (message.readUInt16BE(2) & 0x0200) !== 0;
        end(() => resolve(isCut ? undefined : message));
      } else if (++wrong >= MAX_WRONG) {
        end(() => resolve(undefined));
      }
    });
    // Connected, the kernel drops what others send, and tells us when there is nobody.
    socket.connect(port, server, () => socket.send(query(id)));
  });
}

/** Asks over TCP. @throws NoAnswer; what the system says; `signal.reason` */
export function askTcp(exchange: Exchange): Promise<Buffer> {
  const { server, port, question, query, timeoutMs, clock, signal } = exchange;
  return new Promise((resolve, reject) => {
    const id = randomInt(0x1_0000);
    const socket = createConnection({ host: server, port });
    let received = Buffer.alloc(0);
    const end = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason as Error));
    const timer = clock.setTimer(timeoutMs, () =>
      end(() => reject(new NoAnswer(`${server} does not answer over TCP`))),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('close', () => end(() => reject(new NoAnswer(`${server} hung up`))));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      if (isAnswerTo(message, id, question)) end(() => resolve(Buffer.from(message)));
      else end(() => reject(new NoAnswer(`${server} answers something else`)));
    });
    socket.on('connect', () => {
      const bytes = query(id);
      socket.write(Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]));
    });
  });
}

/** Whether a message answers what was asked: its id, its question, letters in either case. */
function isAnswerTo(message: Buffer, id: number, { bytes }: Question): boolean {
  const end = HEADER_BYTES + bytes.length;
  if (message.length < end || message.readUInt16BE(0) !== id || message.readUInt16BE(4) !== 1) return false;
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) === 0 || (flags & 0x7800) !== 0) return false;
  const lower = (part: Buffer): string => part.toString('latin1').toLowerCase();
  return lower(message.subarray(HEADER_BYTES, end)) === lower(bytes);
}
