import { networkInterfaces, hostname } from 'node:os';
import { ResourceClient, RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import { HAWSER_NAMESPACE } from '@hawser/cloudcore/admin';
import { HUB_PORT } from './address.ts';
import { MANAGED_BY, unlessMissing } from './apply.ts';

/** ConfigMap in hawser-system that says where edges dial; `hawser token create` makes join commands from it. */
const NAME = 'hawser-hub';

/** The ConfigMap that {@link readHubAddress} reads. @param advertise names and addresses, the one to dial first */
export function hubAddressObject(advertise: readonly string[], port: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: HAWSER_NAMESPACE, name: NAME, labels: { [MANAGED_BY.label]: MANAGED_BY.value } },
    data: { advertise: advertise.join('\n'), port: String(port) },
  };
}

/** Names and addresses under which edges dial the hub, the preferred one first, and the port. */
export interface HubNames {
  readonly advertise: readonly string[];
  readonly port: number;
}

/** What `hawser init` was told; undefined where nobody has told it. Errors: those of {@link ApiClient}. */
export async function readHubNames(client: ApiClient, signal: AbortSignal): Promise<HubNames | undefined> {
  const configMaps = new ResourceClient(client, RESOURCES.configmaps);
  const present = await unlessMissing(configMaps.get(HAWSER_NAMESPACE, NAME, { signal }));
  const data = (present?.['data'] ?? {}) as Readonly<Record<string, unknown>>;
  const { advertise, port } = data;
  if (typeof advertise !== 'string' || advertise.trim() === '') return undefined;
  const number = Number(port);
  return {
    advertise: advertise.trim().split(/\s+/),
    port: Number.isInteger(number) && number > 0 && number <= 65_535 ? number : HUB_PORT,
  };
}

/** Addresses of this machine that others may reach, and its name: what it advertises unless it is told. */
export function ownNames(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
    .sort((a, b) => (a.family === b.family ? 0 : a.family === 'IPv4' ? -1 : 1))
    .map(({ address }) => address);
  return [...new Set([...addresses, hostname().toLowerCase()])];
}

/** The command that a machine joins with. */
export function joinCommand(address: string, token: string): string {
  return `hawser join --cloud ${address} --token ${token}`;
}
