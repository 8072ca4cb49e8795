import { scaled } from '@hawser/seams/testing';
import { poolSlice } from '../../src/index.ts';

/** Seconds between heartbeats: all times of pools go with it. */
export const HEARTBEAT_SECONDS = scaled(1, 5);
/** What a busy machine may need beside, milliseconds. */
const NOISE_MS = scaled(4_000, 1_000);

/** A time of docs/pool.md, as long as it is here, milliseconds. */
export function poolTime(seconds: number): number {
  return (seconds * 1000 * HEARTBEAT_SECONDS) / 5;
}

/** A bound that is so many seconds with heartbeats of 5 s. */
export function within(seconds: number): number {
  return poolTime(seconds) + NOISE_MS;
}

/** Configuration of the hub of these tests. */
export const POOL_HUB = { pools: { heartbeatSeconds: HEARTBEAT_SECONDS } } as const;

/** The slices that a site begins with. */
export const POOL_SERVICES = { slices: Array.from({ length: 20 }, (_, index) => poolSlice(index)) } as const;
