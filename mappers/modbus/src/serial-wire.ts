import { EventEmitter } from 'node:events';
import { delay, type Clock, type Timer } from '@hawser/seams';
import { findFrame, type Expected } from './rtu-frame.ts';
import type { Wire } from './wire.ts';
import { LinkDown, NoAnswer } from './words.ts';

/** What a serial port has to do for a wire; SerialPort of `serialport` does. */
export interface SerialLine {
  write(bytes: Buffer): unknown;
  flush(callback: (error: Error | null) => void): void;
  close(callback: (error: Error | null) => void): void;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'close' | 'error', listener: (error: Error | null) => void): unknown;
}

export interface SerialWireOptions {
  readonly clock: Clock;
  readonly baudRate: number;
  /** Of one byte on the wire: start, data, parity, stop. */
  readonly bitsPerByte: number;
}

/** Above 19,200 Bd the silence between frames is fixed (Modbus over Serial Line 1.02, 2.5.1.1). */
const FIXED_SILENCE_BAUD = 19_200;
const FIXED_SILENCE_MS = 1.75;
const SILENT_BYTES = 3.5;
/** A pause of this length within an answer ends it: drivers of USB adapters hand over bytes in bursts. */
const PAUSE_MS = 50;
/** The shortest answer has so many bytes; less may be a single burst of noise before it. */
const MIN_DAMAGED = 5;
/** More than the longest frame: what is before it is noise. */
const MAX_RECEIVED = 512;

/**
 * Requests over a serial line. An answer is found among noise by unit, function, length and CRC. RTU has no transactions:
 * after a request that was not answered in time, the same unit is asked again only when the late answer has come, or
 * as much time has gone by again.
 */
export class SerialWire extends EventEmitter implements Wire {
  readonly #line: SerialLine;
  readonly #options: SerialWireOptions;
  #isOpen = true;
  #received: Buffer = Buffer.alloc(0);
  #lastByteMs = -Infinity;
  #expected: Expected | undefined;
  /** Answers that may still come, by unit. */
  readonly #late = new Map<number, { expected: Expected; untilMs: number; arrived: AbortController }>();
  #trouble: string | undefined;
  #pause: Timer | undefined;
  #flushNeeded = false;

  /** @param line open; the wire owns it from now on */
  constructor(line: SerialLine, options: SerialWireOptions) {
    super();
    this.#line = line;
    this.#options = options;
  }

  /** Begins to listen. Once, before anything else. */
  attach(): this {
    this.#line.on('data', (bytes) => this.#receive(bytes));
    // Stays for good: an error after closing would otherwise end the process.
    this.#line.on('error', (error) => this.#down(`the serial line failed: ${error?.message ?? 'unknown'}`));
    this.#line.on('close', () => this.#down('the serial line is gone'));
    return this;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  open(callback: (error?: Error | null) => void): void {
    callback();
  }

  close(callback: () => void): void {
    this.destroy();
    callback();
  }

  destroy(): void {
    this.#down('the serial line was closed');
  }

  /** The line is of no use any more, as somebody else has found out. */
  fail(reason: string): void {
    this.#down(reason);
  }

  async prepare(unit: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const late = this.#late.get(unit);
    if (late !== undefined) {
      const waitMs = late.untilMs - clock.monotonicMs();
      if (waitMs > 0) await this.#untilArrived(late.arrived.signal, waitMs, signal);
      this.#late.delete(unit);
    }
    for (let quietMs = this.#quietMs(); quietMs > 0; quietMs = this.#quietMs())
      await delay(quietMs, { clock, signal });
    if (this.#flushNeeded) await this.#flush();
    this.#received = Buffer.alloc(0);
  }

  write(frame: Buffer): void {
    this.#trouble = undefined;
    this.#expected = { request: Buffer.from(frame) };
    this.#line.write(frame);
    this.#lastByteMs = this.#options.clock.monotonicMs() + this.transferMs(frame.length);
  }

  abandon(waitedMs: number): void {
    const expected = this.#expected;
    this.#stopWaiting();
    this.#flushNeeded = true;
    if (expected === undefined) return;
    const unit = expected.request.readUInt8(0);
    const untilMs = this.#options.clock.monotonicMs() + waitedMs;
    this.#late.set(unit, { expected, untilMs, arrived: new AbortController() });
  }

  transferMs(bytes: number): number {
    return (1000 * bytes * this.#options.bitsPerByte) / this.#options.baudRate;
  }

  #receive(bytes: Buffer): void {
    this.#lastByteMs = this.#options.clock.monotonicMs();
    this.#received = Buffer.concat([this.#received, bytes]).subarray(-MAX_RECEIVED);
    const expected = this.#expected;
    if (expected === undefined) {
      this.#lookForLate();
      return;
    }
    const frame = findFrame(this.#received, expected);
    if (frame === undefined) {
      this.#trouble = 'what came is damaged, or of another unit (CRC, unit or length are wrong)';
      this.#judgeAfterPause();
      return;
    }
    this.#stopWaiting();
    this.#received = Buffer.alloc(0);
    this.emit('data', frame);
  }

  #lookForLate(): void {
    for (const late of this.#late.values())
      if (findFrame(this.#received, late.expected) !== undefined) {
        this.#received = Buffer.alloc(0);
        late.arrived.abort();
      }
  }

  /** Bytes that are no answer, and then nothing: the answer was lost, and waiting on is of no use. */
  #judgeAfterPause(): void {
    this.#pause?.cancel();
    if (this.#received.length < MIN_DAMAGED) return;
    this.#pause = this.#options.clock.setTimer(PAUSE_MS + this.transferMs(MIN_DAMAGED), () => {
      this.#stopWaiting();
      this.#flushNeeded = true;
      this.emit('damaged', new NoAnswer(this.#trouble));
    });
  }

  #stopWaiting(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    this.#expected = undefined;
  }

  #quietMs(): number {
    const { baudRate, clock } = this.#options;
    const silenceMs = baudRate > FIXED_SILENCE_BAUD ? FIXED_SILENCE_MS : this.transferMs(SILENT_BYTES);
    return this.#lastByteMs + silenceMs - clock.monotonicMs();
  }

  /** Until the late answer has come, but not for longer than `waitMs`. */
  async #untilArrived(arrived: AbortSignal, waitMs: number, signal: AbortSignal): Promise<void> {
    if (arrived.aborted) return;
    try {
      await delay(waitMs, { clock: this.#options.clock, signal: AbortSignal.any([arrived, signal]) });
    } catch {
      signal.throwIfAborted(); // else it was the late answer that ended the wait
    }
  }

  #flush(): Promise<void> {
    this.#flushNeeded = false;
    return new Promise((resolve) => {
      // Whether it could be emptied shows with the next answer.
      this.#line.flush(() => resolve());
    });
  }

  #down(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stopWaiting();
    this.#late.clear();
    this.#line.close(() => this.emit('closed'));
    this.emit('down', new LinkDown(reason));
  }
}
