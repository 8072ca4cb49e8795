import {
  PROBLEMS_MAX,
  SchemaChecker,
  type BoundDevice,
  type ConfigData,
  type Problem,
} from '@hawser/devices';
import type { Driver, DriverProblem, Visit } from '../driver.ts';
import { messageOf } from '../errors.ts';

/** What a driver can work with, or why it cannot. */
export type Validated =
  | { readonly ok: true; readonly config: ConfigData; readonly visits: readonly Visit[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Looks at devices as a driver wants them: its schemas first, then what it says itself. */
export class DeviceValidator {
  readonly #driver: Driver;
  #checker: Promise<SchemaChecker> | undefined;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /**
   * Paths of problems are those in the Device.
   * @throws DeviceError `ERR_DEVICES_SCHEMA`: the driver's schemas are none
   */
  async validate(device: BoundDevice): Promise<Validated> {
    // The library for schemas is loaded with the first device.
    this.#checker ??= SchemaChecker.load(this.#driver.schemas);
    const verdict = (await this.#checker).check(device);
    if (verdict.device === undefined) return { ok: false, problems: verdict.problems };
    const { config, properties } = verdict.device;
    const visits = properties.map(({ name, type, accessMode, visitor }): Visit => ({
      property: name,
      type,
      writable: accessMode === 'ReadWrite',
      visitor,
    }));
    const problems = this.#askDriver(device, config, visits);
    return problems.length > 0 ? { ok: false, problems } : { ok: true, config, visits };
  }

  #askDriver(device: BoundDevice, config: ConfigData, visits: readonly Visit[]): readonly Problem[] {
    try {
      const problems = this.#driver.check?.(config, visits) ?? [];
      return problems.slice(0, PROBLEMS_MAX).map((problem) => inDevice(device, problem));
    } catch (error) {
      const message = `cannot be checked: ${messageOf(error)}`;
      return [{ path: '/spec', message, remedy: 'This is a mistake in the mapper: tell who wrote it.' }];
    }
  }
}

/** A problem with its path in the Device. */
function inDevice(device: BoundDevice, problem: DriverProblem): Problem {
  const { path, message, property, remedy = 'See the documentation of the mapper.' } = problem;
  if (property === undefined) return { path: `/spec/protocol/configData${path}`, message, remedy };
  const index = device.properties.findIndex(({ name }) => name === property);
  if (index >= 0 && device.properties[index]?.inherited !== true) {
    return { path: `/spec/properties/${index}/visitors/configData${path}`, message, remedy };
  }
  // Only the model has it: there is no path in the Device.
  const where = `property "${property}" of the model: /visitors/configData${path}`;
  return { path: '/spec/deviceModelRef/name', message: `${where} ${message}`, remedy };
}
