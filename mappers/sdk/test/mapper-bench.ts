import assert from 'node:assert/strict';
import type { BoundDevice } from '@hawser/devices';
import { seededRandom } from '@hawser/seams';
import { FakeClock, within } from '@hawser/seams/testing';
import { Mapper } from '../src/mapper.ts';
import { boundDevice, TestBus } from '../testing/index.ts';
import { MemoryDriver } from './memory-driver.ts';

/** A pump with a property that can be set, a switch, and one that is read every ten seconds. */
export const pump = boundDevice({
  name: 'pump',
  protocol: 'memory',
  config: { at: 'pump' },
  properties: [
    { name: 'speed', type: 'INT', minimum: 0, maximum: 100 },
    { name: 'on', type: 'BOOLEAN' },
    { name: 'serial', type: 'STRING', accessMode: 'ReadOnly', collectCycleMs: 10_000 },
  ],
});

/** A device with one property, on a line that it may share. */
export function gauge(name: string, line?: string, collectCycleMs = 1000): BoundDevice {
  return boundDevice({
    name,
    protocol: 'memory',
    config: { at: name, ...(line === undefined ? {} : { line }) },
    properties: [{ name: 'level', type: 'INT', collectCycleMs }],
  });
}

const TURNS = 20;

/** A mapper with a driver, a bus and a clock that a test holds in its hands. */
export class MapperBench {
  readonly clock = new FakeClock();
  readonly driver = new MemoryDriver();
  bus = new TestBus();
  mapper = this.#newMapper();

  constructor() {
    const device = this.driver.device('pump');
    device.values.set('speed', 42);
    device.values.set('on', true);
    device.values.set('serial', 'A-1');
  }

  #newMapper(): Mapper {
    const { bus, clock } = this;
    return new Mapper(this.driver, { name: 'mem', bus, clock, random: seededRandom(1) });
  }

  /** Begins with devices, and waits until their first reading is over. */
  async begin(...devices: BoundDevice[]): Promise<void> {
    for (const device of devices) this.bus.device(device);
    this.mapper.start();
    await this.validated();
    await this.pass(100);
  }

  /** Moves the clock; what follows from that may take several turns of the event loop, and none of the clock. */
  async pass(ms: number): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await this.clock.advance(0);
    await this.clock.advance(ms);
    for (let turn = 0; turn < TURNS; turn++) await this.clock.advance(0);
  }

  /** The first validation loads a library, which takes real time. */
  async validated(): Promise<void> {
    const untilMs = performance.now() + 5_000;
    const isOver = (): boolean => this.bus.published.some(({ topic }) => topic.includes('/refused/'));
    while (!isOver() && performance.now() < untilMs) await this.clock.advance(0);
  }

  /** Another mapper takes its place, on a bus with the same devices: nothing of the first is left. */
  async restart(...devices: BoundDevice[]): Promise<void> {
    await this.#stop(this.mapper);
    this.bus = new TestBus();
    this.mapper = this.#newMapper();
    for (const device of devices) this.bus.device(device);
  }

  /** Ends, and makes sure that nothing is left. */
  async end(): Promise<void> {
    await this.#stop(this.mapper);
    assert.equal(this.clock.pendingTimers, 0, 'timers are left');
    assert.equal(this.driver.closed, this.driver.opened, 'connections are left open');
  }

  async #stop(mapper: Mapper): Promise<void> {
    const stopping = mapper.stop();
    let left = 20;
    void stopping.then(() => (left = 0));
    for (; left > 0; left--) await this.pass(500);
    await within('the end of the mapper', stopping, 1_000);
  }
}
