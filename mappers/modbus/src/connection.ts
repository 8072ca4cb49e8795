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
import type { LineSettings } from './serial-link.ts';
import { writeValue } from './writer.ts';

const LINE_SETTINGS = ['baudRate', 'dataBits', 'parity', 'stopBits'] as const;

/** Devices of one TCP address, or of one serial line. */
export class ModbusConnection implements Connection<ModbusProtocol, ModbusVisitor> {
  readonly #link: Link;
  readonly #line: LineSettings | undefined;
  readonly #requester: Requester;
  readonly #reader: Reader;

  /** @param line what the serial line was opened with; undefined with TCP */
  constructor(link: Link, line: LineSettings | undefined, context: DriverContext) {
    this.#link = link;
    this.#line = line;
    this.#requester = new Requester(link, context);
    this.#reader = new Reader(this.#requester, context);
  }

  async read(
    { config }: DeviceAddress<ModbusProtocol>,
    visits: readonly Visit<ModbusVisitor>[],
    signal: AbortSignal,
  ): Promise<readonly VisitResult[]> {
    this.#checkLine(config);
    return await this.#reader.read(config, visits, signal);
  }

  async write(
    { config }: DeviceAddress<ModbusProtocol>,
    visit: Visit<ModbusVisitor>,
    value: DriverValue,
    signal: AbortSignal,
  ): Promise<void> {
    this.#checkLine(config);
    const codec = this.#reader.codecFor(visit);
    await writeValue(this.#requester, { config, visit, codec, value }, signal);
  }

  onLost(listener: (reason: Error) => void): void {
    this.#link.onLost(listener);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** All devices of a line have to say the same of it: the first one that is served is the one that counts. */
  #checkLine(config: ModbusProtocol): void {
    const line = this.#line;
    if (line === undefined) return;
    const differing = LINE_SETTINGS.filter((key) => line[key] !== config[key]);
    if (differing.length === 0) return;
    const words = differing.map(
      (key) => `protocol.configData.${key} is ${config[key]}, and not ${line[key]}`,
    );
    throw new Error(
      `another device of ${config.serialPort ?? 'the line'} set it up differently: ${words.join('; ')}`,
    );
  }
}
