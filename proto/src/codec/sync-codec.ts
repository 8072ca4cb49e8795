import './numbers.ts';
import { hawser } from '#codec';
import type { Decoded, Encodable, EncodableBody, OneBody } from './message-types.ts';

const schema = hawser.sync.v1;

/** `Subscribe.state`. */
export type ScopeState = Decoded<hawser.sync.v1.ScopeState.$Properties>;
export type InSync = Decoded<hawser.sync.v1.InSync.$Properties>;
export type AskInventory = Decoded<hawser.sync.v1.AskInventory.$Properties>;
export type ConfirmRemovals = Decoded<hawser.sync.v1.ConfirmRemovals.$Properties>;
export type BucketDigests = Decoded<hawser.sync.v1.BucketDigests.$Properties>;
export type Entries = Decoded<hawser.sync.v1.Entries.$Properties>;
export type WantFull = Decoded<hawser.sync.v1.WantFull.$Properties>;
export type Held = Decoded<hawser.sync.v1.Held.$Properties>;

/** What a change is about, whatever it is. Hashes have 16 bytes where they are set, none where they are not. */
interface ChangeHead {
  /** `resource/namespace/name`. */
  readonly key: string;
  readonly hash: Uint8Array;
  readonly base: Uint8Array;
  /** resourceVersion. */
  readonly version: string;
}

interface ChangeBodies {
  /** Content, packed. */
  full: Uint8Array;
  /** Instructions, packed. */
  delta: Uint8Array;
  removed: true;
  rehashed: true;
}

/** One change of a {@link Batch}, told apart by `body`; without one it is of a kind that this release does not know. */
export type Change = ChangeHead & (OneBody<ChangeBodies> | { readonly body?: never });
/** A change to encode: `{key, hash, full}`. */
export type OutgoingChange = Partial<ChangeHead> & EncodableBody<ChangeBodies>;

/** Changes that are made durable together. */
export interface Batch {
  readonly changes: readonly Change[];
  /** Empty: none. */
  readonly stamp: Uint8Array;
  readonly normalForm: number;
  /** Whether the edge has everything once this batch is durable. */
  readonly inSync: boolean;
}

interface HubBodies {
  inSync: InSync;
  askInventory: AskInventory;
  batch: Batch;
  confirmRemovals: ConfirmRemovals;
}

interface EdgeBodies {
  bucketDigests: BucketDigests;
  entries: Entries;
  wantFull: WantFull;
  held: Held;
}

/** `Delta.body`, told apart by `body`; without one its body is unknown to this release. */
export type HubMessage = OneBody<HubBodies> | { readonly body?: never };
/** What {@link encodeHubMessage} takes: `{batch: {…}}`. */
export type OutgoingHubMessage =
  | EncodableBody<Omit<HubBodies, 'batch'>>
  | { readonly batch: Partial<Omit<Batch, 'changes'>> & { readonly changes?: readonly OutgoingChange[] } };
/** `ScopeReport.body`, told apart by `body`; without one its body is unknown to this release. */
export type EdgeMessage = OneBody<EdgeBodies> | { readonly body?: never };
/** What {@link encodeEdgeMessage} takes. */
export type OutgoingEdgeMessage = EncodableBody<EdgeBodies>;

/** Longest {@link EdgeMessage} that is read, bytes: bounds what one session can make a hub allocate. */
export const MAX_EDGE_MESSAGE_BYTES = 1024 * 1024;

/** Encodes `Subscribe.state`. */
export function encodeScopeState(state: Encodable<ScopeState>): Uint8Array {
  return schema.ScopeState.encode(state).finish();
}

/** Decodes `Subscribe.state`; `bytes` fields are views of `data`. Throws on anything malformed. */
export function decodeScopeState(data: Uint8Array): ScopeState {
  return schema.ScopeState.decode(data);
}

/** Encodes `Delta.body`. */
export function encodeHubMessage(message: OutgoingHubMessage): Uint8Array {
  return schema.HubMessage.encode(message as hawser.sync.v1.HubMessage.$Properties).finish();
}

/**
 * Decodes `Delta.body`; `bytes` fields are views of `data`. Throws on anything malformed, on numbers of 2^53 and
 * more, and on a change that says `removed: false` or `rehashed: false`.
 */
export function decodeHubMessage(data: Uint8Array): HubMessage {
  const message = schema.HubMessage.decode(data) as unknown as HubMessage;
  if (message.body === 'batch') message.batch.changes.forEach(checkChange);
  if (message.body === 'confirmRemovals') checkExact(message.confirmRemovals.id);
  return message;
}

/** Encodes `ScopeReport.body`. */
export function encodeEdgeMessage(message: OutgoingEdgeMessage): Uint8Array {
  return schema.EdgeMessage.encode(message).finish();
}

/**
 * Decodes `ScopeReport.body`; `bytes` fields are views of `data`. Throws on anything malformed, on more than
 * {@link MAX_EDGE_MESSAGE_BYTES}, and on numbers of 2^53 and more.
 */
export function decodeEdgeMessage(data: Uint8Array): EdgeMessage {
  if (data.length > MAX_EDGE_MESSAGE_BYTES)
    throw new RangeError(`${data.length} bytes, the most is ${MAX_EDGE_MESSAGE_BYTES}`);
  const message = schema.EdgeMessage.decode(data) as unknown as EdgeMessage;
  if (message.body === 'held') checkExact(message.held.id);
  return message;
}

/** A flag that is there and false has no meaning; to take it for true would remove an object. */
function checkChange(change: Change): void {
  const { body, removed, rehashed } = change as { body?: string; removed?: boolean; rehashed?: boolean };
  if ((body === 'removed' && removed !== true) || (body === 'rehashed' && rehashed !== true))
    throw new RangeError(`${change.key}: ${body} is false`);
}

function checkExact(id: number): void {
  if (!Number.isSafeInteger(id)) throw new RangeError('a number beyond 2^53');
}
