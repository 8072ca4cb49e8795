import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import {
  formatValue,
  isProtocolName,
  type BoundDevice,
  type ConfigData,
  type PropertyType,
} from '@hawser/devices';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { DeviceValidator } from '../src/devices/validate-device.ts';
import {
  ConnectionLost,
  PropertyError,
  type Connection,
  type DeviceAddress,
  type Driver,
  type DriverValue,
  type Visit,
} from '../src/driver.ts';
import { Mapper } from '../src/mapper.ts';
import { boundDevice } from './bound-device.ts';
import { TestBus } from './test-bus.ts';

/** A property as a manifest has it: defaults of the schemas are filled in. */
export interface PeerProperty {
  readonly property: string;
  readonly type: PropertyType;
  readonly visitor: ConfigData;
}

/** A device, real or simulated, that a driver is tried with. Tests run in order, and share it. */
export interface DriverPeer {
  /** @returns `protocol.configData` of the device */
  start(): Promise<ConfigData>;
  stop(): Promise<void>;
  /** What can be read. `expect`: what it has, when nobody has written it. */
  readonly readable: readonly (PeerProperty & { readonly expect?: DriverValue })[];
  /** What can be written and read back, and values for it, one after the other. */
  readonly writable: readonly (PeerProperty & { readonly values: readonly DriverValue[] })[];
  /** What the device does not have, while it answers for others. Default: not tried. */
  readonly broken?: PeerProperty;
  /** A write that the device refuses while it answers. Default: not tried. */
  readonly refuses?: PeerProperty & { readonly value: DriverValue };
  /** Has the device say nothing any more. @returns mends it. Default: not tried. */
  readonly silence?: () => (() => void | Promise<void>) | Promise<() => void | Promise<void>>;
  /** Breaks the connection. @returns mends what it broke. Default: not tried. */
  readonly cut?: () => (() => void | Promise<void>) | Promise<() => void | Promise<void>>;
  /** Of a device that is not there. Default: not tried. */
  readonly unreachable?: ConfigData;
  /** Changes what the device says by itself: the property says the value next. Default: not tried. */
  readonly notify?: PeerProperty & {
    readonly value: DriverValue;
    readonly change: () => void | Promise<void>;
  };
  /** Longest time of anything, milliseconds. Default 5,000. */
  readonly deadlineMs?: number;
}

/**
 * What every driver has to do, as tests for mocha: the same for all drivers, so that the SDK can rely on it. Call it at the
 * top of a test file.
 */
export function describeDriver<Protocol, Visitor>(given: Driver<Protocol, Visitor>, peer: DriverPeer): void {
  // What reaches it has passed its schemas, which say what Protocol and Visitor are.
  const driver = given as unknown as Driver;
  describe(`driver ${driver.protocol}`, () => {
    const bench = new Bench(driver, peer);

    before(() => bench.start());
    after(() => bench.stop());
    afterEach(() => bench.closeAll());

    describeContract(driver, bench);
    describeValues(bench, peer);
    describeFailures(driver, bench, peer);
    describeService(driver, bench, peer);
  });
}

function describeContract(driver: Driver, bench: Bench): void {
  it('has a name and schemas that the hub takes', async () => {
    assert.ok(isProtocolName(driver.protocol), `${driver.protocol} is no name of a protocol`);
    assert.ok(driver.version !== '');
    await new DeviceValidator(driver).validate(bench.device([]));
  });

  it('takes the configuration of its device', async () => {
    const verdict = await new DeviceValidator(driver).validate(bench.deviceWithAll());
    assert.deepEqual(verdict.ok ? [] : verdict.problems, []);
  });

  it('opens and closes, and closes once more', async () => {
    const { connection } = await bench.open();
    await bench.soon('the first close', connection.close());
    await bench.soon('the second close', connection.close());
  });

  it('leaves nothing open', async () => {
    const before = handles();
    const { connection, address, visits } = await bench.open();
    await bench.soon('a reading', connection.read(address, visits, bench.signal));
    await bench.soon('the close', connection.close());
    await eventually(
      `no more than before (${before.join(', ')}), now ${handles().join(', ')}`,
      () => handles().length <= before.length,
      { deadlineMs: bench.deadlineMs },
    );
  });
}

function describeValues(bench: Bench, peer: DriverPeer): void {
  const { broken, refuses, notify } = peer;

  it('reads a result for each property, in order', async () => {
    const { connection, address, visits } = await bench.open();
    const results = await bench.soon('a reading', connection.read(address, visits, bench.signal));
    assert.equal(results.length, visits.length);
    visits.forEach((visit, at) => {
      const result = results[at];
      assert.ok(result !== undefined && 'value' in result, `${visit.property}: ${inspect(result)}`);
      const text = formatValue(visit.type, result.value);
      const expected = peer.readable.find(({ property }) => property === visit.property)?.expect;
      if (expected !== undefined) assert.equal(text, formatValue(visit.type, expected), visit.property);
    });
    const again = [...visits].reverse();
    const reversed = await bench.soon('another reading', connection.read(address, again, bench.signal));
    assert.equal(reversed.length, visits.length);
  });

  it('writes, and reads what it has written', async () => {
    const { connection, address, visits } = await bench.open();
    for (const { property, values } of peer.writable) {
      const visit = visits.find((each) => each.property === property);
      assert.ok(visit);
      for (const value of values) {
        await bench.soon('a write', connection.write(address, visit, value, bench.signal));
        const text = await bench.readText(connection, address, visit);
        assert.equal(text, formatValue(visit.type, value), property);
      }
    }
  });

  if (broken !== undefined) {
    it('gives an error for one property, and values for the others', async () => {
      const { connection, address, visits } = await bench.open([broken]);
      const results = await bench.soon('a reading', connection.read(address, visits, bench.signal));
      assert.deepEqual(
        visits.filter((_, at) => 'error' in (results[at] ?? {})).map(({ property }) => property),
        [broken.property],
      );
    });
  }

  if (refuses !== undefined) {
    it('says that the device does not take a value, as a PropertyError', async () => {
      const { connection, address, visits } = await bench.open([refuses]);
      const visit = visits.find(({ property }) => property === refuses.property);
      assert.ok(visit);
      await assert.rejects(
        bench.soon('a write', connection.write(address, visit, refuses.value, bench.signal)),
        (error) => error instanceof PropertyError && error.message !== '',
      );
      // And the connection is good for the next.
      const [readable] = visits;
      assert.ok(readable);
      await bench.soon('a reading', connection.read(address, [readable], bench.signal));
    });
  }

  if (notify !== undefined) {
    it('hands on what the device says by itself', async () => {
      const { connection, address, visits } = await bench.open([notify]);
      assert.ok(connection.subscribe !== undefined, 'the driver has no subscribe');
      const said: [string, DriverValue][] = [];
      const onValue = (property: string, value: DriverValue): void => void said.push([property, value]);
      const subscribing = connection.subscribe(address, visits, onValue, bench.signal);
      const subscription = await bench.soon('a subscription', subscribing);
      assert.ok(subscription.properties.includes(notify.property));
      await notify.change();
      const wanted = formatValue(notify.type, notify.value);
      await eventually(
        `${notify.property} says ${wanted}`,
        () =>
          said.some(
            ([property, value]) => property === notify.property && formatValue(notify.type, value) === wanted,
          ),
        { deadlineMs: bench.deadlineMs },
      );
      await bench.soon('the end of the subscription', subscription.end());
    });
  }
}

function describeFailures(driver: Driver, bench: Bench, peer: DriverPeer): void {
  const { silence, unreachable, cut } = peer;

  it('does nothing where its signal is aborted already', async () => {
    const { connection, address, visits } = await bench.open();
    const reason = new Error('not wanted');
    await assert.rejects(
      bench.soon('a reading', connection.read(address, visits, AbortSignal.abort(reason))),
    );
  });

  if (silence !== undefined) {
    it('ends soon after its signal aborts', async () => {
      const { connection, address, visits } = await bench.open();
      const mend = await silence();
      try {
        const controller = new AbortController();
        const reading = connection.read(address, visits, controller.signal);
        setImmediate(() => controller.abort(new Error('given up')));
        await assert.rejects(within('the end of a reading that was aborted', reading, 2_000));
      } finally {
        await mend();
      }
    });
  }

  if (silence !== undefined) {
    it('ends what is under way when it is closed', async () => {
      const { connection, address, visits } = await bench.open();
      const mend = await silence();
      try {
        const reading = connection.read(address, visits, bench.signal);
        reading.catch(() => {}); // looked at below
        await bench.soon('the close', connection.close());
        await assert.rejects(bench.soon('the reading', reading));
      } finally {
        await mend();
      }
    });
  }

  if (unreachable !== undefined) {
    it('cannot reach a device that is not there', async () => {
      const config = await bench.configOf(unreachable);
      const reach = async (): Promise<unknown> => {
        const connection = await driver.open(config, { log: silentLogger, clock: systemClock }, bench.signal);
        try {
          return await connection.read({ id: 'default/nobody', config }, bench.visits, bench.signal);
        } finally {
          await connection.close();
        }
      };
      await assert.rejects(bench.soon('an answer', reach()));
    });
  }

  if (cut !== undefined) {
    it('tells that its connection is lost, and opens another', async () => {
      const { connection, address, visits } = await bench.open();
      await bench.soon('a reading', connection.read(address, visits, bench.signal));
      let told: Error | undefined;
      connection.onLost?.((reason) => (told = reason));
      const mend = await cut();
      try {
        await eventually(
          'onLost is called, or a reading throws ConnectionLost',
          async () => {
            if (told !== undefined) return true;
            const error: unknown = await connection.read(address, visits, bench.signal).then(
              () => undefined,
              (reason: unknown) => reason,
            );
            return error instanceof ConnectionLost;
          },
          { deadlineMs: bench.deadlineMs },
        );
      } finally {
        await connection.close();
        await mend();
      }
      const again = await bench.open();
      await bench.soon('a reading', again.connection.read(again.address, again.visits, bench.signal));
    });
  }
}

function describeService(driver: Driver, bench: Bench, peer: DriverPeer): void {
  it('serves a device: values on the bus, and settings in the device', async () => {
    const bus = new TestBus();
    const mapper = new Mapper(driver, { name: driver.protocol, bus });
    const device = bench.deviceWithAll();
    const settings = peer.writable.flatMap(({ property, type, values }) => {
      const value = values.at(-1);
      return value === undefined ? [] : [[property, formatValue(type, value)] as const];
    });
    bus.device(device);
    bus.desire(device, Object.fromEntries(settings));
    mapper.start();
    try {
      await eventually('the device is online', () => bus.state(device) === 'online', {
        deadlineMs: bench.deadlineMs,
      });
      await eventually(
        'every property is reported, and every setting settled',
        () =>
          device.properties.every(({ name }) => bus.reported(device)[name] !== undefined) &&
          settings.every(([property]) => bus.settled(device)[property]?.ok === true),
        { deadlineMs: bench.deadlineMs },
      );
      for (const [property, value] of settings) assert.equal(bus.reported(device)[property], value, property);
    } finally {
      await mapper.stop();
    }
  });
}

/** Opens connections, and closes those that a test leaves open. */
class Bench {
  visits: readonly Visit[] = [];
  readonly signal = new AbortController().signal;
  readonly deadlineMs: number;
  readonly #driver: Driver;
  readonly #peer: DriverPeer;
  readonly #open: Connection[] = [];
  #raw: ConfigData = {};
  #config: ConfigData = {};

  constructor(driver: Driver, peer: DriverPeer) {
    this.#driver = driver;
    this.#peer = peer;
    this.deadlineMs = peer.deadlineMs ?? 5_000;
  }

  async start(): Promise<void> {
    this.#raw = await this.#peer.start();
    const verdict = await new DeviceValidator(this.#driver).validate(this.deviceWithAll());
    if (!verdict.ok) return; // a test of its own says why
    this.#config = verdict.config;
    this.visits = verdict.visits;
  }

  async stop(): Promise<void> {
    await this.#peer.stop();
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((connection) => connection.close()));
  }

  soon<T>(what: string, promise: Promise<T>): Promise<T> {
    return within(what, promise, this.deadlineMs);
  }

  device(properties: readonly PeerProperty[], config = this.#raw): BoundDevice {
    const writable = new Set(this.#peer.writable.map(({ property }) => property));
    return boundDevice({
      name: 'bench',
      protocol: this.#driver.protocol,
      config,
      properties: properties.map(({ property, type, visitor }) => ({
        name: property,
        type,
        visitor,
        accessMode:
          writable.has(property) || property === this.#peer.refuses?.property ? 'ReadWrite' : 'ReadOnly',
        collectCycleMs: 200,
      })),
    });
  }

  /** All that can be read or written, each once. */
  deviceWithAll(): BoundDevice {
    const { readable, writable } = this.#peer;
    const byName = new Map<string, PeerProperty>();
    for (const property of [...readable, ...writable]) byName.set(property.property, property);
    return this.device([...byName.values()]);
  }

  async configOf(raw: ConfigData): Promise<ConfigData> {
    const verdict = await new DeviceValidator(this.#driver).validate(this.device([], raw));
    assert.ok(verdict.ok, JSON.stringify(verdict));
    return verdict.config;
  }

  /** The text of one property. */
  async readText(connection: Connection, address: DeviceAddress, visit: Visit): Promise<string> {
    const [result] = await this.soon('a reading', connection.read(address, [visit], this.signal));
    assert.ok(result !== undefined && 'value' in result, visit.property);
    return formatValue(visit.type, result.value);
  }

  /** @param more properties beside all that can be read or written */
  async open(more: readonly PeerProperty[] = []): Promise<{
    readonly connection: Connection;
    readonly address: DeviceAddress;
    readonly visits: readonly Visit[];
  }> {
    const context = { log: silentLogger, clock: systemClock };
    const connection = await this.soon('a connection', this.#driver.open(this.#config, context, this.signal));
    this.#open.push(connection);
    const others = await this.#visitsOf(more);
    const visits = [
      ...this.visits.filter((each) => others.every(({ property }) => property !== each.property)),
    ];
    return {
      connection,
      address: { id: 'default/bench', config: this.#config },
      visits: [...visits, ...others],
    };
  }

  async #visitsOf(properties: readonly PeerProperty[]): Promise<readonly Visit[]> {
    if (properties.length === 0) return [];
    const verdict = await new DeviceValidator(this.#driver).validate(this.device(properties));
    assert.ok(verdict.ok, JSON.stringify(verdict));
    return verdict.visits;
  }
}

/** What keeps the process alive, without timers of others that come and go. */
function handles(): readonly string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout' && kind !== 'Immediate');
}
