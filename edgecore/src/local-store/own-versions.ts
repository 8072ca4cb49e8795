import { versionOf } from './content-entry.ts';

/** Versions of a node's own are above this; those of an API server stay far below. */
const OWN_VERSIONS = 1e15;
/** So many changes a millisecond do not reach into what a restart begins with. */
const VERSIONS_PER_MS = 1000;

/**
 * The version that something of this node's own begins with: above those of before a restart, as far as time does not go
 * back.
 * @param wallMs milliseconds since the epoch
 */
export function firstOwnVersion(wallMs: number): number {
  return Math.max(OWN_VERSIONS, Math.floor(wallMs * VERSIONS_PER_MS));
}

/** Whether a version is one of a node's own. */
export function isOwnVersion(version: number): boolean {
  return version >= OWN_VERSIONS;
}

/**
 * Whether a resourceVersion is one of a node's own. An API server has none of these, and would wait for it: a list or
 * watch that goes on there has to begin anew (410).
 */
export function isNodeVersion(resourceVersion: string): boolean {
  return isOwnVersion(versionOf(resourceVersion));
}
