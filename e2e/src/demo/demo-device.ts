import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { DEVICE_MODELS, DEVICES } from '@hawser/cloudcore';
import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { resourcePath, ResourceClient, type ApiClient } from '@hawser/kube';
import {
  registerDevice,
  registerModel,
  reportedValue,
  type RegisterProperty,
  type SeenDevice,
} from '../devices-site/device-objects.ts';
import { mapperDefinition, writeDefinition } from '../devices-site/devices-site.ts';
import { NAMESPACE } from './demo.ts';

const UNIT = 1;
const MODEL = 'oven';
const NAME = 'oven-1';
/** Registers, in the order of their offsets. */
const TEMPERATURE = { name: 'temperature', offset: 0 } as const;
const SETPOINT = { name: 'setpoint', offset: 1, writable: true } as const;
const FIRST_SETPOINT = 180;
/** The oven gets warmer or colder at this interval, by so many degrees at most. */
const DRIFT_MS = 5000;
const DRIFT = 5;
const JSON_PATCH = 'application/json-patch+json';

/**
 * An oven: a Modbus device on libmodbus in a process of its own, whose temperature goes to where it is set. Its mapper is
 * started by the edge core.
 */
export class DemoDevice {
  readonly name = NAME;
  /** Folder of mapper definitions, for the configuration of its edge. */
  readonly mappersDir: string;
  readonly #peer: ModbusPeer;
  #timer: NodeJS.Timeout | undefined;
  #drifting: Promise<void> = Promise.resolve();

  private constructor(peer: ModbusPeer, mappersDir: string) {
    this.#peer = peer;
    this.mappersDir = mappersDir;
  }

  /** Why there can be none here; undefined: there can. */
  static missing(): string | undefined {
    return ModbusPeer.missing();
  }

  /** Starts the device, and writes what its mapper is to be started with. @param dir where there is room for a folder */
  static async open(dir: string): Promise<DemoDevice> {
    const mappersDir = path.join(dir, 'mappers.d');
    await mkdir(mappersDir);
    await writeDefinition(mappersDir, 'modbus', mapperDefinition('modbus'));
    const device = new DemoDevice(await ModbusPeer.tcp(), mappersDir);
    try {
      await device.heat(20);
    } catch (error) {
      await device.close();
      throw error;
    }
    return device;
  }

  /** Makes model and device in the cluster. */
  async create(client: ApiClient, node: string): Promise<void> {
    const properties: readonly RegisterProperty[] = [
      TEMPERATURE,
      { ...SETPOINT, desired: String(FIRST_SETPOINT) },
    ];
    const at = { node, model: MODEL, port: this.#peer.port, unit: UNIT };
    const metadata = { namespace: NAMESPACE };
    for (const [resource, object] of [
      [DEVICE_MODELS, registerModel(MODEL, properties)],
      [DEVICES, registerDevice(NAME, at, properties)],
    ] as const)
      await new ResourceClient(client, resource).create({
        ...object,
        metadata: { ...object.metadata, ...metadata },
      });
  }

  /** From now on the temperature goes to where it is set. */
  start(): void {
    this.#timer ??= setInterval(() => {
      this.#drifting = this.#drift().catch(() => {}); // the device has gone: its mapper says so
    }, DRIFT_MS);
  }

  /** Sets the temperature that the device measures. */
  async heat(degrees: number): Promise<void> {
    await this.#peer.set(UNIT, 'holding', TEMPERATURE.offset, [degrees]);
  }

  /** What the register of the setpoint has. */
  async setpoint(): Promise<number> {
    const [value = 0] = await this.#peer.get(UNIT, 'holding', SETPOINT.offset, 1);
    return value;
  }

  /** Sets the desired value of the setpoint in the cluster. */
  async desire(client: ApiClient, degrees: number): Promise<void> {
    const { spec } = await this.seen(client);
    const index = spec.properties?.findIndex(({ name }) => name === SETPOINT.name) ?? -1;
    const body = [
      { op: 'add', path: `/spec/properties/${index}/desired`, value: { value: String(degrees) } },
    ];
    const path = resourcePath(DEVICES, { namespace: NAMESPACE, name: NAME });
    await client.request({ method: 'PATCH', path, body, contentType: JSON_PATCH });
  }

  /** The value that the cluster has of a property; undefined: none yet. */
  async reported(client: ApiClient, property: 'temperature' | 'setpoint'): Promise<string | undefined> {
    return reportedValue(await this.seen(client), property);
  }

  async seen(client: ApiClient): Promise<SeenDevice> {
    return (await new ResourceClient(client, DEVICES).get(NAMESPACE, NAME)) as SeenDevice;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#drifting;
    await this.#peer.stop();
  }

  async #drift(): Promise<void> {
    const [temperature = 0, setpoint = 0] = await this.#peer.get(UNIT, 'holding', TEMPERATURE.offset, 2);
    const step = Math.max(-DRIFT, Math.min(DRIFT, setpoint - temperature));
    if (step !== 0) await this.heat(temperature + step);
  }
}
