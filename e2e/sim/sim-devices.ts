import { silentLogger } from '@hawser/seams';
import {
  MapperTopics,
  MemoryEventBus,
  ReplicaDirectory,
  ReplicaObjects,
  StoredJsonState,
  TwinManager,
  TwinTopics,
} from '@hawser/edgecore/testing/devices';
import { packJson, type Outbox, type ReplicaStore, type UpstreamBodies } from '@hawser/sync';
import type { DeviceChecker } from './device-checker.ts';
import { COUNTER } from './device-fields.ts';
import type { Dice } from './dice.ts';
import type { SimDisk } from './sim-disk.ts';
import { SimMapper, type Registers } from './sim-mapper.ts';
import { SimState } from './sim-state.ts';
import type { MortalClock, VirtualTime } from './virtual-time.ts';

/** What one life of an edge process keeps twins with. */
export interface DeviceLifeOptions {
  readonly scope: string;
  readonly clock: MortalClock;
  readonly replica: ReplicaStore;
  readonly outbox: Outbox;
  readonly dice: Dice;
}

/**
 * The devices behind an edge: registers, the mapper that serves them, and what is on the disk of their twins. What keeps
 * the twins is the true thing; bus, mapper and devices are models.
 */
export class SimDevices {
  readonly registers: Registers = new Map();
  /** Values on the disk. */
  readonly state = new Map<string, Uint8Array>();
  readonly checker: DeviceChecker;
  readonly #time: VirtualTime;
  readonly #disk: SimDisk;
  readonly #dice: Dice;
  #mapper: SimMapper;
  #bus: MemoryEventBus | undefined;

  constructor(time: VirtualTime, disk: SimDisk, dice: Dice, checker: DeviceChecker) {
    this.#time = time;
    this.#disk = disk;
    this.#dice = dice;
    this.checker = checker;
    this.#mapper = new SimMapper(time, dice.fork(), this.registers, checker);
  }

  /** The mapper is killed, and begins anew after a while. */
  restartMapper(): void {
    this.#mapper.die();
    this.#time.setTimer(this.#dice.between(10, 20_000), () => {
      this.#mapper = new SimMapper(this.#time, this.#dice.fork(), this.registers, this.checker);
      this.#mapper.setBus(this.#bus);
    });
  }

  /** The counter of a device goes up. */
  count(uid: string): void {
    const registers = this.registers.get(uid);
    if (registers === undefined) return;
    registers.set(COUNTER, String(Number(registers.get(COUNTER) ?? 0) + 1));
    this.#mapper.changed(uid);
  }

  setBus(bus: MemoryEventBus | undefined): void {
    this.#bus = bus;
    this.#mapper.setBus(bus);
  }

  /** What keeps twins in one life of the edge process; not started. */
  open(options: DeviceLifeOptions): DeviceLife {
    return new DeviceLife(this, new SimState(this.state, () => this.#disk.flush()), options);
  }
}

/** Twins in one life of an edge process. */
export class DeviceLife {
  readonly twins: TwinManager;
  readonly directory: ReplicaDirectory;
  readonly #devices: SimDevices;
  readonly #state: SimState;
  readonly #clock: MortalClock;
  readonly #dice: Dice;
  readonly #bus = new MemoryEventBus();
  readonly #topics: readonly [MapperTopics, TwinTopics];
  #isSetting = false;
  #ids = 0;

  constructor(devices: SimDevices, state: SimState, options: DeviceLifeOptions) {
    const { scope, clock, replica, outbox, dice } = options;
    this.#devices = devices;
    this.#state = state;
    this.#clock = clock;
    this.#dice = dice.fork();
    this.#bus.isRecording = false;
    const life = this.#dice.below(2 ** 31);
    const common = { clock, log: silentLogger };
    const objects = new ReplicaObjects({ replica, scope, isLost: () => false });
    this.directory = new ReplicaDirectory({ replica, scope, objects, ...common });
    this.twins = new TwinManager({
      directory: this.directory,
      reports: {
        device: (about, body, onAnswer) =>
          outbox.putVolatile({
            ...{ key: `device/${about.uid}`, kind: 'device', onAnswer },
            body: () => packJson({ device: body() }),
          }),
        settings: (about, body, onAnswer) =>
          outbox.putVolatile({
            ...{ key: `device-setting/${about.uid}`, kind: 'device-setting', onAnswer },
            body: () => packJson({ setting: body() }),
          }),
        withdraw: (kind, { uid }) => outbox.withdraw(`${kind}/${uid}`),
      },
      state: new StoredJsonState(state, silentLogger),
      snapshots: state,
      mayLack: () => false,
      onSuperseded: () => {},
      ...{ reportsPerSecond: 20, persistPeriodMs: 60_000, ...common },
      makeId: () => `setting-${life}-${(this.#ids += 1)}`,
    });
    const seen = { bus: this.#bus, twins: this.twins, directory: this.directory, ...common };
    this.#topics = [
      new MapperTopics({ ...seen, mayLack: () => false }),
      new TwinTopics({ ...seen, node: scope }),
    ];
    this.#bus.isHeard = () => false; // by anybody but the mapper
  }

  async start(): Promise<void> {
    await this.directory.start();
    await this.twins.start();
    if (this.#clock.dead) return;
    for (const topics of this.#topics) topics.start();
    this.#devices.setBus(this.#bus);
  }

  /** The process is killed. */
  die(): void {
    this.#bus.closed = true;
    this.#devices.setBus(undefined);
    this.#state.cut(this.#dice.below(this.#state.depth + 1));
  }

  /** A person at the edge sets a value. One at a time: what it is set over is known then. */
  set(uid: string, name: string, property: string, value: string): void {
    const view = this.twins.view('default', name);
    const entry = this.directory.get('default', name);
    const twin = view?.twins.find((each) => each.property === property);
    if (this.#isSetting || entry?.uid !== uid || twin === undefined) return;
    const { checker } = this.#devices;
    this.#isSetting = true;
    checker.setAtEdge(uid, property, value, twin.expected?.value);
    void this.twins.set('default', name, { [property]: value }).then(
      () => {
        this.#isSetting = false;
        if (!this.#clock.dead) checker.acknowledged(uid, property, value);
      },
      () => (this.#isSetting = false),
    );
  }
}

/** What an edge says of devices. */
export interface DeviceUpstream {
  readonly device?: UpstreamBodies['device'];
  readonly setting?: UpstreamBodies['device-setting'];
}
