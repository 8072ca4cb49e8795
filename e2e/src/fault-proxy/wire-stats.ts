/** What passed of one protocol, counted when it was put on the wire. */
export interface Traffic {
  /** Bytes of payload. */
  payloadBytes: number;
  /** Packets, as many as an MTU of 1500 would have made of it. */
  packets: number;
}

/** Datagrams that did not arrive, by reason. */
export interface Drops {
  /** The queue was full. */
  overflow: number;
  /** Lost by chance (`loss`). */
  loss: number;
  /** The link was cut or a black hole. */
  blocked: number;
}

/** Counters of one direction of a link since its beginning. */
export interface WireStats {
  readonly tcp: Traffic;
  readonly udp: Traffic;
  /** Bytes at IP level of both, headers included. */
  wireBytes: number;
  readonly dropped: Drops;
  /** Datagrams that were sent twice. */
  duplicated: number;
  /** Datagrams that were held back so that others overtake. */
  reordered: number;
  /** Most bytes that ever waited for bandwidth. */
  queueHighWaterBytes: number;
  /** Most bytes that were ever in the queue and on the way. */
  inFlightHighWaterBytes: number;
}

/** Counters at zero. */
export function emptyWireStats(): WireStats {
  return {
    tcp: { payloadBytes: 0, packets: 0 },
    udp: { payloadBytes: 0, packets: 0 },
    wireBytes: 0,
    dropped: { overflow: 0, loss: 0, blocked: 0 },
    duplicated: 0,
    reordered: 0,
    queueHighWaterBytes: 0,
    inFlightHighWaterBytes: 0,
  };
}
