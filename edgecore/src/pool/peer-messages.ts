import type { PoolState } from './pool-types.ts';

/** Kind of the Upstreams by which members speak with each other. Its bodies are JSON, packed. */
export const PEER_KIND = 'pool-peer';

/** Largest body of one, unpacked, bytes: what a hub takes of an Upstream. */
export const MAX_PEER_BYTES = 512 * 1024;

/** What a member says of itself. */
export interface PeerStatus {
  readonly node: string;
  readonly pool: string;
  /** `address:port` at which it is reached; empty: it is not. */
  readonly endpoint: string;
  /** Of the cluster, as it has accepted it: states count in one life. Empty: none yet, or a release that does not say. */
  readonly life: string;
  /** Of the leader that it follows or is; without one, the highest that it knows. */
  readonly epoch: number;
  /** The highest resourceVersion that it shows; empty: none. */
  readonly version: string;
  /** Of the roster that it shows, as the pool's states count; empty: none. */
  readonly rosterVersion: string;
  /** Whether all its replicas show something. */
  readonly complete: boolean;
  readonly state: PoolState;
  /** Whom it follows; itself where it leads; whom it has just given way to; empty: nobody. */
  readonly leader: string;
  readonly leads: boolean;
  /** Whether the leader that it follows, or is, was chosen by the pool itself. */
  readonly provisional: boolean;
  /** It leads, and gives what it has to whoever follows. */
  readonly ready: boolean;
  /** Whether it has a session with the cloud, as far as it knows. */
  readonly cloud: boolean;
  /** Milliseconds since it heard from the cloud itself; below 0: never. */
  readonly cloudMs: number;
  /** It would lead, and asks around whether somebody does. */
  readonly electing: boolean;
  /** It stops, and leads no longer. */
  readonly stopping: boolean;
}

/** A roster as the hub has signed it: as good as one from the hub, whoever hands it on. */
export interface RosterProof {
  /** The stamp, base64. */
  readonly stamp: string;
  /** resourceVersion of the object. */
  readonly version: string;
  /** Its canonical JSON. */
  readonly content: string;
}

/** Where the pods of a node are, by its own word. */
export interface SignedAddresses {
  readonly node: string;
  /** Grows with each one of the node. */
  readonly sequence: number;
  /** JSON of `[[uid, ready, ip, …], …]`: what is signed, to the byte. */
  readonly pods: string;
  /** DER of the node's certificate, base64. */
  readonly certificate: string;
  /** By the key of the certificate, base64. */
  readonly signature: string;
}

/** How a member is, by what somebody else has heard of it. */
export interface MemberNote {
  readonly name: string;
  readonly state: PoolState;
  readonly version: string;
  /** Milliseconds since it was heard of. */
  readonly heardMs: number;
}

/** What a member sends with each heartbeat. */
export interface PeerMessage {
  readonly status: PeerStatus;
  /** Where the peer's is older. */
  readonly roster?: RosterProof;
  /** Addresses that the peer lacks. */
  readonly addresses?: readonly SignedAddresses[];
  /** Sequences of the addresses that it has, by node. Absent: none are wanted. */
  readonly has?: Readonly<Record<string, number>>;
  /** Whether it wants to know how the others are. */
  readonly wantsMembers?: true;
}

/** What it is answered. */
export interface PeerAnswer {
  readonly status: PeerStatus;
  /** The member that the leader asks to take over; empty: nobody. */
  readonly handover: string;
  readonly roster?: RosterProof;
  readonly addresses?: readonly SignedAddresses[];
  readonly has?: Readonly<Record<string, number>>;
  readonly members?: readonly MemberNote[];
}

const STATES: ReadonlySet<unknown> = new Set<PoolState>(['LIVE', 'GRACE', 'DIRECT', 'STALE']);
const VERSION = /^([0-9]{0,39})$/;
const MAX_NAME = 253;
const MAX_ENDPOINT = 320;
const MAX_LIFE = 256;
/** Beyond it nobody has led a pool: one that is believed would leave no room above it. */
const MAX_EPOCH = 2 ** 48;
/** Members of a pool, and addresses in one message. */
const MAX_MEMBERS = 1_000;
/** Text of one node's addresses: 500 pods with two addresses each. */
export const MAX_ADDRESSES_BYTES = 64 * 1024;
const MAX_CERTIFICATE = 8 * 1024;
const MAX_SIGNATURE = 256;
const MAX_STAMP = 1_024;

/** What a peer sent, checked: it may be hostile. Undefined: it is none, or beyond its bounds. */
export function readPeerMessage(value: unknown): PeerMessage | undefined {
  if (!isRecord(value)) return undefined;
  const status = readStatus(value['status']);
  const parts = readParts(value);
  if (status === undefined || parts === undefined) return undefined;
  return { status, ...parts, ...(value['wantsMembers'] === true && { wantsMembers: true as const }) };
}

/** As {@link readPeerMessage}, of an answer. */
export function readPeerAnswer(value: unknown): PeerAnswer | undefined {
  if (!isRecord(value)) return undefined;
  const status = readStatus(value['status']);
  const parts = readParts(value);
  const handover = value['handover'] ?? '';
  const members = value['members'] === undefined ? undefined : readList(value['members'], readNote);
  if (status === undefined || parts === undefined || !isText(handover, MAX_NAME)) return undefined;
  if (value['members'] !== undefined && members === undefined) return undefined;
  return { status, ...parts, handover, ...(members !== undefined && { members }) };
}

function readParts(
  value: Readonly<Record<string, unknown>>,
): Pick<PeerMessage, 'roster' | 'addresses' | 'has'> | undefined {
  const { roster: givenRoster, addresses: givenAddresses, has: givenHas } = value;
  const roster = givenRoster === undefined ? undefined : readRoster(givenRoster);
  const addresses = givenAddresses === undefined ? undefined : readList(givenAddresses, readAddresses);
  const has = givenHas === undefined ? undefined : readHas(givenHas);
  const isBroken =
    (givenRoster !== undefined && roster === undefined) ||
    (givenAddresses !== undefined && addresses === undefined) ||
    (givenHas !== undefined && has === undefined);
  if (isBroken) return undefined;
  return {
    ...(roster !== undefined && { roster }),
    ...(addresses !== undefined && { addresses }),
    ...(has !== undefined && { has }),
  };
}

function readStatus(value: unknown): PeerStatus | undefined {
  if (!isRecord(value)) return undefined;
  const { node, pool, endpoint, life = '', epoch, version, rosterVersion, state, leader, cloudMs } = value;
  const { complete, cloud, leads, provisional, ready, electing, stopping } = value;
  if (!isText(node, MAX_NAME) || !isText(pool, MAX_NAME) || !isText(leader, MAX_NAME)) return undefined;
  if (!isText(life, MAX_LIFE)) return undefined;
  if (!isText(endpoint, MAX_ENDPOINT) || !isVersion(version) || !isVersion(rosterVersion)) return undefined;
  if (!isState(state) || !isCount(epoch) || epoch > MAX_EPOCH || !isNumber(cloudMs)) return undefined;
  return {
    ...{ node, pool, endpoint, life, epoch, version, rosterVersion, state, leader, cloudMs },
    complete: complete === true,
    cloud: cloud === true,
    leads: leads === true,
    provisional: provisional === true,
    ready: ready === true,
    electing: electing === true,
    stopping: stopping === true,
  };
}

function readRoster(value: unknown): RosterProof | undefined {
  if (!isRecord(value)) return undefined;
  const { stamp, version, content } = value;
  if (!isText(stamp, MAX_STAMP) || !isVersion(version) || !isText(content, MAX_PEER_BYTES)) return undefined;
  return { stamp, version, content };
}

function readAddresses(value: unknown): SignedAddresses | undefined {
  if (!isRecord(value)) return undefined;
  const { node, sequence, pods, certificate, signature } = value;
  if (!isText(node, MAX_NAME) || !isCount(sequence) || !isText(pods, MAX_ADDRESSES_BYTES)) return undefined;
  if (!isText(certificate, MAX_CERTIFICATE) || !isText(signature, MAX_SIGNATURE)) return undefined;
  return { node, sequence, pods, certificate, signature };
}

function readHas(value: unknown): Readonly<Record<string, number>> | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MAX_MEMBERS) return undefined;
  if (!entries.every(([name, sequence]) => isText(name, MAX_NAME) && isCount(sequence))) return undefined;
  return value as Readonly<Record<string, number>>; // each was looked at
}

function readNote(value: unknown): MemberNote | undefined {
  if (!isRecord(value)) return undefined;
  const { name, state, version, heardMs } = value;
  if (!isText(name, MAX_NAME) || !isState(state) || !isVersion(version) || !isCount(heardMs))
    return undefined;
  return { name, state, version, heardMs };
}

function readList<T>(value: unknown, read: (item: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_MEMBERS) return undefined;
  const items = value.map(read);
  return items.every((item) => item !== undefined) ? items : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}

function isVersion(value: unknown): value is string {
  return typeof value === 'string' && VERSION.test(value);
}

function isState(value: unknown): value is PoolState {
  return STATES.has(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
