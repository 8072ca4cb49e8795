import { TunnelError } from '@hawser/proto';
import type { PoolHub } from '../edge-pool-types.ts';

/** Stands for the session of an edge that has no hub. */
export const NO_HUB: PoolHub = {
  usable: false,
  heardMs: -Infinity,
  life: undefined,
  follow: () => undefined,
  ping: () => Promise.reject(noHub()),
  openStream: () => Promise.reject(noHub()),
};

function noHub(): TunnelError {
  return new TunnelError('ERR_TUNNEL_CLOSED', 'no hub is configured');
}
