import { DEVICE_PREFIX, MODEL_KEY, WRITABLE, type DeviceFields } from './device-fields.ts';
import type { Dice } from './dice.ts';
import type { ApiObject } from './sim-cluster.ts';
import type { SimEdge } from './sim-edge.ts';
import type { Simulation } from './simulation.ts';

/** How likely each of these is, relative to the other actions. */
export const DEVICE_WEIGHTS = {
  setInCloud: 22,
  setAtEdge: 22,
  countUp: 22,
  createDevice: 4,
  removeDevice: 2,
  replaceDevice: 2,
  breakDevice: 2,
  changeModel: 3,
  changeCycle: 3,
  restartMapper: 6,
  crashSetting: 5,
} as const;

export type DeviceAction = keyof typeof DEVICE_WEIGHTS;

const MOST_DEVICES = 8;
const MODEL = 'model';
/** A Device as it is applied for the first time. */
export const NEW_DEVICE: DeviceFields = { model: MODEL, desired: {}, reportCycle: 1_000 };

/** What happens to devices, and to what keeps their twins. */
export class DeviceActions {
  readonly #simulation: Simulation;
  readonly #dice: Dice;
  #names = 0;
  #values = 0;

  constructor(simulation: Simulation, dice: Dice) {
    this.#simulation = simulation;
    this.#dice = dice;
  }

  /** What is there at the beginning. */
  begin(): void {
    this.#simulation.cluster.put(MODEL_KEY, { model: { unit: 'C' } });
    for (const edge of this.#simulation.edges) this.#create(edge.node);
  }

  do(action: DeviceAction, edge: SimEdge): void {
    const { cluster } = this.#simulation;
    const device = this.#dice.pick(this.#devices());
    switch (action) {
      case 'createDevice':
        if (this.#devices().length < MOST_DEVICES) this.#create(edge.node);
        return;
      case 'changeModel':
        cluster.put(MODEL_KEY, { model: { unit: `unit-${this.#dice.below(1_000)}` } });
        return;
      case 'restartMapper':
        edge.devices?.restartMapper();
        return;
      default:
        if (device !== undefined) this.#toDevice(action, device);
    }
  }

  /** Ends faults: devices are valid, and their model is there. */
  heal(): void {
    const { cluster } = this.#simulation;
    if (!cluster.objects.has(MODEL_KEY)) cluster.put(MODEL_KEY, { model: { unit: 'C' } });
    for (const { key, device } of this.#devices())
      if (device.model !== MODEL) cluster.put(key, { device: { ...device, model: MODEL } });
  }

  #toDevice(action: DeviceAction, object: ApiObject & { readonly device: DeviceFields }): void {
    const { cluster } = this.#simulation;
    const dice = this.#dice;
    const { key, device, uid, node = '' } = object;
    const edge = this.#simulation.edges.find((each) => each.node === node);
    switch (action) {
      case 'setInCloud':
        this.#setInCloud(object);
        return;
      case 'setAtEdge':
        for (let n = dice.below(3); n >= 0; n -= 1) this.#setAtEdge(object, n * dice.between(0, 200));
        return;
      case 'countUp':
        for (let n = dice.below(4); n >= 0; n -= 1) edge?.devices?.count(uid);
        return;
      case 'removeDevice':
        cluster.remove(key);
        return;
      case 'replaceDevice':
        cluster.remove(key);
        cluster.put(key, { node, refs: [MODEL_KEY], device: { ...NEW_DEVICE, model: device.model } });
        return;
      case 'breakDevice':
        cluster.put(key, { device: { ...device, model: dice.chance(0.5) ? 'none' : MODEL } });
        return;
      case 'changeCycle':
        cluster.put(key, { device: { ...device, reportCycle: dice.pick([10, 1_000, 20_000]) ?? 1_000 } });
        return;
      case 'crashSetting': {
        // Both ends change while the line is cut, and the power goes.
        if (edge === undefined) return;
        this.#simulation.connections.get(edge)?.cut({ edge: 10, hub: 10 });
        this.#setAtEdge(object, dice.between(0, 50));
        if (dice.chance(0.5))
          this.#simulation.time.setTimer(dice.between(0, 100), () => this.#setInCloud(object));
        this.#simulation.time.setTimer(dice.between(0, 100), () => {
          edge.crash();
          this.#simulation.checker.restarted(edge);
          this.#simulation.time.setTimer(dice.between(10, 5_000), () => edge.start(this.#simulation.release));
        });
        return;
      }
      default:
        throw new RangeError(`${action} is not about one device`);
    }
  }

  #create(node: string): void {
    this.#names += 1;
    const fields = { node, refs: [MODEL_KEY], device: NEW_DEVICE };
    this.#simulation.cluster.put(`${DEVICE_PREFIX}default/d${this.#names}`, fields);
  }

  #setInCloud({ key, uid }: ApiObject): void {
    const { cluster, deviceChecker } = this.#simulation;
    const present = cluster.objects.get(key);
    if (present?.uid !== uid || present.device === undefined) return;
    const property = this.#property();
    const value = this.#value();
    deviceChecker.setByPerson(uid, property, value);
    const desired = { ...present.device.desired, [property]: { value } };
    cluster.put(key, { device: { ...present.device, desired } });
  }

  #setAtEdge({ key, uid, node }: ApiObject, afterMs: number): void {
    const edge = this.#simulation.edges.find((each) => each.node === node);
    this.#simulation.time.setTimer(afterMs, () => {
      const value = this.#value();
      edge?.life?.devices?.set(uid, key.slice(`${DEVICE_PREFIX}default/`.length), this.#property(), value);
    });
  }

  #property(): string {
    return this.#dice.pick(WRITABLE) ?? WRITABLE[0];
  }

  #value(): string {
    this.#values += 1;
    return String(this.#values);
  }

  #devices(): readonly (ApiObject & { readonly device: DeviceFields })[] {
    return [...this.#simulation.cluster.objects.values()].filter(
      (object): object is ApiObject & { readonly device: DeviceFields } => object.device !== undefined,
    );
  }
}
