import { TunnelError } from '../src/index.ts';
import { TUNNEL_LIMITS } from '../src/limits.ts';
import type { Stream } from '../src/stream/stream.ts';
import { MuxStream } from '../src/transport/mux/mux-stream.ts';

/** Settings of {@link streamPair}. */
export interface StreamPairOptions {
  /** Default `kubelet`. */
  readonly kind?: string;
  /** What each end may send ahead of the other's reader. Default: as in the tunnel. */
  readonly windowBytes?: number;
}

/** Largest piece that travels at a time, as in the tunnel. */
const PIECE_BYTES = 16 * 1024;

/**
 * Both ends of one stream, without a connection: those of the multiplexer with nothing in between, so that windows,
 * ends and resets are as they are in a tunnel.
 */
export function streamPair(options: StreamPairOptions = {}): { near: Stream; far: Stream; lose: () => void } {
  const { kind = 'kubelet', windowBytes = TUNNEL_LIMITS.streamWindowBytes.default } = options;
  const near: MuxStream = end(1, () => far);
  const far: MuxStream = end(1, () => near);
  /** Ends both as the loss of the connection does. */
  const lose = (): void => {
    const error = new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the test cut the connection');
    near.fail(error);
    far.fail(error);
  };
  return { near, far, lose };

  function end(id: number, other: () => MuxStream): MuxStream {
    return new MuxStream(
      {
        streamReady: (stream) => setImmediate(() => carry(stream, other())),
        grantWindow: (_stream, credit) => {
          other().addCredit(credit);
          setImmediate(() => carry(other(), near === other() ? far : near));
        },
        streamReset: (stream) =>
          other().fail(new TunnelError('ERR_TUNNEL_STREAM_RESET', `the peer reset stream ${stream.id}`)),
        streamDone: () => {},
      },
      id,
      kind,
      windowBytes,
    );
  }
}

function carry(from: MuxStream, to: MuxStream): void {
  while (from.isSendable()) {
    const piece = from.takeData(PIECE_BYTES);
    if (piece !== undefined) {
      to.receive(piece);
      continue;
    }
    from.markEndSent();
    to.receiveEnd();
  }
}
