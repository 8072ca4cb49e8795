import { formatKey, parseKey, type Content, type ContentKey } from '@hawser/sync';
import type { PodAddress, PodPlaces, PoolReader } from '../pool/pool-types.ts';
import { jsonMember, textOf } from './json-members.ts';
import { overlaidEndpoints, overlaidSlice } from './overlaid-endpoints.ts';

const NONE: PodPlaces = new Map();
const SERVICE_LABEL = 'kubernetes.io/service-name';
/** Canonical, and nothing else: inside of a text its quotes would be escaped. */
const SHOWS_NOT_READY = '"publishNotReadyAddresses":true';
/** Objects in there have no further ones. Source: core/v1 ObjectReference. */
const TARGETS = /"targetRef":\{[^{}]*?"uid":"([^"]+)"/g;

/** Resources whose objects name addresses of pods, and how they are rewritten. */
const REWRITERS = {
  'endpointslices.discovery.k8s.io': { rewrite: overlaidSlice, serviceOf: serviceOfSlice },
  endpoints: { rewrite: overlaidEndpoints, serviceOf: ({ key }: Content) => parseKey(key).name },
} as const;

/** A resource whose objects name addresses of pods. */
export type OverlaidResource = keyof typeof REWRITERS;

/** Whether a resource, as keys name it, is one of them. */
export function isOverlaid(resource: string): resource is OverlaidResource {
  return Object.hasOwn(REWRITERS, resource);
}

/**
 * Which objects of a resource are to be shown with other addresses than the cloud last said. docs/pool.md, "After an
 * offline reboot".
 */
export class AddressOverlay {
  readonly #pool: PoolReader;
  readonly #resource: OverlaidResource;
  #addresses: PodPlaces = NONE;
  /** Objects by UIDs that they name; only while there are addresses. */
  #byUid: Map<string, Set<ContentKey>> | undefined;
  /** What pods were at when the cloud said something newer of an object: that is known to it. */
  readonly #known = new Map<ContentKey, PodPlaces>();

  constructor(pool: PoolReader, resource: OverlaidResource) {
    this.#pool = pool;
    this.#resource = resource;
  }

  /** Looks at the addresses again. Answers keys of objects that may have to be shown in another way. */
  look(contents: Iterable<Content>): ReadonlySet<ContentKey> {
    const before = this.#addresses;
    // That the nodes say nothing does not mean that the cloud has not said what it has.
    if (this.#pool.cloud) this.#known.clear();
    const now = this.#pool.cloud ? NONE : this.#pool.overlay();
    if (now.size === 0 && before.size === 0) return new Set();
    this.#addresses = now;
    this.#byUid ??= indexOf(contents);
    const keys = new Set<ContentKey>();
    for (const uid of new Set([...before.keys(), ...now.keys()])) {
      if (isSame(before.get(uid), now.get(uid))) continue;
      for (const key of this.#byUid.get(uid) ?? []) keys.add(key);
    }
    if (now.size === 0) this.#byUid = undefined;
    return keys;
  }

  /** The cloud has said something of an object: what it says counts, until a pod is somewhere else again. */
  said(key: ContentKey, previous: Content | undefined, content: Content | undefined): void {
    this.#known.delete(key);
    if (this.#byUid === undefined) return;
    for (const uid of uidsOf(previous)) this.#byUid.get(uid)?.delete(key);
    const uids = uidsOf(content);
    add(this.#byUid, key, uids);
    const known = new Map<string, readonly PodAddress[]>();
    for (const uid of uids) {
      const places = this.#addresses.get(uid);
      if (places !== undefined) known.set(uid, places);
    }
    if (known.size > 0) this.#known.set(key, known);
  }

  /** Forgets what it knows of objects: all of them may be others. */
  forget(): void {
    this.#addresses = NONE;
    this.#byUid = undefined;
    this.#known.clear();
  }

  /** JSON of an object as it is to be shown; undefined: as the cloud says. */
  shown(content: Content): Uint8Array | undefined {
    if (this.#addresses.size === 0) return undefined;
    const { rewrite } = REWRITERS[this.#resource];
    const object = JSON.parse(Buffer.from(content.bytes).toString('utf8')) as Readonly<
      Record<string, unknown>
    >;
    const addresses = this.#news(content.key);
    const rewritten = rewrite(object, addresses, this.#showsNotReady(content));
    return rewritten === undefined ? undefined : Buffer.from(JSON.stringify(rewritten));
  }

  /** Addresses that the cloud did not know when it said what it said of the object. */
  #news(key: ContentKey): PodPlaces {
    const known = this.#known.get(key);
    if (known === undefined) return this.#addresses;
    return new Map(
      [...this.#addresses].map(([uid, places]) => [
        uid,
        places.filter((place) => !has(known.get(uid), place)),
      ]),
    );
  }

  #showsNotReady(content: Content): boolean {
    const service = REWRITERS[this.#resource].serviceOf(content);
    if (service === undefined) return false;
    const key = formatKey('services', parseKey(content.key).namespace, service);
    const bytes = this.#pool.view('services')?.get(key)?.bytes;
    return (
      bytes !== undefined &&
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(SHOWS_NOT_READY)
    );
  }
}

function serviceOfSlice({ bytes }: Content): string | undefined {
  const metadata = jsonMember(bytes, 0, 'metadata');
  const labels = metadata && jsonMember(bytes, metadata.value, 'labels');
  const label = labels && jsonMember(bytes, labels.value, SERVICE_LABEL);
  return label && (JSON.parse(textOf(bytes, label.value, label.to)) as string); // a label is a text
}

function indexOf(contents: Iterable<Content>): Map<string, Set<ContentKey>> {
  const index = new Map<string, Set<ContentKey>>();
  for (const content of contents) add(index, content.key, uidsOf(content));
  return index;
}

function add(index: Map<string, Set<ContentKey>>, key: ContentKey, uids: Iterable<string>): void {
  for (const uid of uids) {
    const keys = index.get(uid);
    if (keys === undefined) index.set(uid, new Set([key]));
    else keys.add(key);
  }
}

function uidsOf(content: Content | undefined): ReadonlySet<string> {
  if (content === undefined) return new Set();
  const { bytes } = content;
  const text = textOf(bytes, 0, bytes.length);
  return new Set(Array.from(text.matchAll(TARGETS), ([, uid = '']) => uid));
}

function isSame(some: readonly PodAddress[] = [], others: readonly PodAddress[] = []): boolean {
  return some.length === others.length && others.every((place) => has(some, place));
}

function has(places: readonly PodAddress[] = [], { node, ips, ready }: PodAddress): boolean {
  return places.some((one) => one.node === node && one.ready === ready && one.ips.join() === ips.join());
}
