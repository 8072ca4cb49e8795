import type {
  Connection,
  DeviceAddress,
  DriverContext,
  DriverValue,
  Visit,
  VisitResult,
} from '@hawser/mapper-sdk';
import type { ModbusProtocol, ModbusVisitor } from './config.ts';
import type { Link } from './link.ts';
import { Reader } from './reader.ts';
import { Requester } from './requester.ts';
import { writeValue } from './writer.ts';

/** Devices of one TCP address, or of one serial line. */
export class ModbusConnection implements Connection<ModbusProtocol, ModbusVisitor> {
  readonly #link: Link;
  readonly #requester: Requester;
  readonly #reader: Reader;

  constructor(link: Link, context: DriverContext) {
    this.#link = link;
    this.#requester = new Requester(link, context);
    this.#reader = new Reader(this.#requester, context);
  }

  async read(
    { config }: DeviceAddress<ModbusProtocol>,
    visits: readonly Visit<ModbusVisitor>[],
    signal: AbortSignal,
  ): Promise<readonly VisitResult[]> {
    return await this.#reader.read(config, visits, signal);
  }

  async write(
    { config }: DeviceAddress<ModbusProtocol>,
    visit: Visit<ModbusVisitor>,
    value: DriverValue,
    signal: AbortSignal,
  ): Promise<void> {
    const codec = this.#reader.codecFor(visit);
    await writeValue(this.#requester, { config, visit, codec, value }, signal);
  }

  onLost(listener: (reason: Error) => void): void {
    this.#link.onLost(listener);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
