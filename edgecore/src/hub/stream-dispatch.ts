import type { Stream, Tunnel } from '@hawser/proto';
import type { Logger } from '@hawser/seams';

/** Takes a stream that the hub has opened; it is the handler's to end. Must not throw. */
export type StreamHandler = (stream: Stream) => void;

/** What {@link dispatchStreams} goes by. */
export interface StreamDispatch {
  /** By kind of the stream. */
  readonly handlers: ReadonlyMap<string, StreamHandler>;
  /** Resolves once it is known whether this hub may ask for anything; rejects where the session ends before. */
  readonly begun: Promise<void>;
  /** Whether streams are taken now: not those of a cluster that is held, nor of a session that is not the present one. */
  readonly isTrusted: () => boolean;
  readonly log: Logger;
}

/** Gives each stream of a session to the handler of its kind, and resets the others. Ends with the session. */
export async function dispatchStreams(
  tunnel: Pick<Tunnel, 'acceptStream'>,
  { handlers, begun, isTrusted, log }: StreamDispatch,
): Promise<void> {
  const known = begun.catch(() => {}); // the session ends, and with it its streams
  for (let stream = await tunnel.acceptStream(); stream !== undefined; stream = await tunnel.acceptStream()) {
    await known;
    const { kind, id } = stream;
    const handler = handlers.get(kind);
    if (!isTrusted()) {
      log.warn({ kind, stream: id }, 'a stream of a hub that is not accepted is refused');
      stream.reset();
    } else if (handler === undefined) {
      log.warn({ kind, stream: id }, 'a stream of a kind that this release does not know is refused');
      stream.reset();
    } else {
      handler(stream);
    }
  }
}
