import { ConnectionLost, type DriverContext } from '@hawser/mapper-sdk';
import { ModbusClient } from './client.ts';
import type { ModbusProtocol } from './config.ts';
import type { Link } from './link.ts';
import { SerialWire, type SerialLine } from './serial-wire.ts';

/** Settings of a line: those of all its devices have to be the same. */
export type LineSettings = Pick<ModbusProtocol, 'baudRate' | 'dataBits' | 'parity' | 'stopBits'>;

/** Start bit and data bits. */
const START_AND_DATA_BITS = 9;
/** Closing a device file that hangs is not waited for any longer. */
const CLOSE_MS = 2000;

/** A serial line. */
export class SerialLink implements Link {
  readonly #path: string;
  readonly #context: DriverContext;
  readonly #client: ModbusClient;
  #lost: Error | undefined;

  private constructor(path: string, wire: SerialWire, context: DriverContext) {
    this.#path = path;
    this.#context = context;
    this.#client = new ModbusClient(wire, context.clock);
  }

  /**
   * Opens the device file. Loads `serialport` when first called.
   * @throws ConnectionLost it cannot be opened
   */
  static async open(path: string, settings: LineSettings, context: DriverContext): Promise<SerialLink> {
    const line = await openLine(path, settings);
    const bitsPerByte = START_AND_DATA_BITS + (settings.parity === 'none' ? 0 : 1) + settings.stopBits;
    const wire = new SerialWire(line, { clock: context.clock, baudRate: settings.baudRate, bitsPerByte });
    const link = new SerialLink(path, wire.attach(), context);
    wire.on('down', (reason: Error) => {
      link.#lost = new ConnectionLost(`${path}: ${reason.message}`, { cause: reason });
    });
    return link;
  }

  client(): Promise<ModbusClient> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return Promise.resolve(this.#client);
  }

  unanswered(): void {
    // A line has no connection that could be half open.
  }

  answered(): void {}

  onLost(listener: (reason: Error) => void): void {
    if (this.#lost !== undefined) listener(this.#lost);
    else this.#client.wire.on('down', listener);
  }

  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    const { wire } = this.#client;
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.setTimer(CLOSE_MS, () => {
        this.#context.log.warn({ serialPort: this.#path }, 'the serial line does not close');
        resolve();
      });
      wire.once('closed', () => {
        timer.cancel();
        resolve();
      });
      wire.destroy();
    });
  }
}

async function openLine(path: string, settings: LineSettings): Promise<SerialLine> {
  const { SerialPort } = await import('serialport');
  const { baudRate, dataBits, parity, stopBits } = settings;
  const port = new SerialPort({ path, baudRate, dataBits, parity, stopBits, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      // Null as the types have it, undefined as it is where all went well.
      if (!(error instanceof Error)) resolve();
      else reject(new ConnectionLost(`${path} cannot be opened: ${error.message}`, { cause: error }));
    });
  });
  return port;
}
