import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DEVICE_MODELS, DEVICES } from '@hawser/cloudcore';
import type { EdgeConfigInput } from '@hawser/edgecore';
import { resourcePath, type ApiResource, type KubeObject } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { ClusterSite, type ClusterSiteOptions } from '../cluster-site/cluster-site.ts';
import { defineResources } from '../cluster-site/define-resources.ts';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import { E2eError } from '../errors.ts';
import type { SeenDevice } from './device-objects.ts';

/** Settings of {@link DevicesSite.open}. */
export interface DevicesSiteOptions extends ClusterSiteOptions {
  /** What differs from the configuration of its edge. */
  readonly edge?: EdgeConfigInput;
  /** Mappers that its edge runs. Default modbus. */
  readonly mappers?: readonly MapperName[];
}

/** Mappers of this project. */
export type MapperName = 'modbus' | 'bluetooth' | 'virtual';

const LOOK_EVERY_MS = 5;
const NODE = 'edge-1';
const MERGE_PATCH = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

/**
 * A {@link ClusterSite} with the definitions of devices, and a node that runs mappers: what tests, benches and the
 * demonstration of devices stand on.
 */
export class DevicesSite {
  readonly cluster: ClusterSite;
  readonly edge: SiteEdge;
  /** Folder of mapper definitions of the node. */
  readonly mappersDir: string;

  private constructor(cluster: ClusterSite, edge: SiteEdge, mappersDir: string) {
    this.cluster = cluster;
    this.edge = edge;
    this.mappersDir = mappersDir;
  }

  /** Opens all of it; the node has joined and is in sync. */
  static async open(options: DevicesSiteOptions = {}): Promise<DevicesSite> {
    const { edge: config = {}, mappers = ['modbus'], ...clusterOptions } = options;
    const cluster = await ClusterSite.open({ prepare: defineDevices, ...clusterOptions });
    try {
      const mappersDir = path.join(cluster.dir, 'mappers.d');
      await mkdir(mappersDir);
      for (const name of mappers) await writeDefinition(mappersDir, name, mapperDefinition(name));
      const edge = await cluster.edge(NODE, {
        config: {
          ...config,
          eventBus: { listen: '127.0.0.1:0', ...config.eventBus },
          mappers: { dir: mappersDir },
        },
      });
      return new DevicesSite(cluster, edge, mappersDir);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.cluster.close();
  }

  /** Creates devices and models. */
  async create(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) {
      const path = resourcePath(resourceOf(object), { namespace: 'default' });
      await this.cluster.client.request({ method: 'POST', path, body: object });
    }
  }

  async device(name: string): Promise<SeenDevice> {
    return (await this.cluster.objects.get(DEVICES, name)) as SeenDevice;
  }

  async devices(): Promise<readonly SeenDevice[]> {
    return (await this.cluster.objects.list(DEVICES)) as readonly SeenDevice[];
  }

  /** Waits until a device is as it should be in the API. @throws E2eError ERR_E2E_CHILD_TIMEOUT, with its status */
  async until(name: string, is: (device: SeenDevice) => boolean, deadlineMs = 20_000): Promise<SeenDevice> {
    const lateMs = performance.now() + deadlineMs;
    for (;;) {
      const device = await this.device(name);
      if (is(device)) return device;
      if (performance.now() > lateMs) {
        const said = JSON.stringify({ spec: device.spec, status: device.status });
        const edge = this.edge.process.stderr.slice(-3000);
        throw new E2eError(
          'ERR_E2E_CHILD_TIMEOUT',
          `device ${name} is still ${said}; the edge says: ${edge}`,
        );
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** What `kubectl patch device` with a desired value does. */
  async setDesired(name: string, property: string, value: string): Promise<void> {
    const device = await this.device(name);
    const index = device.spec.properties?.findIndex((each) => each.name === property) ?? -1;
    if (index < 0) throw new E2eError('ERR_E2E_BAD_OPTION', `${name} has no property ${property}`);
    const body = [{ op: 'add', path: `/spec/properties/${index}/desired`, value: { value } }];
    const path = resourcePath(DEVICES, { namespace: 'default', name });
    await this.cluster.client.request({ method: 'PATCH', path, body, contentType: JSON_PATCH });
  }

  /** Merges something into a device. */
  async patch(name: string, body: object): Promise<void> {
    const path = resourcePath(DEVICES, { namespace: 'default', name });
    await this.cluster.client.request({ method: 'PATCH', path, body, contentType: MERGE_PATCH });
  }

  /** Deletes devices. */
  async remove(...names: readonly string[]): Promise<void> {
    await this.cluster.objects.remove(DEVICES, names);
  }
}

/** What of the definition folder runs a mapper of this project. */
export function mapperDefinition(name: MapperName): object {
  return { protocols: [name], run: { command: [process.execPath, mapperProgram(name)] } };
}

/** The program of a mapper of this project. */
export function mapperProgram(name: MapperName): string {
  const entry = createRequire(import.meta.url).resolve(`@hawser/mapper-${name}`);
  return path.join(path.dirname(entry), 'main.js');
}

/** Writes a definition; JSON is YAML. */
export async function writeDefinition(dir: string, name: string, definition: object): Promise<void> {
  await writeFile(path.join(dir, `${name}.yaml`), JSON.stringify(definition));
}

/** Applies the definitions of devices and models, as `hawser init` does, and waits until the API serves them. */
export async function defineDevices(site: ClusterSite): Promise<void> {
  await defineResources(site, [DEVICES, DEVICE_MODELS]);
}

function resourceOf({ kind }: KubeObject): ApiResource {
  return kind === 'DeviceModel' ? DEVICE_MODELS : DEVICES;
}
