import { revisionOf, type BoundDevice } from '@hawser/devices';
import type { DeviceDirectory, DirectoryEntry } from '../devices/device-directory.ts';
import type { ApiObject, ObjectSource } from '../objects/object-source.ts';
import type { TwinManager } from '../twins/twin-manager.ts';
import {
  deviceMessage,
  modelMessage,
  modelOfBound,
  partsOf,
  type DesiredPart,
  type DeviceMessage,
  type DeviceParts,
  type ModelMessage,
} from './device-messages.ts';

/** A device as its mapper is to have it. */
export interface DescribedDevice {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly message: DeviceMessage;
  /** Another one where anything is that the mapper is told, settings included; reported values are not. */
  readonly digest: string;
  readonly model: {
    readonly id: string;
    readonly namespace: string;
    readonly name: string;
    readonly message: ModelMessage;
    readonly digest: string;
  };
}

/** What a {@link DeviceDescriber} needs. */
export interface DeviceDescriberOptions {
  readonly directory: DeviceDirectory;
  readonly twins: Pick<TwinManager, 'expected' | 'view'>;
  /** Devices and models, parsed. */
  readonly objects: Pick<ObjectSource, 'get'>;
}

interface Parts {
  readonly bound: BoundDevice;
  readonly revision: string;
  readonly device: DeviceParts;
  readonly model: ModelMessage;
}

/** Makes of directory, twins and the objects themselves what mappers are told of devices. */
export class DeviceDescriber {
  readonly #options: DeviceDescriberOptions;
  /** Of devices in force, by id: a version that is not valid does not replace them. */
  readonly #parts = new Map<string, Parts>();

  constructor(options: DeviceDescriberOptions) {
    this.#options = options;
  }

  /** @returns undefined: there is no such device, or no valid version of it. @throws what the store says */
  async describe(id: string): Promise<DescribedDevice | undefined> {
    const { directory, twins } = this.#options;
    const [namespace = '', name = ''] = id.split('/');
    const parts = await this.#partsOf(id, directory.get(namespace, name));
    // What follows is of one moment.
    const entry = directory.get(namespace, name);
    const expected = twins.expected(id);
    if (parts === undefined || entry?.device === undefined || expected === undefined) {
      if (entry?.device === undefined) this.#parts.delete(id);
      return undefined;
    }
    const { bound, revision, device, model } = parts;
    const desired = new Map(
      [...expected].map(([property, setting]) => [property, desiredPart(entry, property, setting)]),
    );
    const { modelName } = device;
    return {
      ...{ id, namespace, name },
      message: deviceMessage(bound, device, desired, this.#reported(namespace, name)),
      digest: JSON.stringify([revision, device, [...expected]]),
      model: {
        ...{ id: `${namespace}/${modelName}`, namespace, name: modelName, message: model },
        digest: JSON.stringify(model),
      },
    };
  }

  async #partsOf(id: string, entry: DirectoryEntry | undefined): Promise<Parts | undefined> {
    if (entry?.device === undefined) return undefined;
    const bound = entry.device;
    const kept = this.#parts.get(id);
    if (kept?.bound === bound && entry.problems.length > 0) return kept;
    const { namespace, name } = entry;
    const object = await this.#options.objects.get(`devices.devices.kubeedge.io/${namespace}/${name}`);
    if (object === undefined) return kept;
    const device = partsOf(object, bound);
    const model = await this.#modelOf(entry, bound, device.modelName);
    const made: Parts = { bound, device, model, revision: revisionOf(bound) };
    this.#parts.set(id, made);
    return made;
  }

  async #modelOf(
    { namespace, problems }: DirectoryEntry,
    bound: BoundDevice,
    name: string,
  ): Promise<ModelMessage> {
    let object: ApiObject | undefined;
    if (problems.length === 0)
      object = await this.#options.objects.get(`devicemodels.devices.kubeedge.io/${namespace}/${name}`);
    return object === undefined ? modelOfBound(bound, name) : modelMessage(object);
  }

  #reported(namespace: string, name: string): ReadonlyMap<string, string> {
    const { twins = [] } = this.#options.twins.view(namespace, name) ?? {};
    return new Map(
      twins.flatMap(({ property, reported }) => (reported ? [[property, reported.value] as const] : [])),
    );
  }
}

/** What the Device says of a value is not said of another one that was set here. */
function desiredPart(
  { desired }: DirectoryEntry,
  property: string,
  { value, version }: { readonly value: string; readonly version: string },
): DesiredPart {
  const ofCloud = desired.get(property);
  const { metadata = {} } = ofCloud?.written ?? {};
  if (ofCloud?.version === version) return { value, metadata };
  const { type } = metadata;
  return { value, metadata: type === undefined ? {} : { type } };
}
