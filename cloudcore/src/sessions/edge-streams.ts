import type { Stream, Tunnel } from '@hawser/proto';
import type { Logger } from '@hawser/seams';

/** Takes a stream that an edge has opened; it is its own to end. Must not throw. */
export type EdgeStreamHandler = (stream: Stream) => void;

/** Gives each stream that the edge opens to the handler of its kind, and resets the others. Ends with the session. */
export async function serveEdgeStreams(
  tunnel: Pick<Tunnel, 'acceptStream'>,
  handlers: ReadonlyMap<string, EdgeStreamHandler>,
  log: Logger,
): Promise<void> {
  for (let stream = await tunnel.acceptStream(); stream !== undefined; stream = await tunnel.acceptStream()) {
    const { kind, id } = stream;
    const handler = handlers.get(kind);
    if (handler !== undefined) {
      handler(stream);
    } else {
      log.debug({ kind, stream: id }, 'a stream of a kind that is not served here is refused');
      stream.reset();
    }
  }
}
