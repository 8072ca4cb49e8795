import { performance } from 'node:perf_hooks';

/**
 * How long this process was busy, so that what it missed meanwhile is not held against others: milliseconds that its
 * event loop did not spend waiting, since some time in the past. Includes the time in which the machine gave the
 * processor to somebody else.
 */
export type OwnLoad = () => number;

/** Of this process. */
export const processLoad: OwnLoad = () => performance.eventLoopUtilization().active;
