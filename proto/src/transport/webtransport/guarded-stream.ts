import type { Http2Stream } from 'node:http2';
import { messageOf, TunnelError } from '../../errors.ts';
import { CapsuleGuard } from './capsule-guard.ts';

/**
 * Puts a guard between an HTTP/2 stream and the library, before the library gets it: what the peer sends is checked, and
 * nothing that a listener of the library throws reaches the process. Either ends this session only.
 *
 * @param stream of which the library shall see no more than a well-behaved peer's
 * @param onViolation called once, with what the peer did; nothing of it is read any more
 */
export function guardStream(stream: Http2Stream, onViolation: (error: TunnelError) => void): void {
  const capsules = new CapsuleGuard();
  const [on, read] = [stream.on.bind(stream), stream.read.bind(stream)];
  let broken = false;
  const guarded =
    (listener: (...args: unknown[]) => void) =>
    (...args: unknown[]): void => {
      if (broken) return;
      try {
        listener(...args);
      } catch (error) {
        broken = true;
        stream.resume(); // and dropped
        onViolation(error instanceof TunnelError ? error : violation(error));
      }
    };
  Object.assign(stream, {
    on: (event: string, listener: (...args: unknown[]) => void) => {
      // Its end is its own business, however it came.
      on(event, event === 'readable' ? guarded(listener) : caught(listener));
      return stream;
    },
    read: (size?: number) => {
      const data: unknown = read(size);
      if (data instanceof Uint8Array) capsules.check(data);
      return data;
    },
  });
}

/** What the library makes of the end of a stream that it does not expect concerns nobody. */
function caught(listener: (...args: unknown[]) => void) {
  return (...args: unknown[]): void => {
    try {
      listener(...args);
    } catch {
      // The session is over, which its own events tell.
    }
  };
}

function violation(error: unknown): TunnelError {
  const message = `the library cannot go on: ${messageOf(error)}`;
  return new TunnelError('ERR_TUNNEL_BAD_FRAME', message, { cause: error });
}
