import { DeviceError } from '@hawser/devices';
import type { JsonState } from '../state/json-state.ts';
import { readSettings, type DeviceSettings } from './twin-settings.ts';

const PREFIX = 'twin-setting/';
/** Settings of one device, bytes of JSON: the state takes values of 64 KiB. */
const LIMIT_BYTES = 60 * 1024;
/** Those of all devices: a quarter of what the state takes. */
const LIMIT_TOTAL_BYTES = 1024 * 1024;

/** Keeps what was set at this node and is not in the cloud yet, by `<namespace>/<name>` of the device. */
export class SettingStore {
  readonly #state: JsonState;
  readonly #bytes = new Map<string, number>();

  constructor(state: JsonState) {
    this.#state = state;
  }

  /** What the disk has. `damaged`: ids of what cannot be read. */
  async load(): Promise<{
    readonly settings: ReadonlyMap<string, DeviceSettings>;
    readonly damaged: readonly string[];
  }> {
    const settings = new Map<string, DeviceSettings>();
    const damaged: string[] = [];
    for (const [key, value] of await this.#state.readAll(PREFIX)) {
      const id = key.slice(PREFIX.length);
      const kept = readSettings(value);
      if (kept === undefined) damaged.push(id);
      else settings.set(id, kept);
      this.#bytes.set(id, sizeOf(value));
    }
    return { settings, damaged };
  }

  /** Ids of devices with something on the disk. */
  ids(): readonly string[] {
    return [...this.#bytes.keys()];
  }

  /**
   * Makes durable what is there; undefined: nothing.
   * @throws DeviceError `ERR_DEVICES_BUSY`: too much waits; what the state throws
   */
  async write(id: string, settings: DeviceSettings | undefined): Promise<void> {
    if (settings === undefined) {
      if (!this.#bytes.has(id)) return;
      await this.#state.remove(PREFIX + id);
      this.#bytes.delete(id);
      return;
    }
    const size = sizeOf(settings);
    let total = size;
    for (const [other, bytes] of this.#bytes) if (other !== id) total += bytes;
    if (size > LIMIT_BYTES || total > LIMIT_TOTAL_BYTES) {
      const message = `${id}: settings of ${size} bytes wait for the cloud, with those of other devices ${total}`;
      throw new DeviceError(
        'ERR_DEVICES_BUSY',
        `${message}; at most ${LIMIT_BYTES} and ${LIMIT_TOTAL_BYTES} are kept`,
      );
    }
    await this.#state.write(PREFIX + id, settings);
    this.#bytes.set(id, size);
  }
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
