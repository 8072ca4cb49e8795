import { STREAM_KINDS, StreamDuplex, TunnelError, type Stream, type Tunnel } from '@hawser/proto';
import type { Clock } from '@hawser/seams';
import { KubeletRefusal } from './refusal.ts';

/** How a stream to the kubelet API of a node is opened. */
export interface EdgeStreamOptions {
  /** Gives up opening; the stream is the caller's once it is there. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Bytes that went to the edge, or came from there. */
  readonly onBytes: (direction: 'to-edge' | 'from-edge', count: number) => void;
}

/**
 * Opens a stream to the kubelet API of the tunnel's node, on the bulk connection: what goes over it holds up no
 * heartbeat.
 * @throws KubeletRefusal 503 where the session has ended, 502 where no stream could be had; `signal.reason`
 */
export async function openEdgeStream(tunnel: Tunnel, options: EdgeStreamOptions): Promise<StreamDuplex> {
  const { signal, clock, onBytes } = options;
  const { node } = tunnel.info;
  try {
    const stream = await tunnel.openStream(STREAM_KINDS.kubelet, { priority: 'bulk', signal });
    const duplex = new StreamDuplex(counted(stream, onBytes), { clock });
    // Whoever uses it hears of its errors; afterwards nobody may be there, and an error must not end the process.
    duplex.on('error', () => {});
    return duplex;
  } catch (cause) {
    signal.throwIfAborted();
    if (isLost(cause)) throw noSession(node, { cause });
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `node ${node}: no stream to it could be opened: ${why}. Its session is up: try again`;
    throw new KubeletRefusal(502, 'edge', text, { cause });
  }
}

/** Nobody to pass it on to. */
export function noSession(node: string, options?: ErrorOptions): KubeletRefusal {
  const text =
    `node ${node} has no session with this hub: it is switched off, cut off, or connected to another replica since ` +
    `a moment ago. See \`hawser node show ${node}\`, and try again when it is back`;
  return new KubeletRefusal(503, 'no-session', text, options);
}

/** Whether an error of a stream means that its connection has gone, and not that the edge gave the stream up. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof TunnelError &&
    (error.code === 'ERR_TUNNEL_CONNECTION_LOST' || error.code === 'ERR_TUNNEL_CLOSED')
  );
}

/** The stream, with its bytes counted as they pass. */
export function counted(stream: Stream, onBytes: EdgeStreamOptions['onBytes']): Stream {
  return {
    id: stream.id,
    kind: stream.kind,
    closed: stream.closed,
    async read(options) {
      const chunk = await stream.read(options);
      if (chunk !== undefined) onBytes('from-edge', chunk.length);
      return chunk;
    },
    write(data, options) {
      onBytes('to-edge', data.length);
      return stream.write(data, options);
    },
    end: () => stream.end(),
    reset: () => stream.reset(),
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
  };
}
