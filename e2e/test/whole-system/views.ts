import type { SeenDevice } from '../../src/devices-site/device-objects.ts';
import { reportedValue } from '../../src/devices-site/device-objects.ts';
import { isReady, type SeenPod } from '../../src/pods-site/pods-site.ts';
import { execInContainer, podsInRuntime, runningContainers } from '../../src/pods-site/running-containers.ts';
import { untilSeen } from '../../src/whole-site/until-seen.ts';
import { APP, DEVICE, desiredPatch, REGISTERS, UNIT } from '../../src/whole-site/whole-objects.ts';
import type { WholeSite } from '../../src/whole-site/whole-site.ts';
import type { WholeMember } from '../../src/whole-site/whole-member.ts';

/** An EndpointSlice, as far as these tests look at it. */
interface SeenSlice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}
type Register = keyof typeof REGISTERS;

/** Pods of a Deployment, as kubectl shows them, by name. */
export async function podsOf(site: WholeSite, app: string): Promise<readonly SeenPod[]> {
  const { items } = await site.get<{ readonly items: readonly SeenPod[] }>('pods', '-l', `app=${app}`);
  return items.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)));
}

/** Waits until kubectl shows so many pods of a Deployment, all of them ready. */
export function untilPodsReady(site: WholeSite, app: string, count: number): Promise<readonly SeenPod[]> {
  return untilSeen(
    `${count} pods of ${app} are ready`,
    () => podsOf(site, app),
    (pods) => pods.length === count && pods.every(isReady),
  );
}

export function nameOf({ metadata }: SeenPod): string {
  return metadata.name ?? '';
}

/** Ids of the containers as the API has them, by `pod/container`. */
export function idsInApi(pods: readonly SeenPod[]): ReadonlyMap<string, string> {
  const rows = pods.flatMap((pod) =>
    (pod.status?.containerStatuses ?? []).map(({ name, containerID = '' }) => {
      return [`${nameOf(pod)}/${name}`, containerID.replace(/^.*:\/\//, '')] as const;
    }),
  );
  return new Map(rows);
}

/** Ids of the application's containers that run on the node, by `pod/container`. */
export async function idsInRuntime(site: WholeSite): Promise<ReadonlyMap<string, string>> {
  const running = await runningContainers(site.containerd);
  return new Map([...running].filter(([key]) => key.startsWith(`${APP}-`)).toSorted());
}

/** Waits until so many containers of the application run on the node, whoever was told. */
export function untilRunning(
  site: WholeSite,
  is: (ids: ReadonlyMap<string, string>) => boolean,
): Promise<ReadonlyMap<string, string>> {
  return untilSeen('containers run', () => idsInRuntime(site), is);
}

/** What the settings are in the file of each container that runs, asked past the cloud. */
export async function filesInContainers(site: WholeSite): Promise<readonly string[]> {
  const ids = await idsInRuntime(site);
  return Promise.all(
    [...ids.values()].map((id) => execInContainer(site.containerd, id, ['cat', '/settings/text'])),
  );
}

/** The device, as `kubectl get device` shows it. */
export function device(site: WholeSite): Promise<SeenDevice> {
  return site.get<SeenDevice>('device', DEVICE);
}

/** Waits until `kubectl get device` shows a reported value. */
export async function untilReported(site: WholeSite, property: Register, value: string): Promise<void> {
  const says = (seen: SeenDevice): boolean => reportedValue(seen, property) === value;
  await untilSeen(`${property} is ${value} in the API`, () => device(site), says);
}

/** Waits until `hawser device get` at the node shows a reported value. */
export async function untilReportedAtNode(site: WholeSite, property: Register, value: string): Promise<void> {
  const look = async (): Promise<string> =>
    (await site.kitchen.hawserOk(['device', 'get', DEVICE, property])).trim();
  await untilSeen(`${property} is ${value} at the node`, look, (seen) => seen === value);
}

/** The register of the peer behind a property. */
export async function register(site: WholeSite, property: Register): Promise<number | undefined> {
  return (await site.peer.get(UNIT, 'holding', REGISTERS[property], 1))[0];
}

/** Waits until the peer's register has a value. */
export async function untilRegister(site: WholeSite, property: Register, value: number): Promise<void> {
  const look = (): Promise<number | undefined> => register(site, property);
  await untilSeen(`the register of ${property} is ${value}`, look, (seen) => seen === value);
}

/** Sets the register, as the device's own controls do. */
export function turn(site: WholeSite, property: Register, value: number): Promise<void> {
  return site.peer.set(UNIT, 'holding', REGISTERS[property], [value]);
}

/** Says what is wanted of the device's speed, by kubectl. */
export async function setDesired(site: WholeSite, value: string): Promise<void> {
  await site.kubectl.ok(['patch', 'device', DEVICE, '--type', 'json', '-p', desiredPatch('speed', value)]);
}

/** Addresses of the application that are ready, as the local API of a member shows them, or the API server. */
export async function endpoints(site: WholeSite, member?: WholeMember): Promise<readonly string[]> {
  const what = ['endpointslices', '-l', `kubernetes.io/service-name=${APP}`];
  const { items } = await (member === undefined
    ? site.get<{ readonly items: readonly SeenSlice[] }>(...what)
    : member.localGet<{ readonly items: readonly SeenSlice[] }>(what));
  const ready = items.flatMap((slice) => slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready);
  return ready.flatMap(({ addresses }) => addresses).toSorted();
}

/** Addresses that the application's pods have on the node. */
export async function addressesInRuntime(site: WholeSite): Promise<readonly string[]> {
  const { items } = await site.kitchen.edge.admin.pods();
  const running = new Set((await podsInRuntime(site.containerd)).map(({ name }) => name));
  const own = items.filter(({ name }) => name.startsWith(`${APP}-`) && running.has(name));
  return own.map(({ ip = '' }) => ip).toSorted();
}

/** Waits until the local API of each of these members shows just these addresses. */
export async function untilEndpoints(
  site: WholeSite,
  members: readonly WholeMember[],
  addresses: readonly string[],
): Promise<void> {
  for (const member of members)
    await untilSeen(
      `${member.name} shows ${addresses.join()}`,
      () => endpoints(site, member),
      (seen) => seen.join() === addresses.join(),
    );
}
