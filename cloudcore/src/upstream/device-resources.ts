import {
  jsonEqual,
  type ApiClient,
  type CallOptions,
  type JsonObject,
  type KubeObject,
  type ResourceClient,
} from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { DEVICES } from '../cache/bound-devices.ts';
import { record, records, text } from '../cache/json-reader.ts';
import { SharedRead } from '../cluster/shared-read.ts';
import { hasCode } from './conflict-retry.ts';

/** What was last heard of a device, and no more. Source: KubeEdge devices.kubeedge.io v1beta1, since 1.23. */
export const DEVICE_STATUSES = { ...DEVICES, resource: 'devicestatuses', kind: 'DeviceStatus' } as const;

/**
 * How the status of a resource is written. `subresource`: by itself, as our definitions have it. `whole`: as part of the
 * object, as KubeEdge's have it. `absent`: the cluster does not know the resource.
 */
export type StatusForm = 'subresource' | 'whole' | 'absent';

/** Another definition is noticed after this time, or when a write has failed, milliseconds. */
const MAX_AGE_MS = 60_000;

/**
 * Which definitions of devices the cluster has. A write of the status of an object whose definition has no subresource is
 * answered as if there were no such object; the other way round it is taken and does nothing. So it has to be known.
 */
export class DeviceResources {
  readonly #served: SharedRead<ReadonlySet<string>>;

  constructor(client: ApiClient, clock: Clock) {
    this.#served = new SharedRead({
      read: (signal) => served(client, signal),
      nowMs: () => clock.monotonicMs(),
    });
  }

  /** Errors: those of `ApiClient`. */
  async statusForm(resource: string): Promise<StatusForm> {
    const names = await this.#served.get(MAX_AGE_MS);
    if (names.has(`${resource}/status`)) return 'subresource';
    return names.has(resource) ? 'whole' : 'absent';
  }

  /** A write did not find what should be there. */
  forget(): void {
    this.#served.forget();
  }

  /**
   * Writes a part of a status on top of a version, whatever way the definition wants it.
   * @returns the version that the object has then
   * Errors: those of `ApiClient`; NotFound also if the definition has just become another: read, and try again
   */
  async patchStatus(
    target: ResourceClient,
    { namespace, name }: { readonly namespace: string; readonly name: string },
    resourceVersion: string,
    status: JsonObject,
    options: CallOptions,
  ): Promise<string> {
    const form = await this.statusForm(target.resource.resource);
    const isApart = form === 'subresource';
    const patch = { metadata: { resourceVersion }, status };
    const how = { ...options, ...(isApart && { subresource: 'status' }) };
    let written: KubeObject;
    try {
      written = await target.patch(namespace, name, 'merge', patch, how);
    } catch (error) {
      if (hasCode(error, 404)) this.#served.forget();
      throw error;
    }
    const { resourceVersion: version = '' } = written.metadata;
    const { twins } = status;
    if (isApart || twins === undefined || jsonEqual(record(written['status'])['twins'], twins))
      return version;
    // Taken, and not done: has it got a subresource since?
    this.#served.forget();
    if ((await this.statusForm(target.resource.resource)) !== 'subresource') return version;
    return this.patchStatus(target, { namespace, name }, version, status, options);
  }

  /** Gives up what is under way. */
  close(reason: Error): void {
    this.#served.close(reason);
  }
}

/** Source: Kubernetes API concepts, "Unaggregated discovery". */
async function served(client: ApiClient, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const path = `/apis/${DEVICES.group}/${DEVICES.version}`;
  try {
    const list = await client.request({ method: 'GET', path, signal, retries: 0, timeoutMs: 10_000 });
    return new Set(records(record(list)['resources']).map(({ name }) => text(name)));
  } catch (error) {
    if (hasCode(error, 404)) return new Set();
    throw error;
  }
}
