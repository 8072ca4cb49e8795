import { silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { contentOf, type ReplicaChange, type UpstreamBodies, type UpstreamOutcome } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { ReplicaDirectory } from '../src/devices/replica-directory.ts';
import { EdgeCoreError } from '../src/errors.ts';
import { ReplicaObjects } from '../src/objects/replica-objects.ts';
import type { StateStore } from '../src/store/state-store.ts';
import type { AboutDevice, DeviceReports } from '../src/twins/device-reports.ts';
import { TwinManager, type TwinManagerOptions } from '../src/twins/twin-manager.ts';
import { MemoryJsonState } from './memory-json-state.ts';

const SCOPE = 'node/edge-1';

/** What waits for the cloud under one key. */
interface Waiting {
  readonly kind: 'device' | 'device-setting';
  readonly body: () => unknown;
  readonly onAnswer: (outcome: UpstreamOutcome) => void;
}

/** A cloud that is told things when the test says so: latest wins for each key, as in the outbox. */
export class ScriptedCloud implements DeviceReports {
  /** What waits, by key. */
  readonly waiting = new Map<string, Waiting>();
  /** What was sent, in order. */
  readonly reports: UpstreamBodies['device'][] = [];
  readonly told: UpstreamBodies['device-setting'][] = [];

  device(about: AboutDevice, body: () => UpstreamBodies['device'], onAnswer: Waiting['onAnswer']): void {
    this.waiting.set(keyOf('device', about), { kind: 'device', body, onAnswer });
  }

  settings(
    about: AboutDevice,
    body: () => UpstreamBodies['device-setting'],
    onAnswer: Waiting['onAnswer'],
  ): void {
    this.waiting.set(keyOf('device-setting', about), { kind: 'device-setting', body, onAnswer });
  }

  withdraw(kind: Waiting['kind'], about: AboutDevice): void {
    this.waiting.delete(keyOf(kind, about));
  }

  /** Has all that waits of a kind sent, and answers it. */
  take(kind: Waiting['kind'], status = 0): void {
    for (const [key, waiting] of [...this.waiting]) {
      if (waiting.kind !== kind) continue;
      const body = waiting.body();
      if (kind === 'device') this.reports.push(body as UpstreamBodies['device']);
      else this.told.push(body as UpstreamBodies['device-setting']);
      if (!(status === 409 || status === 429 || status >= 500)) this.waiting.delete(key);
      waiting.onAnswer({ status, message: '', retryAfterMs: 0, body: new Uint8Array(0) });
    }
  }
}

/** A state in memory that survives a power cut, and counts its transactions. */
export class MemoryStateStore implements StateStore {
  readonly values: Map<string, Uint8Array>;
  writes = 0;
  /** Set: every write is refused with it. */
  failure: Error | undefined;

  constructor(values = new Map<string, Uint8Array>()) {
    this.values = values;
  }

  get(key: string): Uint8Array | undefined {
    return this.values.get(key);
  }

  keys(): readonly string[] {
    return [...this.values.keys()];
  }

  set(key: string, bytes: Uint8Array): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.writes += 1;
    this.values.set(key, bytes);
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.writes += 1;
    this.values.delete(key);
    return Promise.resolve();
  }
}

/** Directory and twins of a node with everything around them in memory. */
export class TwinSite {
  readonly clock: FakeClock;
  readonly replica: MemoryReplicaStore;
  readonly state: MemoryJsonState;
  readonly snapshots: MemoryStateStore;
  readonly cloud = new ScriptedCloud();
  readonly superseded: string[] = [];
  readonly lost: Set<string>;
  readonly directory: ReplicaDirectory;
  readonly twins: TwinManager;
  mayLack = false;
  readonly #life: string;
  #ids = 0;

  /** @param before what it finds on its disk; default: nothing */
  constructor(
    before?: Pick<TwinSite, 'clock' | 'replica' | 'state' | 'snapshots' | 'lost'>,
    options: Partial<TwinManagerOptions> = {},
  ) {
    this.#life = before === undefined ? 'setting' : `later-${before.state.values.size}`;
    this.clock = before?.clock ?? new FakeClock();
    this.replica = before?.replica ?? new MemoryReplicaStore();
    this.state = before?.state ?? new MemoryJsonState();
    this.snapshots = before?.snapshots ?? new MemoryStateStore();
    this.lost = before?.lost ?? new Set();
    const { clock, replica } = this;
    const common = { clock, log: silentLogger };
    this.directory = new ReplicaDirectory({
      ...{ replica, scope: SCOPE, ...common },
      objects: new ReplicaObjects({ replica, scope: SCOPE, isLost: (key) => this.lost.has(key) }),
    });
    this.twins = new TwinManager({
      directory: this.directory,
      ...{ reports: this.cloud, state: this.state, snapshots: this.snapshots, ...common },
      mayLack: () => this.mayLack,
      onSuperseded: ({ id }, { property, setting }) =>
        this.superseded.push(`${id} ${property}=${setting.written.value}`),
      ...{ reportsPerSecond: 20, persistPeriodMs: 60_000 },
      makeId: () => `${this.#life}-${(this.#ids += 1)}`,
      ...options,
    });
  }

  /** Starts with these objects on the disk. */
  async start(...objects: readonly Record<string, unknown>[]): Promise<void> {
    await this.put(...objects);
    await this.directory.start();
    await this.twins.start();
  }

  /** The hub sends objects. */
  async put(...objects: readonly Record<string, unknown>[]): Promise<void> {
    const changes = objects.map((object): ReplicaChange => ({ put: contentOf(resourceOf(object), object) }));
    await this.replica.apply(SCOPE, changes);
    await this.clock.advance(0);
  }

  /** The hub takes a device away. */
  async remove(name: string): Promise<void> {
    await this.replica.apply(SCOPE, [{ remove: `devices.devices.kubeedge.io/default/${name}` }]);
    await this.clock.advance(0);
  }

  /** The power goes, and comes back. */
  restarted(options: Partial<TwinManagerOptions> = {}): TwinSite {
    const { clock, replica, lost } = this;
    const state = new MemoryJsonState();
    for (const [key, text] of this.state.values) state.values.set(key, text);
    const snapshots = new MemoryStateStore(new Map(this.snapshots.values));
    return new TwinSite({ clock, replica, state, snapshots, lost }, options);
  }

  /** The disk has lost an object. */
  async lose(key: string): Promise<void> {
    this.lost.add(key);
    await this.replica.apply(SCOPE, [{ remove: key }]);
    await this.clock.advance(0);
  }
}

/** What a disk that cannot be read says. */
export function damaged(): EdgeCoreError {
  return new EdgeCoreError('ERR_EDGE_STORE_DAMAGED', 'it cannot be read');
}

function keyOf(kind: string, { namespace, name, uid }: AboutDevice): string {
  return `${kind}/${namespace}/${name}/${uid}`;
}

function resourceOf({ kind }: Record<string, unknown>): string {
  return kind === 'Device' ? 'devices.devices.kubeedge.io' : 'devicemodels.devices.kubeedge.io';
}
