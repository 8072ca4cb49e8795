import type { ApiClient, KubeObject } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { formatKey, type ContentKey } from '@hawser/sync';
import { SharedRead } from '../cluster/shared-read.ts';
import type { DeviceFacts } from './cluster-view.ts';
import type { ContentEvents } from './content-events.ts';
import { record as fieldsOf, text } from './json-reader.ts';
import { listObjects } from './list-objects.ts';
import type { NodeScope } from './node-scope.ts';
import { isObjectName, resourceName } from './object-key.ts';
import { hold, ObjectRecord, release, setReferences, type RecordOwner } from './object-record.ts';
import { isOlder, RecordTable, type PreparedObject } from './record-table.ts';
import type { CompleteList, FeedSink } from './resource-feed.ts';

const GROUP = { group: 'devices.kubeedge.io', version: 'v1beta1', namespaced: true } as const;

/** Devices and their models. Source: KubeEdge devices.kubeedge.io v1beta1. */
export const DEVICES = { ...GROUP, resource: 'devices', kind: 'Device' } as const;
export const DEVICE_MODELS = { ...GROUP, resource: 'devicemodels', kind: 'DeviceModel' } as const;

/** Hears of every Device of the cluster, bound to a node or not. Methods are synchronous and must not throw. */
export interface DeviceListener {
  /** It is there, or has changed. */
  seen(device: KubeObject): void;
  /** @param key `<namespace>/<name>` */
  gone(key: string): void;
  /** These are all there are; each was `seen` before. */
  listed(keys: ReadonlySet<ContentKey>): void;
}

/** What {@link BoundDevices} needs. */
export interface BoundDevicesOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly events: ContentEvents;
  /** The scope of a node, made if there is none. */
  readonly scope: (node: string) => NodeScope;
  /** Finds the record of a device model, or makes one. */
  readonly resolve: (key: ContentKey) => ObjectRecord | undefined;
  /** A device of the node is gone. */
  readonly onReleased: (scope: NodeScope) => void;
  readonly listener: DeviceListener;
}

interface PreparedDevice extends PreparedObject {
  readonly uid: string;
  /** `''`: bound to none. */
  readonly node: string;
  readonly model: ContentKey | undefined;
}

/** Of each device by its key: where it is, and as of which version. */
type DeviceList = ReadonlyMap<ContentKey, { readonly node: string; readonly version: string }>;

class DeviceRecord extends ObjectRecord {
  node: NodeScope;
  uid = '';

  constructor(key: ContentKey, owner: RecordOwner, node: NodeScope) {
    super(key, owner, 0);
    this.node = node;
  }
}

/**
 * Every device that is bound to a node, with its model: a device is at an edge, so that all are kept, whether their
 * node has a session or not. A device may move to another node.
 */
export class BoundDevices implements FeedSink<PreparedDevice>, RecordOwner {
  readonly table: RecordTable<DeviceRecord>;
  readonly #options: BoundDevicesOptions;
  /** Devices cannot be selected by node: one list serves all nodes that ask at a time. */
  readonly #listed: SharedRead<DeviceList>;

  constructor(options: BoundDevicesOptions) {
    this.#options = options;
    const nowMs = (): number => options.clock.monotonicMs();
    this.#listed = new SharedRead({ read: (signal) => this.#list(signal), nowMs });
    this.table = new RecordTable(resourceName(DEVICES), options.events);
  }

  facts(key: ContentKey): DeviceFacts | undefined {
    const device = this.table.get(key);
    return device && { uid: device.uid, nodeName: device.node.name, version: device.version };
  }

  wanted(): void {}

  unwanted(): void {}

  prepare(device: KubeObject): PreparedDevice {
    this.#options.listener.seen(device);
    const { nodeName, deviceModelRef } = fieldsOf(device['spec']);
    const key = this.table.keyOf(device);
    const { name } = fieldsOf(deviceModelRef);
    const { uid = '' } = device.metadata;
    const model = isObjectName(name)
      ? formatKey(resourceName(DEVICE_MODELS), device.metadata.namespace ?? '', name)
      : undefined;
    // One that is bound to no node is only there to say so.
    if (text(nodeName) === '') {
      return {
        key,
        uid,
        version: device.metadata.resourceVersion ?? '',
        content: undefined,
        node: '',
        model,
      };
    }
    const { version, content } = this.table.prepare(key, device);
    return { key, uid, version, content, node: text(nodeName), model };
  }

  put(entry: PreparedDevice): void {
    this.#accept(entry, false);
  }

  replace(entries: Iterable<PreparedDevice>, { version, wentBack }: CompleteList): void {
    const listed = new Set<ContentKey>();
    for (const entry of entries) {
      listed.add(entry.key);
      this.#accept(entry, wentBack);
    }
    this.#options.listener.listed(listed);
    for (const device of [...this.table.values()]) {
      if (!listed.has(device.key) && (wentBack || !isOlder(version, device.version))) this.#drop(device);
    }
  }

  remove(object: KubeObject): void {
    const { namespace = '', name = '' } = object.metadata;
    this.#options.listener.gone(`${namespace}/${name}`);
    const device = this.table.get(this.table.keyOf(object));
    if (device !== undefined && !isOlder(object.metadata.resourceVersion ?? '', device.version))
      this.#drop(device);
  }

  /** Whether the devices of the node are those that the API server has. Errors: those of `ApiClient`. */
  async agrees(scope: NodeScope, signal: AbortSignal): Promise<boolean> {
    const listed = await this.#listed.get(0);
    signal.throwIfAborted();
    this.#listed.forget();
    for (const [key, { node, version }] of listed) {
      const device = this.table.get(key);
      if (node === scope.name && (device?.node !== scope || isOlder(device.version, version))) return false;
    }
    for (const held of scope.holds.keys()) {
      if (held instanceof DeviceRecord && listed.get(held.key)?.node !== scope.name) return false;
    }
    return true;
  }

  /** Gives up what is under way. */
  close(reason: Error): void {
    this.#listed.close(reason);
  }

  async #list(signal: AbortSignal): Promise<DeviceList> {
    const listed = new Map<ContentKey, { node: string; version: string }>();
    for await (const device of listObjects(this.#options.client, DEVICES, {}, signal)) {
      const node = text(fieldsOf(device['spec'])['nodeName']);
      listed.set(this.table.keyOf(device), { node, version: device.metadata.resourceVersion ?? '' });
    }
    return listed;
  }

  #accept(entry: PreparedDevice, forced: boolean): void {
    const known = this.table.get(entry.key);
    if (known !== undefined && !forced && isOlder(entry.version, known.version)) return;
    if (entry.node === '') {
      if (known !== undefined) this.#drop(known);
      return;
    }
    const scope = this.#options.scope(entry.node);
    const device = known ?? this.table.add(new DeviceRecord(entry.key, this, scope));
    this.table.accept(device, entry, forced);
    device.uid = entry.uid;
    if (known?.node !== scope) {
      const before = device.node;
      device.node = scope;
      hold(scope, device);
      if (known !== undefined) this.#release(before, device);
    }
    const model = entry.model === undefined ? undefined : this.#options.resolve(entry.model);
    setReferences(device, model === undefined ? [] : [model]);
  }

  #drop(device: DeviceRecord): void {
    this.table.delete(device);
    this.#release(device.node, device);
  }

  #release(scope: NodeScope, device: DeviceRecord): void {
    release(scope, device);
    this.#options.onReleased(scope);
  }
}
