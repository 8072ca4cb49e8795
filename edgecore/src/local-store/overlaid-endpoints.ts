import { isIPv4, isIPv6 } from 'node:net';
import type { PodAddress, PodPlaces } from '../pool/pool-types.ts';

interface TargetRef {
  readonly uid?: string;
}

interface SliceEndpoint {
  readonly addresses?: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean };
  readonly nodeName?: string;
  readonly targetRef?: TargetRef;
}

interface EndpointAddress {
  readonly ip?: string;
  readonly nodeName?: string;
  readonly targetRef?: TargetRef;
}

interface Subset {
  readonly addresses?: readonly EndpointAddress[];
  readonly notReadyAddresses?: readonly EndpointAddress[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What the node that the cloud knows an endpoint at says of its pod: nobody speaks for the pods of others. */
function wordOf(
  addresses: PodPlaces,
  { nodeName, targetRef }: Pick<SliceEndpoint, 'nodeName' | 'targetRef'>,
): PodAddress | undefined {
  return addresses.get(targetRef?.uid ?? '')?.find(({ node }) => node === nodeName);
}

/** What becomes of one endpoint; undefined: it is as the cloud says. */
function newPlace(
  now: PodAddress | undefined,
  was: { readonly address: string | undefined; readonly ready: boolean },
  isFamily: (address: string) => boolean,
  showsNotReady: boolean,
): { readonly address: string | undefined; readonly ready: boolean; readonly serving: boolean } | undefined {
  if (now === undefined) return undefined;
  const address = now.ips.find(isFamily);
  // It has addresses, of the other family only: nothing is known of this one.
  if (address === undefined && now.ips.length > 0) return undefined;
  const serving = now.ready && address !== undefined;
  const ready = serving || showsNotReady;
  const place = { address: address ?? was.address, ready, serving };
  return place.address === was.address && ready === was.ready ? undefined : place;
}

/**
 * An EndpointSlice with the addresses that its pods have now.
 * @param showsNotReady the Service's `publishNotReadyAddresses`
 * @returns undefined: it says so already
 */
export function overlaidSlice(
  slice: Fields,
  addresses: PodPlaces,
  showsNotReady: boolean,
): Fields | undefined {
  const isFamily = slice['addressType'] === 'IPv6' ? isIPv6 : isIPv4;
  if (slice['addressType'] === 'FQDN') return undefined;
  const before = (slice['endpoints'] ?? []) as readonly SliceEndpoint[]; // as the API server checked it
  const endpoints = before.map((endpoint) => {
    const { addresses: places, conditions } = endpoint;
    // Absent: it is ready. Source: discovery/v1 EndpointConditions.
    const was = { address: places?.[0], ready: conditions?.ready ?? true };
    const place = newPlace(wordOf(addresses, endpoint), was, isFamily, showsNotReady);
    if (place === undefined) return endpoint;
    return {
      ...endpoint,
      ...(place.address !== undefined && { addresses: [place.address] }),
      conditions: { ...conditions, ready: place.ready, serving: place.serving },
    };
  });
  return isOneOther(before, endpoints) ? { ...slice, endpoints } : undefined;
}

/** The same of Endpoints: what is not ready stands beside what is. */
export function overlaidEndpoints(
  object: Fields,
  addresses: PodPlaces,
  showsNotReady: boolean,
): Fields | undefined {
  const before = (object['subsets'] ?? []) as readonly Subset[]; // as the API server checked it
  const subsets = before.map((subset) => overlaidSubset(subset, addresses, showsNotReady));
  return isOneOther(before, subsets) ? { ...object, subsets } : undefined;
}

function overlaidSubset(subset: Subset, addresses: PodPlaces, showsNotReady: boolean): Subset {
  const places = [
    ...(subset.addresses ?? []).map((entry) => ({ entry, ready: true })),
    ...(subset.notReadyAddresses ?? []).map((entry) => ({ entry, ready: false })),
  ].map(({ entry, ready }) => {
    const isFamily = isIPv6(entry.ip ?? '') ? isIPv6 : isIPv4;
    const place = newPlace(wordOf(addresses, entry), { address: entry.ip, ready }, isFamily, showsNotReady);
    if (place === undefined) return { entry, ready, isOther: false };
    const moved = place.address === undefined ? entry : { ...entry, ip: place.address };
    return { entry: moved, ready: place.ready, isOther: true };
  });
  if (!places.some(({ isOther }) => isOther)) return subset;
  const are = (wanted: boolean): readonly EndpointAddress[] =>
    places.filter(({ ready }) => ready === wanted).map(({ entry }) => entry);
  const [ready, notReady] = [are(true), are(false)];
  const rest: Subset = { ...subset };
  Reflect.deleteProperty(rest, 'addresses');
  Reflect.deleteProperty(rest, 'notReadyAddresses');
  return {
    ...(ready.length > 0 && { addresses: ready }),
    ...(notReady.length > 0 && { notReadyAddresses: notReady }),
    ...rest,
  };
}

function isOneOther<T>(before: readonly T[], now: readonly T[]): boolean {
  return now.some((one, index) => one !== before[index]);
}
