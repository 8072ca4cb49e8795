import { TunnelError } from '../../errors.ts';
import { frameMessage, type MessageStream } from '../../stream/message-stream.ts';
import type { Carrier, CarrierEvents } from '../mux/carrier.ts';
import { MAX_MESSAGE_BYTES } from '../mux/frame-sender.ts';
import { badFrame } from '../mux/mux-frame.ts';
import type { SessionPipe } from './session-pipe.ts';

/** First byte of a message that is no frames: a ping, or the answer to one, with the bytes to be sent back. */
const PING = 0x40;
const PONG = 0x41;
/** Longest ping, bytes, as in a WebSocket (RFC 6455, section 5.5). */
const MAX_PING_BYTES = 125;

/** A WebTransport session as a {@link Carrier}: messages have their length before them, pings are messages. */
export class WebTransportCarrier implements Carrier {
  readonly transport = 'webtransport';
  readonly #messages: MessageStream<SessionPipe>;
  #closed = false;
  /** Resolves when the last message has left. */
  #sent: Promise<void> = Promise.resolve();

  /** @param messages after the introduction; what came behind it is read first */
  constructor(messages: MessageStream<SessionPipe>) {
    this.#messages = messages;
  }

  get isOpen(): boolean {
    return this.#pipe.isOpen;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  start(events: CarrierEvents): void {
    this.#messages.maxBytes = MAX_MESSAGE_BYTES;
    this.#pipe.onBytes = () => events.onBytes();
    this.#pipe.onClose(() => {
      this.#closed = true;
      this.terminate(); // HTTP/2 would outlive its stream
      events.onClosed('the WebTransport session was closed');
    });
    this.#pipe.onEnd(() => this.terminate());
    void this.#receive(events);
  }

  send(message: Buffer, written: () => void): void {
    // A write that fails is one that the end of the session overtook.
    this.#sent = this.#messages.sendFramed(frameMessage(message)).then(written, () => {});
  }

  ping(): void {
    this.send(Buffer.of(PING), () => {});
  }

  pong(data: Buffer, sent: () => void): void {
    this.send(Buffer.concat([Buffer.of(PONG), data]), sent);
  }

  /** What is written in one turn leaves together anyway. */
  cork(): void {}

  uncork(): void {}

  close(): void {
    void this.#sent.then(() => this.#pipe.end());
  }

  terminate(): void {
    this.#pipe.destroy();
  }

  get #pipe(): SessionPipe {
    return this.#messages.stream;
  }

  async #receive(events: CarrierEvents): Promise<void> {
    try {
      for (
        let message = await this.#messages.receive();
        message !== undefined;
        message = await this.#messages.receive()
      )
        deliver(events, Buffer.from(message.buffer, message.byteOffset, message.length));
    } catch (error) {
      const isEnd = error instanceof TunnelError && error.code === 'ERR_TUNNEL_CONNECTION_LOST';
      if (isEnd) this.terminate();
      else events.onViolation(error instanceof TunnelError ? error : badFrame(String(error)));
    }
  }
}

function deliver(events: CarrierEvents, message: Buffer): void {
  const data = message.subarray(1);
  switch (message[0]) {
    case PING:
      if (data.length > MAX_PING_BYTES) throw badFrame(`a ping of ${data.length} bytes`);
      events.onPing(data);
      return;
    case PONG:
      events.onPong();
      return;
    default:
      events.onMessage(message);
  }
}
