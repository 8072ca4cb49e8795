import type { Clock } from '@hawser/seams';
import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';
import type { RegisterKind } from './config.ts';
import { modbusOver } from './modbus-serial.ts';
import type { Wire } from './wire.ts';
import { describe, LinkDown, ModbusException, NoAnswer, type RequestWords } from './words.ts';

/** How one request is sent. */
export interface RequestOptions {
  readonly unit: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Where a request reads or writes. */
export interface Range {
  readonly register: RegisterKind;
  readonly offset: number;
  readonly count: number;
}

const READ_CODES: Readonly<Record<RegisterKind, number>> = {
  CoilRegister: 1,
  DiscreteInputRegister: 2,
  HoldingRegister: 3,
  InputRegister: 4,
};
/** Unit, function code, CRC and the numbers of requests and answers, both ways; the data comes on top. */
const FRAMING_BYTES = 20;

/**
 * Requests over one wire, one at a time.
 * All methods throw `ModbusException`, `NoAnswer`, `LinkDown`, and the reason of an aborted signal.
 */
export class ModbusClient {
  readonly wire: Wire;
  readonly #clock: Clock;
  readonly #modbus: ModbusRTU;

  constructor(wire: Wire, clock: Clock) {
    this.wire = wire;
    this.#clock = clock;
    this.#modbus = modbusOver(wire);
  }

  /** @returns two bytes for each register; coils and inputs packed, the first one lowest */
  async read(range: Range, options: RequestOptions): Promise<Buffer> {
    const { register, offset, count } = range;
    const modbus = this.#modbus;
    const bits = register === 'CoilRegister' || register === 'DiscreteInputRegister';
    const wanted = bits ? Math.ceil(count / 8) : 2 * count;
    const words = { ...range, functionCode: READ_CODES[register], unit: options.unit };
    const { buffer } = await this.#send<{ buffer: Buffer }>(words, wanted, options, () => {
      switch (register) {
        case 'CoilRegister':
          return modbus.readCoils(offset, count);
        case 'DiscreteInputRegister':
          return modbus.readDiscreteInputs(offset, count);
        case 'HoldingRegister':
          return modbus.readHoldingRegisters(offset, count);
        case 'InputRegister':
          return modbus.readInputRegisters(offset, count);
      }
    });
    if (buffer.length !== wanted) throw mismatch(words);
    return buffer;
  }

  /** Function code 5. */
  async writeCoil(offset: number, on: boolean, options: RequestOptions): Promise<void> {
    const words = { ...coils(offset, 1), functionCode: 5, unit: options.unit };
    const echo = await this.#send(words, 0, options, () => this.#modbus.writeCoil(offset, on));
    if (echo.address !== offset || echo.state !== on) throw mismatch(words);
  }

  /** Function code 15. */
  async writeCoils(offset: number, states: readonly boolean[], options: RequestOptions): Promise<void> {
    const words = { ...coils(offset, states.length), functionCode: 15, unit: options.unit };
    const echo = await this.#send(words, Math.ceil(states.length / 8), options, () =>
      this.#modbus.writeCoils(offset, [...states]),
    );
    if (echo.address !== offset || echo.length !== states.length) throw mismatch(words);
  }

  /** Function code 6. */
  async writeRegister(offset: number, value: number, options: RequestOptions): Promise<void> {
    const words = { ...holding(offset, 1), functionCode: 6, unit: options.unit };
    const echo = await this.#send(words, 0, options, () => this.#modbus.writeRegister(offset, value));
    if (echo.address !== offset || echo.value !== value) throw mismatch(words);
  }

  /** Function code 16. @param bytes two for each register */
  async writeRegisters(offset: number, bytes: Buffer, options: RequestOptions): Promise<void> {
    const words = { ...holding(offset, bytes.length / 2), functionCode: 16, unit: options.unit };
    const echo = await this.#send(words, bytes.length, options, () =>
      this.#modbus.writeRegisters(offset, bytes),
    );
    if (echo.address !== offset || echo.length !== words.count) throw mismatch(words);
  }

  /** Function code 22: the register becomes (register AND `and`) OR (`or` AND NOT `and`). */
  async maskRegister(offset: number, and: number, or: number, options: RequestOptions): Promise<void> {
    const words = { ...holding(offset, 1), functionCode: 22, unit: options.unit };
    const echo = await this.#send(words, 0, options, () => this.#modbus.maskWriteRegister(offset, and, or));
    if (echo.address !== offset || echo.andMask !== and || echo.orMask !== or) throw mismatch(words);
  }

  async #send<T>(
    words: RequestWords,
    dataBytes: number,
    { unit, timeoutMs, signal }: RequestOptions,
    request: () => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    await this.wire.prepare(unit, signal);
    if (!this.wire.isOpen) throw new LinkDown('the connection is closed');
    const limitMs = timeoutMs + this.wire.transferMs(FRAMING_BYTES + dataBytes);
    return await new Promise<T>((resolve, reject) => {
      const { wire } = this;
      const settle = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        wire.removeListener('down', onFailed);
        wire.removeListener('damaged', onFailed);
      };
      const giveUp = (reason: Error): void => {
        settle();
        wire.abandon(limitMs);
        reject(reason);
      };
      const onAbort = (): void => giveUp(signal.reason as Error);
      const onFailed = (reason: Error): void => giveUp(named(reason, words));
      const timer = this.#clock.setTimer(limitMs, () => giveUp(late(words, limitMs, wire.trouble)));
      signal.addEventListener('abort', onAbort, { once: true });
      wire.on('down', onFailed);
      wire.on('damaged', onFailed);
      this.#modbus.setID(unit);
      request().then(
        (answer) => {
          settle();
          resolve(answer);
        },
        (error: unknown) => {
          settle();
          reject(asFailure(error, words));
        },
      );
    });
  }
}

function coils(offset: number, count: number): Range {
  return { register: 'CoilRegister', offset, count };
}

function holding(offset: number, count: number): Range {
  return { register: 'HoldingRegister', offset, count };
}

function late(words: RequestWords, limitMs: number, trouble: string | undefined): NoAnswer {
  const what = trouble === undefined ? 'no answer' : `no answer, but ${trouble},`;
  return new NoAnswer(`${describe(words)}: ${what} in ${Math.round(limitMs)} ms`);
}

function named(reason: Error, words: RequestWords): Error {
  const message = `${describe(words)}: ${reason.message}`;
  return reason instanceof LinkDown ? new LinkDown(message) : new NoAnswer(message);
}

function mismatch(words: RequestWords): NoAnswer {
  return new NoAnswer(`${describe(words)}: the answer is about something else than the request`);
}

/** modbus-serial tells exceptions by `modbusCode`; all else is about an answer that does not fit. */
function asFailure(error: unknown, words: RequestWords): Error {
  const { modbusCode, message } = error as { modbusCode?: number; message?: string };
  if (modbusCode !== undefined) return new ModbusException(modbusCode, words);
  return new NoAnswer(`${describe(words)}: ${message ?? String(error)}`);
}
