import type { Duplex } from 'node:stream';
import { dataFrame, HeaderBlocks, HeaderReader, pingFrame, SpdyFrames, synReplyFrame } from '@hawser/kube';

/** What is told of the streams of a connection. */
export interface SpdyListener {
  /** The client has opened one; `name` says which headers it has. */
  onOpen(stream: number, headers: ReadonlyMap<string, string>): void;
  /** Resolves when more may come. */
  onData(stream: number, bytes: Buffer): Promise<void> | void;
  /** No more comes on it. */
  onEnd(stream: number): void;
  /** The connection has ended. Called once. */
  onClose(): void;
}

/** Clients send 32 KiB at most. */
const MAX_FRAME_BYTES = 1024 * 1024;
const MAX_STREAMS = 256;

/**
 * The server's side of a connection of SPDY/3.1, as far as clients of Kubernetes use it: they open streams, and both
 * sides write. Windows are not kept, as they are not by the other programs that speak it here.
 */
export class SpdyConnection {
  readonly #socket: Duplex;
  readonly #listener: SpdyListener;
  readonly #frames = new SpdyFrames(MAX_FRAME_BYTES);
  readonly #reader = new HeaderReader();
  readonly #blocks = new HeaderBlocks();
  readonly #open = new Set<number>();

  constructor(socket: Duplex, listener: SpdyListener) {
    this.#socket = socket;
    this.#listener = listener;
  }

  /** @param head what came with the upgrade */
  start(head: Buffer): void {
    this.#socket.on('close', () => {
      this.#reader.close();
      this.#listener.onClose();
    });
    if (head.length > 0) this.#socket.unshift(head);
    void this.#read();
  }

  /** Resolves when there is room for more. */
  write(stream: number, bytes: Uint8Array, isLast = false): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#socket.writable) reject(new Error('the connection has ended'));
      else
        this.#socket.write(dataFrame(stream, bytes, isLast), (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the connection once all was sent. */
  end(): void {
    this.#socket.end();
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#socket as AsyncIterable<Buffer>)
        for (const frame of this.#frames.push(chunk)) {
          switch (frame.kind) {
            case 'open':
              await this.#opened(frame.stream, frame.headers);
              if (frame.isLast) this.#listener.onEnd(frame.stream);
              break;
            case 'data':
              if (frame.bytes.length > 0) await this.#listener.onData(frame.stream, frame.bytes);
              if (frame.isLast) this.#listener.onEnd(frame.stream);
              break;
            case 'reset':
              this.#listener.onEnd(frame.stream);
              break;
            case 'ping':
              this.#socket.write(pingFrame(frame.id));
              break;
            case 'go-away':
            case 'other':
          }
        }
    } catch {
      this.#socket.destroy(); // it speaks something else, or is gone
    }
  }

  async #opened(stream: number, block: Buffer): Promise<void> {
    const headers = await this.#reader.read(block);
    this.#open.add(stream);
    if (this.#open.size > MAX_STREAMS) throw new RangeError('too many streams');
    this.#socket.write(synReplyFrame(stream, this.#blocks.next({})));
    this.#listener.onOpen(stream, headers);
  }
}
