import type { ContentKey } from '@hawser/sync';
import { edgeConfig, type EdgeConfigInput } from '../../src/config/options.ts';
import type { NodeTraits } from '../../src/containers/node-traits.ts';
import { PodConfigurator, type PodConfiguratorOptions } from '../../src/containers/pod-configurator.ts';
import type { ApiObject, ObjectSource } from '../../src/objects/object-source.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { PodFolders } from '../../src/pods/pod-folders.ts';

/** Objects of a node, by key, in memory. */
export class MemoryObjects implements ObjectSource {
  readonly objects = new Map<ContentKey, ApiObject>();
  /** Keys in the order in which they were asked for. */
  readonly asked: ContentKey[] = [];

  configMap(name: string, data: Record<string, string>, more: ApiObject = {}): this {
    this.objects.set(`configmaps/default/${name}`, { metadata: { name }, data, ...more });
    return this;
  }

  secret(name: string, data: Record<string, string | Uint8Array>): this {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    this.objects.set(`secrets/default/${name}`, { metadata: { name }, data: Object.fromEntries(encoded) });
    return this;
  }

  get(key: ContentKey): Promise<ApiObject | undefined> {
    this.asked.push(key);
    return Promise.resolve(this.objects.get(key));
  }

  listen(): () => void {
    return () => {};
  }
}

/** An event as it was recorded. */
export interface RecordedEvent {
  readonly pod: string;
  readonly reason: string;
  readonly message: string;
  readonly container?: string | undefined;
}

export const TRAITS: NodeTraits = {
  memoryBytes: 8 * 2 ** 30,
  kernel: '6.1.0-13-amd64',
  hasAppArmor: true,
  cgroupVersion: 1,
  hugePageSizes: [],
};

/** A PodConfigurator with a folder and objects of a test's own. */
export function configSite(
  dataDir: string,
  options: {
    readonly pods?: EdgeConfigInput['pods'];
    readonly traits?: Partial<NodeTraits>;
    readonly hostsFile?: string;
    readonly apiForPods?: PodConfiguratorOptions['apiForPods'];
  } = {},
): { readonly configs: PodConfigurator; readonly objects: MemoryObjects; readonly events: RecordedEvent[] } {
  const objects = new MemoryObjects();
  const events: RecordedEvent[] = [];
  const configs = new PodConfigurator({
    config: edgeConfig({ pods: { resolvConf: '', ...options.pods } }).pods,
    objects,
    folders: new PodFolders({ dataDir, logRoot: '/var/log/pods' }),
    events: {
      record: (pod: Pod, _type, reason, message, container) => {
        events.push({ pod: pod.metadata.name, reason, message, container });
      },
    },
    traits: { ...TRAITS, ...options.traits },
    hostIps: () => ['192.0.2.10'],
    allocatable: () => ({ cpu: '4', memory: '7Gi' }),
    apiForPods: options.apiForPods,
    ...(options.hostsFile !== undefined && { hostsFile: options.hostsFile }),
  });
  return { configs, objects, events };
}
