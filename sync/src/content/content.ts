/** SHA-256 of a content's canonical bytes, first 16 bytes, as 32 lower-case hex digits. */
export type ContentHash = string;

/**
 * Names an object in a scope: `resource/namespace/name`, the namespace empty for cluster-scoped ones. The resource
 * is the plural with its group, as `kubectl api-resources` names it: `pods`, `devices.devices.kubeedge.io`.
 * Made by `formatKey`.
 */
export type ContentKey = string;

/** An object as it travels: canonical JSON, and what identifies it. Made by `contentOf`. */
export interface Content {
  readonly key: ContentKey;
  readonly hash: ContentHash;
  /** Hash of the same object in the previous normal form, where this release knows one. */
  readonly previousHash?: ContentHash;
  /** The object's resourceVersion, for readers. No part of its identity. */
  readonly version: string;
  /** Canonical JSON in the normal form of this release, UTF-8. */
  readonly bytes: Uint8Array;
  /** The bytes as `pack` packs them, where whoever keeps the content keeps it so. */
  readonly packed?: Uint8Array | undefined;
}
