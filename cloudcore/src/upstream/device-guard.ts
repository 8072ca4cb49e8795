import { ResourceClient, type ApiClient, type KubeObject } from '@hawser/kube';
import { DEVICES } from '../cache/bound-devices.ts';
import type { ClusterView } from '../cache/cluster-view.ts';
import { record, text } from '../cache/json-reader.ts';
import { hasCode } from './conflict-retry.ts';
import { Refusal } from './outcome.ts';
import { callOptions, type Origin } from './upstream-task.ts';

/** Which device a message is about. */
export interface DeviceReference {
  readonly namespace: string;
  readonly name: string;
  /** Absent: whichever has the name. */
  readonly uid?: string | undefined;
}

/** A Device, as far as the hub reads it; its parts are read with care. */
export type Device = KubeObject;

/**
 * Decides whether a device is a node's business: it is at the node, and is the very one (uid). The cache says yes
 * without a call; it may lag behind, so a no is only said by the API server.
 */
export class DeviceGuard {
  readonly #devices: ResourceClient;
  readonly #view: ClusterView;

  constructor(client: ApiClient, view: ClusterView) {
    this.#devices = new ResourceClient(client, DEVICES);
    this.#view = view;
  }

  /**
   * Lets the node speak about the device.
   * @returns the device as it is now, where it had to be read
   * @throws Refusal 403 not-yours, 404 gone; StatusError, ClientError of the API
   */
  async authorize(origin: Origin, reference: DeviceReference): Promise<Device | undefined> {
    const cached = this.#view.device(reference.namespace, reference.name);
    const { uid = cached?.uid } = reference;
    if (cached?.nodeName === origin.node && cached.uid === uid) return undefined;
    return this.live(origin, reference);
  }

  /**
   * The device as it is now, if it is at the node. Errors as {@link authorize}.
   */
  async live(origin: Origin, { namespace, name, uid }: DeviceReference): Promise<Device> {
    const device = await this.#get(origin, namespace, name);
    if (device === undefined || (uid !== undefined && device.metadata.uid !== uid)) {
      throw new Refusal(404, 'gone', `device ${namespace}/${name} (${uid ?? 'any'}) is not there`);
    }
    if (text(record(device['spec'])['nodeName']) !== origin.node) {
      throw new Refusal(403, 'not-yours', `device ${namespace}/${name} is not at ${origin.node}`);
    }
    return device;
  }

  async #get(origin: Origin, namespace: string, name: string): Promise<Device | undefined> {
    try {
      return await this.#devices.get(namespace, name, callOptions(origin));
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }
}
