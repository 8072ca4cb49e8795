import type { DeviceProtocols } from '../event-bus/bus-account.ts';
import type { DeviceDirectory } from './device-directory.ts';

/** Whose devices are whose: asked for each message of the bus, and so kept. */
export class DeviceProtocolIndex implements DeviceProtocols {
  readonly #directory: DeviceDirectory;
  #byName: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  #ending: (() => void) | undefined;

  constructor(directory: DeviceDirectory) {
    this.#directory = directory;
  }

  /** Idempotent. */
  start(): void {
    this.#ending ??= this.#directory.listen(() => {
      this.#byName = undefined;
    });
  }

  /** Idempotent. */
  stop(): void {
    this.#ending?.();
    this.#ending = undefined;
  }

  protocolOf(namespace: string, name: string): string | undefined {
    return this.#directory.get(namespace, name)?.device?.protocol;
  }

  protocolsNamed(name: string): Iterable<string> {
    this.#byName ??= this.#index();
    return this.#byName.get(name) ?? [];
  }

  #index(): ReadonlyMap<string, ReadonlySet<string>> {
    const index = new Map<string, Set<string>>();
    for (const { name, device } of this.#directory.list()) {
      if (device === undefined) continue;
      index.set(name, (index.get(name) ?? new Set()).add(device.protocol));
    }
    return index;
  }
}
