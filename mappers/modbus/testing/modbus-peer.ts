import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { deferred, type Deferred } from '@hawser/seams';
import { buildPeer } from './build-peer.ts';

/** The four tables of a device. */
export type PeerKind = 'coil' | 'discrete' | 'input' | 'holding';

/** A request as the peer has seen it. */
export interface PeerRequest {
  readonly unit: number;
  readonly functionCode: number;
  readonly offset: number;
  readonly count: number;
}

/** What becomes of the next requests. */
export type PeerFault =
  | { readonly kind: 'exception'; readonly code: number }
  /** Answered after so many milliseconds; the peer does nothing else in between. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Never answered. */
  | { readonly kind: 'mute' }
  /** The connection is closed behind the answer, or instead of it. */
  | { readonly kind: 'close' | 'drop' }
  /** Answered as another unit. */
  | { readonly kind: 'unit'; readonly unit: number }
  /** Answered with another transaction; TCP. */
  | { readonly kind: 'transaction' }
  /** Bytes instead of the answer, or before it. */
  | { readonly kind: 'raw' | 'noise'; readonly bytes: Uint8Array }
  /** The answer in two parts, so many milliseconds apart; TCP. */
  | { readonly kind: 'split'; readonly ms: number };

/** How an RTU peer is set up. */
export interface RtuPeerOptions {
  /** Its end of the line. */
  readonly serialPort: string;
  /** The one unit that it is. */
  readonly unit: number;
  /** Default 9,600. */
  readonly baudRate?: number;
  /** Default none. */
  readonly parity?: 'none' | 'even' | 'odd';
  /** Default 1. */
  readonly stopBits?: 1 | 2;
}

const STARTED = /^ready (\d+)$/;
const KILL_AFTER_MS = 2000;
/** Values of one `set`, so that a line stays short. */
const VALUES_A_LINE = 1000;

/**
 * A Modbus device that was not written by us: a process on libmodbus (modbus-peer.c), which has its tables, counts
 * requests, and does wrong what it is told to. Over TCP one process has all units.
 */
export class ModbusPeer {
  /** Where it listens; 0 with RTU. */
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  readonly #waiting: Deferred<string>[];

  private constructor(port: number, process: ChildProcess, lines: Interface, waiting: Deferred<string>[]) {
    this.port = port;
    this.#process = process;
    this.#lines = lines;
    this.#waiting = waiting;
  }

  /** Why there can be no peer on this machine; undefined: there can. Compiles it when first asked. */
  static missing(): string | undefined {
    const built = buildPeer();
    return 'missing' in built ? built.missing : undefined;
  }

  /** A device on a port of 127.0.0.1. @throws Error where {@link missing} says why */
  static tcp(): Promise<ModbusPeer> {
    return ModbusPeer.#start(['tcp']);
  }

  /** A device on a serial line. @throws as {@link tcp} */
  static rtu(options: RtuPeerOptions): Promise<ModbusPeer> {
    const { serialPort, unit, baudRate = 9600, parity = 'none', stopBits = 1 } = options;
    const letter = parity.charAt(0).toUpperCase();
    return ModbusPeer.#start(['rtu', serialPort, `${baudRate}`, letter, `${stopBits}`, `${unit}`]);
  }

  static async #start(args: readonly string[]): Promise<ModbusPeer> {
    const built = buildPeer();
    if ('missing' in built) throw new Error(built.missing);
    const process = spawn(built.program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const waiting: Deferred<string>[] = [];
    const first = deferred<string>();
    waiting.push(first);
    const lines = createInterface({ input: process.stdout });
    lines.on('line', (line) => waiting.shift()?.resolve(line));
    const gone = (): void => {
      for (const one of waiting.splice(0)) one.reject(new Error('the Modbus peer has ended'));
    };
    process.once('exit', gone);
    process.once('error', gone);
    process.stdin.on('error', gone);
    const started = STARTED.exec(await first.promise);
    if (started === null) {
      process.kill();
      throw new Error('the Modbus peer does not start');
    }
    return new ModbusPeer(Number(started[1]), process, lines, waiting);
  }

  /** Sets registers (0 … 65535) or bits (0, 1) from `offset` on. */
  async set(unit: number, kind: PeerKind, offset: number, values: readonly number[]): Promise<void> {
    for (let at = 0; at < values.length; at += VALUES_A_LINE)
      await this.#ask(`set ${unit} ${kind} ${offset + at} ${values.slice(at, at + VALUES_A_LINE).join(' ')}`);
  }

  async get(unit: number, kind: PeerKind, offset: number, count: number): Promise<number[]> {
    return (await this.#ask(`get ${unit} ${kind} ${offset} ${count}`)).map(Number);
  }

  /** Requests that touch it are answered with exception 2, until {@link forget}. */
  async hole(unit: number, kind: PeerKind, offset: number, count: number): Promise<void> {
    await this.#ask(`hole ${unit} ${kind} ${offset} ${count}`);
  }

  /** Requests for more than `count` are answered with exception 3; 0: none. */
  async limit(count: number): Promise<void> {
    await this.#ask(`limit ${count}`);
  }

  /** @param times of how many requests; default 1, Infinity: of all until {@link forget} */
  async fault(fault: PeerFault, times = 1): Promise<void> {
    await this.#ask(`next ${times === Infinity ? -1 : times} ${wordsOf(fault)}`);
  }

  /** Since the start or the last {@link forget}; the last 4,096 of them. */
  async requests(): Promise<PeerRequest[]> {
    const [, ...rest] = await this.#ask('requests');
    return rest.map((text) => {
      const [unit = 0, functionCode = 0, offset = 0, count = 0] = text.split('/').map(Number);
      return { unit, functionCode, offset, count };
    });
  }

  /** How many requests there were since the start or the last {@link forget}. */
  async requestCount(): Promise<number> {
    return Number((await this.#ask('requests'))[0]);
  }

  /** Requests that were seen, holes, limits and faults; not what is in the tables. */
  async forget(): Promise<void> {
    await this.#ask('forget');
  }

  /** TCP. */
  async connections(): Promise<{ open: number; accepted: number }> {
    const [open, accepted] = (await this.#ask('connections')).map(Number);
    return { open: open ?? 0, accepted: accepted ?? 0 };
  }

  /** Stops answering as a machine that hangs does: connections stay, and are taken. {@link resume} ends it. */
  suspend(): void {
    this.#process.kill('SIGSTOP');
  }

  resume(): void {
    this.#process.kill('SIGCONT');
  }

  /** Ends it as a loss of power does. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    const exited = once(this.#process, 'exit');
    this.resume();
    this.#process.stdin?.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), KILL_AFTER_MS);
    await exited;
    clearTimeout(timer);
    this.#lines.close();
  }

  /** Also by a signal, such as a Ctrl-C at the terminal of whoever started it. */
  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async #ask(line: string): Promise<string[]> {
    if (this.#hasEnded) throw new Error('the Modbus peer has ended');
    const answer = deferred<string>();
    this.#waiting.push(answer);
    this.#process.stdin?.write(`${line}\n`);
    const [verdict, ...words] = (await answer.promise).split(' ');
    if (verdict !== 'ok') throw new Error(`the Modbus peer does not take "${line}": ${words.join(' ')}`);
    return words;
  }
}

function wordsOf(fault: PeerFault): string {
  switch (fault.kind) {
    case 'exception':
      return `exception ${fault.code}`;
    case 'delay':
    case 'split':
      return `${fault.kind} ${fault.ms}`;
    case 'unit':
      return `unit ${fault.unit}`;
    case 'raw':
    case 'noise':
      return `${fault.kind} ${Buffer.from(fault.bytes).toString('hex')}`;
    default:
      return fault.kind;
  }
}
