import type { MapperDesired, MapperDevice } from '@hawser/devices';
import type { MemoryEventBus } from '@hawser/edgecore/testing/devices';
import type { DeviceChecker } from './device-checker.ts';
import { COUNTER, PROTOCOL, WRITABLE } from './device-fields.ts';
import type { Dice } from './dice.ts';
import { MortalClock, type VirtualTime } from './virtual-time.ts';

const M = `$hw/events/mapper/${PROTOCOL}`;
const CLIENT = { name: PROTOCOL, protocols: new Set([PROTOCOL]) };
/** Twice as long as of true ones, which is half the work, and less than the 15 s of a silent one. */
const HEARTBEAT_MS = 10_000;

/** Registers of the devices behind a mapper, by UID and property: they outlive everything. */
export type Registers = Map<string, Map<string, string>>;

/** One life of a mapper: what it knows of settings dies with it. As the SDK of mappers does it, in short. */
export class SimMapper {
  readonly clock: MortalClock;
  readonly #dice: Dice;
  readonly #registers: Registers;
  readonly #checker: DeviceChecker;
  /** By `<namespace>/<name>`. */
  readonly #devices = new Map<string, string>();
  readonly #desired = new Map<string, MapperDesired['values']>();
  /** Version that was settled last, by UID and property. */
  readonly #settled = new Map<string, string>();
  #bus: MemoryEventBus | undefined;
  #endings: (() => void)[] = [];

  constructor(time: VirtualTime, dice: Dice, registers: Registers, checker: DeviceChecker) {
    this.clock = new MortalClock(time);
    this.#dice = dice;
    this.#registers = registers;
    this.#checker = checker;
  }

  /** The bus of the edge is another one, or none. */
  setBus(bus: MemoryEventBus | undefined): void {
    for (const ending of this.#endings.splice(0)) ending();
    this.#bus = undefined;
    if (bus === undefined) return;
    this.clock.setTimer(this.#dice.between(20, 3_000), () => {
      if (!bus.closed && this.#bus === undefined) this.#connect(bus);
    });
  }

  die(): void {
    this.setBus(undefined);
    this.clock.die();
  }

  /** A register has another value, by itself. */
  changed(uid: string): void {
    this.clock.setTimer(this.#dice.between(1, 1_000), () => {
      for (const [id, known] of this.#devices) if (known === uid) this.#report(id, [COUNTER]);
    });
  }

  #connect(bus: MemoryEventBus): void {
    this.#bus = bus;
    this.#say(`${M}/hello`, { mapper: PROTOCOL, version: '1', schemas: { protocol: {}, visitor: {} } }, true);
    // What is retained is all that there is.
    this.#devices.clear();
    this.#desired.clear();
    const hear = (kind: string, handler: (id: string, payload: string) => void): (() => void) =>
      bus.subscribe(`${M}/${kind}/+/+`, ({ topic, payload }) => {
        const [namespace = '', name = ''] = topic.split('/').slice(-2);
        handler(`${namespace}/${name}`, Buffer.from(payload).toString('utf8'));
      });
    this.#endings = [
      hear('devices', (id, payload) => this.#device(id, payload)),
      hear('desired', (id, payload) => this.#wants(id, payload)),
    ];
    this.#beat(bus);
  }

  #beat(bus: MemoryEventBus): void {
    if (this.#bus !== bus || bus.closed) return;
    const { size: devices } = this.#devices;
    this.#say(`${M}/heartbeat`, { devices, online: devices, dropped: 0 });
    this.clock.setTimer(HEARTBEAT_MS, () => this.#beat(bus));
  }

  #device(id: string, payload: string): void {
    if (payload === '') {
      this.#devices.delete(id);
      return;
    }
    const { device } = JSON.parse(payload) as MapperDevice;
    const isNew = this.#devices.get(id) !== device.uid;
    this.#devices.set(id, device.uid);
    if (!isNew) return;
    if (!this.#registers.has(device.uid))
      this.#registers.set(device.uid, new Map([...WRITABLE, COUNTER].map((name) => [name, '0'])));
    this.clock.setTimer(this.#dice.between(1, 300), () => {
      if (this.#devices.get(id) !== device.uid) return;
      this.#say(`$hw/events/device/${id}/state/update`, { state: 'online' });
      this.#report(id, [...WRITABLE, COUNTER]);
    });
    this.#apply(id);
  }

  #wants(id: string, payload: string): void {
    if (payload === '') this.#desired.delete(id);
    else this.#desired.set(id, (JSON.parse(payload) as MapperDesired).values);
    this.#apply(id);
  }

  #apply(id: string): void {
    this.clock.setTimer(this.#dice.between(1, 200), () => {
      const uid = this.#devices.get(id);
      const registers = this.#registers.get(uid ?? '');
      if (uid === undefined || registers === undefined) return;
      const results: Record<string, object> = {};
      for (const [property, { value, version }] of Object.entries(this.#desired.get(id) ?? {})) {
        const key = `${uid}/${property}`;
        const settled = this.#settled.get(key);
        // After a restart it is written only where the device has another value.
        if (settled !== version && (settled !== undefined || registers.get(property) !== value)) {
          registers.set(property, value);
          this.#checker.wrote(this, uid, property, value);
        }
        this.#settled.set(key, version);
        results[property] = { version, ok: true };
      }
      if (Object.keys(results).length === 0) return;
      this.#say(`${M}/settled/${id}`, { results });
      this.#report(id, Object.keys(results));
    });
  }

  #report(id: string, properties: readonly string[]): void {
    const registers = this.#registers.get(this.#devices.get(id) ?? '');
    if (registers === undefined) return;
    const twin = Object.fromEntries(
      properties.map((name) => [name, { actual: { value: registers.get(name) ?? '0' } }]),
    );
    this.#say(`$hw/events/device/${id}/twin/update`, { twin });
  }

  #say(topic: string, payload: object, retain = false): void {
    void this.#bus?.say(topic, payload, CLIENT, retain);
  }
}
