import { TunnelError } from '../errors.ts';

const KIND = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** Checks the kind of a stream. @throws TunnelError `ERR_TUNNEL_BAD_FRAME` */
export function checkStreamKind(kind: string): void {
  if (KIND.test(kind)) return;
  throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `not a stream kind: ${JSON.stringify(kind.slice(0, 80))}`);
}
