import { decodeFrame, encodeFrame, type Frame, type OutgoingFrame } from '../codec/codec.ts';
import { messageOf, TunnelError } from '../errors.ts';
import { frameMessage, MessageStream } from '../stream/message-stream.ts';
import type { Stream } from '../stream/stream.ts';

/** A frame ready to be sent, made once for any number of sessions. */
export function frameBytes(frame: OutgoingFrame): Buffer {
  return frameMessage(encodeFrame(frame));
}

/** A frame whose body this release knows. */
export type KnownFrame = Exclude<Frame, { readonly body?: never }>;

/** Session frames over the session stream. */
export class FrameStream {
  readonly #messages: MessageStream;
  /** Longest frame that the peer accepts, bytes. */
  peerMaxFrameBytes: number;

  constructor(stream: Stream, limits: { maxFrameBytes: number; peerMaxFrameBytes: number }) {
    this.#messages = new MessageStream(stream, limits.maxFrameBytes);
    this.peerMaxFrameBytes = limits.peerMaxFrameBytes;
  }

  /** Longest frame accepted from the peer, bytes. */
  set maxFrameBytes(bytes: number) {
    this.#messages.maxBytes = bytes;
  }

  /** Sends a frame. @throws TunnelError `ERR_TUNNEL_LIMIT` if the peer would refuse its size; the stream's errors */
  send(frame: OutgoingFrame): Promise<void> {
    return this.sendBytes(frameBytes(frame));
  }

  /** Sends what {@link frameBytes} made. Errors as {@link send}. */
  sendBytes(bytes: Buffer): Promise<void> {
    if (bytes.length > this.peerMaxFrameBytes) {
      const message = `frame of ${bytes.length} bytes, the peer accepts ${this.peerMaxFrameBytes}`;
      return Promise.reject(new TunnelError('ERR_TUNNEL_LIMIT', message));
    }
    return this.#messages.sendFramed(bytes);
  }

  /**
   * The next frame that this release knows, or undefined at the end of the stream. Unknown ignorable ones are
   * passed over.
   * @throws TunnelError `ERR_TUNNEL_BAD_FRAME`, `ERR_TUNNEL_UNKNOWN_FRAME`, `ERR_TUNNEL_LIMIT`; the stream's errors
   */
  async receive(): Promise<KnownFrame | undefined> {
    while (true) {
      const message = await this.#messages.receive();
      if (message === undefined) return undefined;
      const frame = decode(message);
      if (frame.body !== undefined) return frame;
      if (!frame.ignorable)
        throw new TunnelError('ERR_TUNNEL_UNKNOWN_FRAME', 'session frame with an unknown body');
    }
  }

  /** Ends the sending direction after what was sent. */
  end(): Promise<void> {
    return this.#messages.stream.end();
  }
}

function decode(message: Uint8Array): Frame {
  try {
    return decodeFrame(message);
  } catch (error) {
    throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `unreadable session frame: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
