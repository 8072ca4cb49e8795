import type { PeerCharacteristic } from './peer-protocol.ts';
import { hex, type ServedDevice } from './served-device.ts';
import { ServedError, type ServedObjects } from './served-objects.ts';

const CHARACTERISTIC = 'org.bluez.GattCharacteristic1';

/** Where a characteristic is. */
export interface CharacteristicPlace {
  readonly device: ServedDevice;
  readonly objects: ServedObjects;
  /** Path of its service. */
  readonly service: string;
  readonly handle: number;
}

/** A characteristic as doc/org.bluez.GattCharacteristic.rst of BlueZ has it. */
export class ServedCharacteristic {
  readonly path: string;
  readonly uuid: string;
  value: Buffer;
  readonly #spec: PeerCharacteristic;
  readonly #place: CharacteristicPlace;
  readonly #listeners = new Set<string>();

  constructor(spec: PeerCharacteristic, place: CharacteristicPlace) {
    this.#spec = spec;
    this.#place = place;
    this.path = `${place.service}/char${hex(place.handle)}`;
    this.uuid = spec.uuid;
    this.value = Buffer.from(spec.value ?? '', 'hex');
  }

  get isNotifying(): boolean {
    return this.#listeners.size > 0;
  }

  serve(): void {
    const { uuid, flags } = this.#spec;
    this.#place.objects.add(this.path, CHARACTERISTIC, {
      properties: {
        UUID: ['s', uuid],
        Service: ['o', this.#place.service],
        Flags: ['as', [...flags]],
        Notifying: ['b', false],
      },
      methods: {
        ReadValue: { in: 'a{sv}', out: 'ay', run: ([options]) => this.#read(options as Options) },
        WriteValue: {
          in: 'aya{sv}',
          out: '',
          run: ([bytes, options]) => this.#write(bytes as Uint8Array, options as Options),
        },
        StartNotify: { in: '', out: '', run: (_, sender) => this.#startNotify(sender) },
        StopNotify: { in: '', out: '', run: (_, sender) => this.#stopNotify(sender) },
      },
    });
  }

  /** The connection is gone, and the object with it. */
  withdraw(): void {
    this.#listeners.clear();
  }

  forget(client: string): void {
    this.#listeners.delete(client);
  }

  /** The device has another value, and says so to whoever listens. */
  set(value: Buffer): void {
    this.value = value;
    if (this.isNotifying) this.#say();
  }

  #read(options: Options): Buffer {
    this.#needs(['read'], 'NotPermitted', 'Read not permitted');
    const offset = Number(options['offset']?.value ?? 0);
    if (offset > this.value.length) throw new ServedError('InvalidOffset', 'Invalid offset');
    // BlueZ keeps what it has read, and says so before it answers.
    this.#say();
    return this.value.subarray(offset);
  }

  #write(bytes: Uint8Array, options: Options): void {
    const type = options['type']?.value;
    if (type === 'command')
      this.#needs(['write-without-response'], 'NotSupported', 'Operation is not supported');
    else if (type === 'request') this.#needs(['write'], 'NotSupported', 'Operation is not supported');
    else this.#needs(['write', 'write-without-response'], 'NotSupported', 'Operation is not supported');
    if (bytes.length > (this.#spec.maxLength ?? 512))
      throw new ServedError('InvalidValueLength', 'Invalid Length');
    this.value = Buffer.from(bytes);
  }

  #startNotify(client: string): void {
    this.#needs(['notify', 'indicate'], 'NotSupported', 'Operation is not supported');
    this.#listeners.add(client);
    this.#place.objects.change(this.path, CHARACTERISTIC, { Notifying: true });
  }

  #stopNotify(client: string): void {
    if (!this.#listeners.delete(client)) throw new ServedError('Failed', 'No notify session started');
    if (!this.isNotifying) this.#place.objects.change(this.path, CHARACTERISTIC, { Notifying: false });
  }

  #needs(flags: readonly string[], name: string, text: string): void {
    if (!this.#place.device.isConnected) throw new ServedError('Failed', 'Not connected');
    if (!flags.some((flag) => this.#spec.flags.includes(flag))) throw new ServedError(name, text);
  }

  #say(): void {
    this.#place.objects.change(this.path, CHARACTERISTIC, { Value: this.value });
  }
}

type Options = Readonly<Record<string, { readonly value: unknown }>>;
