import type { Content, ContentHash } from '../content/content.ts';

/** What travels of a content: all of it, or how to make it from what the edge has. Both are packed. */
export type EncodedChange =
  { readonly full: Uint8Array } | { readonly delta: Uint8Array; readonly base: ContentHash };

/** Turns contents into what travels. */
export interface ChangeEncoder {
  /**
   * The smallest form in which `target` gets to an edge that has the content `edgeHas` (undefined: nothing). The
   * answer comes at once where it is kept or quick to make, as a promise where a thread makes it.
   * @throws SyncError `ERR_SYNC_BUSY` (as a rejection) when too many are waiting already: try again in a moment.
   *   Nothing else: what cannot be made smaller travels as it is.
   */
  encode(target: Content, edgeHas?: ContentHash): EncodedChange | Promise<EncodedChange>;
}
