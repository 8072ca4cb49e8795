import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { withCrc } from './crc.ts';
import type { Wire } from './wire.ts';
import { LinkDown } from './words.ts';

/** Transaction, protocol, length (Modbus Messaging on TCP/IP 1.0b, 3.1.3). */
const HEADER_BYTES = 6;
/** Unit and at most 253 bytes. */
const MAX_LENGTH = 254;
const MIN_LENGTH = 3;
const CRC_BYTES = 2;

/** Requests over a TCP connection. Only the answer with the transaction of the last request gets through. */
export class TcpWire extends EventEmitter implements Wire {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #transaction = 0;
  #waiting = false;
  #isOpen = true;
  #trouble: string | undefined;

  /** @param socket connected; the wire owns it from now on */
  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  /** Begins to listen. Once, before anything else. */
  attach(): this {
    const socket = this.#socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', (error) => this.#down(`the connection broke: ${error.message}`));
    socket.on('end', () => this.#down('the device closed the connection'));
    socket.on('close', () => this.#down('the connection was closed'));
    return this;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  open(callback: (error?: Error | null) => void): void {
    callback();
  }

  close(callback: () => void): void {
    this.destroy();
    callback();
  }

  destroy(): void {
    this.#down('the connection was closed');
  }

  prepare(): Promise<void> {
    return Promise.resolve(); // transactions tell answers apart
  }

  write(frame: Buffer): void {
    this.#transaction = (this.#transaction + 1) & 0xffff;
    this.#waiting = true;
    this.#trouble = undefined;
    const payload = frame.subarray(0, -CRC_BYTES);
    const message = Buffer.alloc(HEADER_BYTES + payload.length);
    message.writeUInt16BE(this.#transaction, 0);
    message.writeUInt16BE(payload.length, 4);
    message.set(payload, HEADER_BYTES);
    this.#socket.write(message);
  }

  abandon(): void {
    this.#waiting = false;
  }

  transferMs(): number {
    return 0;
  }

  #receive(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= HEADER_BYTES) {
      const length = this.#received.readUInt16BE(4);
      if (this.#received.readUInt16BE(2) !== 0 || length < MIN_LENGTH || length > MAX_LENGTH) {
        // Where a frame begins cannot be found out any more.
        this.#down('what the device sent is not Modbus TCP');
        return;
      }
      const end = HEADER_BYTES + length;
      if (this.#received.length < end) return;
      const transaction = this.#received.readUInt16BE(0);
      const payload = this.#received.subarray(HEADER_BYTES, end);
      this.#received = this.#received.subarray(end);
      this.#deliver(transaction, payload);
    }
  }

  #deliver(transaction: number, payload: Buffer): void {
    if (!this.#waiting) return;
    if (transaction !== this.#transaction) {
      this.#trouble = 'an answer to another request came';
      return;
    }
    this.#waiting = false;
    this.emit('data', withCrc(payload));
  }

  #down(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#received = Buffer.alloc(0);
    this.#socket.destroy();
    this.emit('down', new LinkDown(reason));
  }
}
