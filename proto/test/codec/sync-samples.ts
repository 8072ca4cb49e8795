import type {
  EdgeMessage,
  HubMessage,
  OutgoingEdgeMessage,
  OutgoingHubMessage,
  ScopeState,
} from '../../src/codec/sync-codec.ts';

type HubBody = NonNullable<HubMessage['body']>;
type EdgeBody = NonNullable<EdgeMessage['body']>;

const HASH = Uint8Array.from({ length: 16 }, (_, index) => index * 17);
const BASE = Uint8Array.from({ length: 16 }, (_, index) => 255 - index);

/** A state with every field set, and one with none. */
export const SCOPE_STATES: Readonly<Record<'state' | 'state, minimal', Partial<ScopeState>>> = {
  state: { normalForm: 1, digest: HASH, count: 300, stamp: Uint8Array.of(1, 2, 0xff) },
  'state, minimal': {},
};

/** Every message of the hub with every field set. A new body does not compile until it is here. */
export const FULL_HUB_MESSAGES: {
  readonly [B in HubBody]: Extract<OutgoingHubMessage, Record<B, unknown>>;
} = {
  inSync: { inSync: { stamp: Uint8Array.of(9, 8, 7) } },
  askInventory: { askInventory: { buckets: 256, wanted: [0, 1, 128, 255] } },
  batch: {
    batch: {
      changes: [
        { key: 'pods/default/a', full: Uint8Array.of(0, 0x7b, 0x7d), hash: HASH, version: '4711' },
        { key: 'pods/default/b', delta: Uint8Array.of(0, 1, 2), hash: HASH, base: BASE, version: '4712' },
        { key: 'nodes//edge-1', removed: true },
        { key: 'configmaps/default/žluť', rehashed: true, hash: HASH, base: BASE, version: '9' },
      ],
      stamp: Uint8Array.of(1),
      normalForm: 2,
      inSync: true,
    },
  },
  confirmRemovals: { confirmRemovals: { id: 2 ** 53 - 1 } },
};

/** Every message of the hub with nothing in it. */
export const MINIMAL_HUB_MESSAGES: {
  readonly [B in HubBody]: Extract<OutgoingHubMessage, Record<B, unknown>>;
} = {
  inSync: { inSync: {} },
  askInventory: { askInventory: {} },
  batch: { batch: {} },
  confirmRemovals: { confirmRemovals: {} },
};

/** Every message of the edge with every field set. */
export const FULL_EDGE_MESSAGES: {
  readonly [B in EdgeBody]: Extract<OutgoingEdgeMessage, Record<B, unknown>>;
} = {
  bucketDigests: { bucketDigests: { digests: HASH } },
  entries: { entries: { packed: Uint8Array.of(0, 1, 0x61), more: true } },
  wantFull: { wantFull: { keys: ['pods/default/a', 'nodes//edge-1'] } },
  held: { held: { id: 2 ** 32, removals: 7, count: 9 } },
};

/** Every message of the edge with nothing in it. */
export const MINIMAL_EDGE_MESSAGES: {
  readonly [B in EdgeBody]: Extract<OutgoingEdgeMessage, Record<B, unknown>>;
} = {
  bucketDigests: { bucketDigests: {} },
  entries: { entries: {} },
  wantFull: { wantFull: {} },
  held: { held: {} },
};
