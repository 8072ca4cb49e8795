import { systemClock, silentLogger, type Clock } from '@hawser/seams';
import type { Connection, DeviceAddress, DriverContext, Visit, VisitResult } from '@hawser/mapper-sdk';
import { driver } from '../src/index.ts';
import type { ModbusProtocol, ModbusVisitor } from '../src/index.ts';

export type ModbusVisit = Visit<ModbusVisitor>;

/** A device's configuration with the defaults of the schema filled in, on a port of this machine. */
export function tcpConfig(port: number, more: Partial<ModbusProtocol> = {}): ModbusProtocol {
  return { ...DEFAULTS, commType: 'tcp', ip: '127.0.0.1', port, ...more };
}

/** Likewise on a serial line. */
export function rtuConfig(serialPort: string, more: Partial<ModbusProtocol> = {}): ModbusProtocol {
  return { ...DEFAULTS, commType: 'rtu', serialPort, slaveID: 1, ...more };
}

const DEFAULTS: Omit<ModbusProtocol, 'commType'> = {
  port: 502,
  baudRate: 9600,
  dataBits: 8,
  parity: 'none',
  stopBits: 1,
  timeoutMs: 1000,
  retries: 1,
  delayMs: 0,
  maxGap: 8,
  writeMultiple: false,
  maskWrite: false,
};

/** A property, writable, with the defaults of the schema filled in. */
export function visit(
  visitor: Partial<ModbusVisitor>,
  more: { readonly type?: Visit['type']; readonly property?: string; readonly writable?: boolean } = {},
): ModbusVisit {
  const { type = 'INT', property = 'value', writable = true } = more;
  const defaults = { scale: 1, isSwap: false, isRegisterSwap: false, bitCount: 1 };
  return {
    property,
    type,
    writable,
    visitor: { register: 'HoldingRegister', offset: 0, ...defaults, ...visitor },
  };
}

/** Holding registers of 16 bits, one property each. */
export function registers(offset: number, count: number): ModbusVisit[] {
  return Array.from({ length: count }, (_, at) =>
    visit({ offset: offset + at }, { property: `r${offset + at}` }),
  );
}

/** What there was, or what was said instead. */
export function valueOf(result: VisitResult | undefined): unknown {
  if (result === undefined) return undefined;
  return 'value' in result ? result.value : result.error.message;
}

/** The system's clock with some time added to it; timers are real. */
export class LateClock implements Clock {
  lateMs = 0;

  wallMs(): number {
    return systemClock.wallMs() + this.lateMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.lateMs;
  }

  setTimer: Clock['setTimer'] = (...args) => systemClock.setTimer(...args);
}

/** A connection of the driver, and a device on it. */
export class Site {
  readonly connection: Connection<ModbusProtocol, ModbusVisitor>;
  readonly device: DeviceAddress<ModbusProtocol>;
  readonly clock: LateClock;

  private constructor(
    connection: Connection<ModbusProtocol, ModbusVisitor>,
    config: ModbusProtocol,
    clock: LateClock,
  ) {
    this.connection = connection;
    this.device = { id: 'default/device', config };
    this.clock = clock;
  }

  static async open(config: ModbusProtocol): Promise<Site> {
    const clock = new LateClock();
    const context: DriverContext = { clock, log: silentLogger };
    const connection = await driver.open(config, context, new AbortController().signal);
    return new Site(connection, config, clock);
  }

  read(
    visits: readonly ModbusVisit[],
    more: Partial<ModbusProtocol> = {},
    abort: AbortController = new AbortController(),
  ): Promise<readonly VisitResult[]> {
    return this.connection.read(this.#address(more), visits, abort.signal);
  }

  async values(visits: readonly ModbusVisit[], more: Partial<ModbusProtocol> = {}): Promise<unknown[]> {
    return (await this.read(visits, more)).map(valueOf);
  }

  write(
    to: ModbusVisit,
    value: Parameters<Connection['write']>[2],
    more: Partial<ModbusProtocol> = {},
  ): Promise<void> {
    return this.connection.write(this.#address(more), to, value, new AbortController().signal);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  #address(more: Partial<ModbusProtocol>): DeviceAddress<ModbusProtocol> {
    return { id: this.device.id, config: { ...this.device.config, ...more } };
  }
}

/** A suite that needs something of the machine: left out, and it says so, where that is missing. */
export function describeUnless(missing: string | undefined, title: string, suite: () => void): void {
  if (missing === undefined) describe(title, suite);
  else describe.skip(`${title} (${missing})`, suite);
}
