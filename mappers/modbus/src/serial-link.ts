import { stat } from 'node:fs/promises';
import type { Timer } from '@hawser/seams';
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

/** How often it is looked whether the device file is still that of the line. */
const WATCH_MS = 2000;

/**
 * A serial line. serialport 13 does not always notice that an adapter was pulled out: where the kernel answers its reads
 * with nothing instead of an error, it reads again at once, for ever. So the device file is watched.
 */
export class SerialLink implements Link {
  readonly #path: string;
  readonly #rdev: number;
  readonly #context: DriverContext;
  readonly #wire: SerialWire;
  readonly #client: ModbusClient;
  #watch: Timer | undefined;
  #lost: Error | undefined;

  private constructor(
    { path, rdev }: { path: string; rdev: number },
    wire: SerialWire,
    context: DriverContext,
  ) {
    this.#path = path;
    this.#rdev = rdev;
    this.#context = context;
    this.#wire = wire;
    this.#client = new ModbusClient(wire, context.clock);
  }

  /**
   * Opens the device file. Loads `serialport` when first called.
   * @throws ConnectionLost it cannot be opened
   */
  static async open(path: string, settings: LineSettings, context: DriverContext): Promise<SerialLink> {
    const { line, rdev } = await openLine(path, settings);
    const bitsPerByte = START_AND_DATA_BITS + (settings.parity === 'none' ? 0 : 1) + settings.stopBits;
    const wire = new SerialWire(line, { clock: context.clock, baudRate: settings.baudRate, bitsPerByte });
    const link = new SerialLink({ path, rdev }, wire, context);
    link.#attach();
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
    else this.#wire.on('down', listener);
  }

  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.setTimer(CLOSE_MS, () => {
        this.#context.log.warn({ serialPort: this.#path }, 'the serial line does not close');
        resolve();
      });
      this.#wire.once('closed', () => {
        timer.cancel();
        resolve();
      });
      this.#wire.destroy();
    });
  }

  #attach(): void {
    this.#wire.attach().on('down', (reason: Error) => {
      this.#watch?.cancel();
      this.#lost = new ConnectionLost(`${this.#path}: ${reason.message}`, { cause: reason });
    });
    this.#rearm();
  }

  #rearm(): void {
    if (this.#lost !== undefined) return;
    const look = (): void => {
      stat(this.#path).then(
        ({ rdev }) =>
          rdev === this.#rdev
            ? this.#rearm()
            : this.#wire.fail('the device file is that of another device now'),
        () => this.#wire.fail('the serial line is gone'),
      );
    };
    this.#watch = this.#context.clock.setTimer(WATCH_MS, look, { background: true });
  }
}

async function openLine(
  path: string,
  settings: LineSettings,
): Promise<{ readonly line: SerialLine; readonly rdev: number }> {
  const { SerialPort } = await import('serialport');
  const { baudRate, dataBits, parity, stopBits } = settings;
  const line = new SerialPort({ path, baudRate, dataBits, parity, stopBits, autoOpen: false });
  try {
    await new Promise<void>((resolve, reject) => {
      // Null as the types have it, undefined as it is where all went well.
      line.open((error) => (error instanceof Error ? reject(error) : resolve()));
    });
    return { line, rdev: (await stat(path)).rdev };
  } catch (error) {
    if (line.isOpen) line.close();
    const { message } = error as Error;
    throw new ConnectionLost(`${path} cannot be opened: ${message}`, { cause: error });
  }
}
