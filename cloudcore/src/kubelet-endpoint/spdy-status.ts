/** Source: SPDY Protocol, draft 3.1, section 2.2. */
const HEAD_BYTES = 8;
const CONTROL_BIT = 0x80;
const FIN = 0x01;
/** Runtimes send 32 KiB at most; longer ones are passed on as they come. */
const MAX_HELD_BYTES = 256 * 1024;
/** The stream of a command's status is the first that is opened. Source: client-go, remotecommand/v2.go createStreams. */
const STATUS_STREAM = 1;

/**
 * Watches what a runtime says over SPDY to whoever runs a command, so that something can be said in its place: a
 * connection that only ends means to a client of `v4.channel.k8s.io` that the command has succeeded, and kubectl would
 * exit with 0. Frames are passed on whole, and nothing of them is changed. Source: client-go, remotecommand/v4.go.
 */
export class SpdyStatus {
  /** The beginning of a frame, in the pieces that it came in. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** With so many bytes there is something to be passed on, or to be learnt. */
  #wanted = HEAD_BYTES;
  /** Of a frame that is too long to be held: what is still to come. */
  #passing = 0;
  #isSaid = false;

  /** Whether the runtime has said how the command went. */
  get isSaid(): boolean {
    return this.#isSaid;
  }

  /** @returns what is to be passed on now */
  feed(chunk: Buffer): Buffer {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#wanted && this.#passing === 0) return Buffer.alloc(0);
    const bytes = this.#held.length === 1 ? chunk : Buffer.concat(this.#held);
    const at = this.#end(bytes);
    const rest = bytes.subarray(at);
    this.#held = rest.length === 0 ? [] : [Buffer.from(rest)];
    this.#heldBytes = rest.length;
    return bytes.subarray(0, at);
  }

  /** Where the last frame that can be passed on ends. */
  #end(bytes: Buffer): number {
    let at = Math.min(this.#passing, bytes.length);
    this.#passing -= at;
    this.#wanted = HEAD_BYTES;
    while (this.#passing === 0 && bytes.length - at >= HEAD_BYTES) {
      const length = HEAD_BYTES + (bytes.readUInt32BE(at + 4) & 0xff_ffff);
      const there = Math.min(length, bytes.length - at);
      if (there < length && length <= MAX_HELD_BYTES) {
        this.#wanted = length;
        break;
      }
      this.#see(bytes, at);
      this.#passing = length - there;
      at += there;
    }
    return at;
  }

  /**
   * What to say last in place of the runtime; empty where it has said itself how the command went, or was cut off in
   * the middle of a frame that was too long.
   */
  failure(message: string): Buffer {
    if (this.#isSaid || this.#passing > 0) return Buffer.alloc(0);
    this.#isSaid = true;
    // Source: apimachinery, meta/v1 Status.
    const status = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 };
    const body = Buffer.from(JSON.stringify(status));
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32BE(STATUS_STREAM, 0);
    head.writeUInt32BE(body.length, 4);
    head[4] = FIN;
    return Buffer.concat([head, body]);
  }

  /** Bytes on the stream of the status, or its end, say how the command went. */
  #see(bytes: Buffer, at: number): void {
    if (((bytes[at] ?? 0) & CONTROL_BIT) !== 0) return;
    if (bytes.readUInt32BE(at) === STATUS_STREAM) this.#isSaid = true;
  }
}
