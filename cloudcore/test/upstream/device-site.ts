import { readFile } from 'node:fs/promises';
import { HttpApiClient, ResourceClient, RESOURCES, StatusError, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import type { UpstreamBodies } from '@hawser/sync';
import { parse } from 'yaml';
import { DEVICE_MODELS, DEVICES } from '../../src/cache/bound-devices.ts';
import { DEVICE_STATUSES } from '../../src/upstream/device-resources.ts';
import type { UpstreamRouterOptions } from '../../src/upstream/upstream-router.ts';
import { startHub, uidOf, type HubFixture } from './hub-fixture.ts';

type Fields = Readonly<Record<string, unknown>>;

/** From `cloudcore/dist/test/upstream`. */
const MANIFESTS = new URL('../../../../cli/manifests/', import.meta.url);

/**
 * Whose definitions of devices a cluster has. KubeEdge's have no subresource; up to 1.22 the status of a device has nothing
 * but twins, and there is no DeviceStatus; since then the status of a device may have anything.
 */
export type Definitions = 'ours' | 'kubeedge-1.22' | 'kubeedge-1.23';

/** A hub, and devices in its API server. */
export class DeviceSite {
  readonly hub: HubFixture;
  readonly devices: ResourceClient;
  readonly models: ResourceClient;
  readonly statuses: ResourceClient;
  readonly #client: HttpApiClient;

  constructor(hub: HubFixture) {
    this.hub = hub;
    this.#client = new HttpApiClient({ server: hub.kube.url });
    this.devices = new ResourceClient(this.#client, DEVICES);
    this.models = new ResourceClient(this.#client, DEVICE_MODELS);
    this.statuses = new ResourceClient(this.#client, DEVICE_STATUSES);
  }

  async define(definitions: Definitions): Promise<void> {
    const crds = new ResourceClient(this.#client, RESOURCES.customresourcedefinitions);
    for (const name of ['devices', 'devicemodels', 'devicestatuses']) {
      if (definitions === 'kubeedge-1.22' && name === 'devicestatuses') continue;
      const text = await readFile(new URL(`crds/devices.kubeedge.io_${name}.yaml`, MANIFESTS), 'utf8');
      const crd = asIn(definitions, name, parse(text) as KubeObject);
      const { metadata } = crd;
      const present = await found(crds.get('', metadata.name ?? ''));
      if (present === undefined) await crds.create(crd);
      else {
        const { resourceVersion = '' } = present.metadata;
        await crds.update({ ...crd, metadata: { ...metadata, resourceVersion } });
      }
    }
    const served = (): Promise<boolean> =>
      this.devices.list('').then(
        () => true,
        () => false,
      );
    await eventually('devices are served', served);
  }

  /** A device at a node, in the API and, unless `cached` is false, in the view. */
  async device(
    name: string,
    nodeName: string,
    more: { properties?: readonly Fields[]; model?: string; cached?: boolean } = {},
  ): Promise<KubeObject> {
    const { properties = [], model, cached = true } = more;
    const created = await this.devices.create({
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'Device',
      metadata: { namespace: 'default', name },
      spec: { nodeName, properties, ...(model !== undefined && { deviceModelRef: { name: model } }) },
    });
    if (cached) this.sees(created);
    return created;
  }

  async model(name: string, properties: readonly Fields[]): Promise<void> {
    await this.models.create({
      apiVersion: 'devices.kubeedge.io/v1beta1',
      kind: 'DeviceModel',
      metadata: { namespace: 'default', name },
      spec: { properties },
    });
  }

  /** The watch has brought the device as it is here. */
  sees(device: KubeObject): void {
    const { nodeName = '' } = device['spec'] as { nodeName?: string };
    const { namespace = '', name = '', resourceVersion: version = '' } = device.metadata;
    this.hub.view.devices.set(`${namespace}/${name}`, { uid: uidOf(device), nodeName, version });
  }

  /** The watch has caught up. */
  async catchUp(name: string): Promise<void> {
    this.sees(await this.devices.get('default', name));
  }

  async deviceStatus(name: string): Promise<KubeObject | undefined> {
    return found(this.statuses.get('default', name));
  }

  /** Calls of the hub since the last time, discovery aside. */
  calls(): string[] {
    const calls = this.hub.client.calls.splice(0);
    return calls.filter((call) => !call.endsWith('/apis/devices.kubeedge.io/v1beta1'));
  }

  async stop(): Promise<void> {
    this.#client.close();
    await this.hub.stop();
  }
}

/** A hub with devices. */
export async function startDeviceSite(
  definitions: Definitions = 'ours',
  options: Partial<UpstreamRouterOptions> = {},
): Promise<DeviceSite> {
  const site = new DeviceSite(await startHub(options));
  await site.define(definitions);
  return site;
}

/** What an edge reports of a device. */
export function report(
  device: KubeObject,
  temperature: string,
  more: Partial<UpstreamBodies['device']> = {},
): UpstreamBodies['device'] {
  const { namespace = '', name = '' } = device.metadata;
  return {
    ...{ namespace, name, uid: uidOf(device), state: 'ok', lastOnlineTime: '2026-11-22T09:00:00Z' },
    twins: [{ propertyName: 'temperature', reported: { value: temperature, metadata: { type: 'FLOAT' } } }],
    ...more,
  };
}

async function found(getting: Promise<KubeObject>): Promise<KubeObject | undefined> {
  try {
    return await getting;
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return undefined;
    throw error;
  }
}

/** Our definition, without what theirs does not have. */
function asIn(definitions: Definitions, name: string, crd: KubeObject): KubeObject {
  if (definitions === 'ours') return crd;
  const theirs = structuredClone(crd) as unknown as {
    spec: {
      versions: {
        subresources?: unknown;
        schema: { openAPIV3Schema: { properties: Record<string, unknown> } };
      }[];
    };
  };
  for (const version of theirs.spec.versions) {
    delete version.subresources;
    const { properties } = version.schema.openAPIV3Schema;
    if (name !== 'devices') continue;
    const { twins } = (properties['status'] as { properties: Fields }).properties;
    const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    properties['status'] =
      definitions === 'kubeedge-1.23' ? anything : { type: 'object', properties: { twins } };
  }
  return theirs as unknown as KubeObject;
}
