/** Counters of one connection. Bytes are those of streams and frames, before TLS. */
export class ConnectionStats {
  bytesSent = 0;
  bytesReceived = 0;
  streamsOpened = 0;
  streamsAccepted = 0;
  streamsReset = 0;
  /** Streams open now. */
  openStreams = 0;
  /** Bytes handed to the socket and not yet written by it. */
  sendQueueBytes = 0;
  /** Monotonic time of the last bytes from the peer, milliseconds. */
  lastReceivedMs: number;
  /** Monotonic time of the last bytes to the peer, milliseconds. */
  lastSentMs: number;

  constructor(nowMs: number) {
    this.lastReceivedMs = nowMs;
    this.lastSentMs = nowMs;
  }
}
