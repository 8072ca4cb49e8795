import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { deferred, type Deferred } from '@hawser/seams';
import { PrivateBus, type PrivateBusOptions } from './private-bus.ts';
import type { PeerAnswer, PeerDevice, PeerFault, PeerOrder, PeerState } from './peer-protocol.ts';

const PROGRAM = fileURLToPath(new URL('./peer-main.js', import.meta.url));

/**
 * BlueZ as a driver sees it, without a radio: its D-Bus API on a bus of its own, served by a process of its own, with
 * devices that are set, vanish, refuse, are slow and notify. As real controllers do, it breaks off a connection that is
 * made while another one is, or while it scans.
 */
export class BluezPeer {
  readonly #bus: PrivateBus;
  readonly #devices = new Map<string, PeerDevice>();
  readonly #adapters = new Map<string, boolean>();
  readonly #waiting = new Map<number, Deferred<unknown>>();
  #process: ChildProcess | undefined;
  #id = 0;
  #isStopped = false;

  private constructor(bus: PrivateBus) {
    this.#bus = bus;
  }

  /** Why there can be no peer on this machine; undefined: there can. */
  static missing(): string | undefined {
    return PrivateBus.missing();
  }

  /** A bus, and BlueZ on it with the adapter hci0, switched on. */
  static async start(options: PrivateBusOptions = {}): Promise<BluezPeer> {
    const peer = new BluezPeer(await PrivateBus.start(options));
    peer.#adapters.set('hci0', true);
    await peer.startDaemon();
    return peer;
  }

  /** For DBUS_SYSTEM_BUS_ADDRESS. */
  get address(): string {
    return this.#bus.address;
  }

  /** Begins bluetoothd, with the adapters and devices that there were. */
  async startDaemon(): Promise<void> {
    if (this.#isStopped) throw new Error('the peer was stopped');
    if (this.#process !== undefined) return;
    const child = fork(PROGRAM, [this.#bus.address], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process = child;
    child.on('message', (message) => this.#take(message as PeerAnswer));
    child.once('exit', () => {
      for (const one of this.#waiting.values()) one.reject(new Error('the peer has ended'));
      this.#waiting.clear();
    });
    await this.#waitFor(0);
    for (const [name, powered] of this.#adapters) await this.#ask({ do: 'adapter', name, powered });
    for (const device of this.#devices.values()) await this.#ask({ do: 'put', device });
  }

  /** bluetoothd dies. */
  async killDaemon(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** The bus goes away. */
  async killBus(): Promise<void> {
    await this.#bus.stop();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.killDaemon();
    await this.#bus.stop();
  }

  /** Adds an adapter, or switches one on or off. */
  async adapter(name: string, powered: boolean): Promise<void> {
    this.#adapters.set(name, powered);
    await this.#ask({ do: 'adapter', name, powered });
  }

  /** An adapter is pulled out. */
  async removeAdapter(name: string): Promise<void> {
    this.#adapters.delete(name);
    await this.#ask({ do: 'removeAdapter', name });
  }

  /** A device comes into reach, or another form of it. */
  async put(device: PeerDevice): Promise<void> {
    this.#devices.set(device.address, device);
    await this.#ask({ do: 'put', device });
  }

  async vanish(address: string): Promise<void> {
    await this.#ask({ do: 'vanish', address });
  }

  async appear(address: string): Promise<void> {
    await this.#ask({ do: 'appear', address });
  }

  async hangUp(address: string): Promise<void> {
    await this.#ask({ do: 'hangUp', address });
  }

  /** The device has another value, and says so where somebody wants to hear it. @param value hexadecimal */
  async set(address: string, uuid: string, value: string): Promise<void> {
    await this.#ask({ do: 'set', address, uuid, value });
  }

  /** What the device has, hexadecimal. */
  async get(address: string, uuid: string): Promise<string> {
    return (await this.#ask({ do: 'get', address, uuid })) as string;
  }

  async fault(fault: PeerFault): Promise<void> {
    await this.#ask({ do: 'fault', fault });
  }

  /** Ends faults, and does what calls that were muted wanted. */
  async mend(): Promise<void> {
    await this.#ask({ do: 'mend' });
  }

  /** As after the start: no devices, no faults, and hci0 alone, switched on. */
  async reset(): Promise<void> {
    this.#devices.clear();
    this.#adapters.clear();
    this.#adapters.set('hci0', true);
    await this.startDaemon();
    await this.#ask({ do: 'reset' });
  }

  /** Names of the methods of BlueZ that were called since the start, in order; the last 10,000. */
  async calls(): Promise<readonly string[]> {
    return (await this.#ask({ do: 'calls' })) as readonly string[];
  }

  async state(): Promise<PeerState> {
    return (await this.#ask({ do: 'state' })) as PeerState;
  }

  #ask(order: PeerOrder): Promise<unknown> {
    const child = this.#process;
    if (child === undefined) return Promise.reject(new Error('bluetoothd of the peer does not run'));
    const id = (this.#id += 1);
    child.send({ id, order });
    return this.#waitFor(id);
  }

  #waitFor(id: number): Promise<unknown> {
    const answer = deferred<unknown>();
    this.#waiting.set(id, answer);
    return answer.promise;
  }

  #take({ id, result, error }: PeerAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  }
}
