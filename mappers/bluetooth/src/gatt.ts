import { PropertyError } from '@hawser/mapper-sdk';
import { delay, type Clock } from '@hawser/seams';
import { explained, failureOf, saysGone } from './bluez/bluez-failures.ts';
import { CHARACTERISTIC } from './bluez/bluez-names.ts';
import type { CharacteristicState } from './bluez/bluez-objects.ts';
import type { BluezSession } from './bluez/bluez-session.ts';
import { DBusFailure } from './dbus/dbus-errors.ts';
import { dbusLibrary } from './dbus/dbus-library.ts';
import type { BluetoothVisitor } from './config.ts';
import { fullUuid } from './values/uuid.ts';

/** A device gives up after 30 s (Core specification, volume 3, part F, 3.3.3); nobody waits longer. */
const ATT_MS = 31_000;
const STOP_MS = 2_000;
/** How often something is tried that another program is in the way of. */
const TRIES = 5;
const BETWEEN_MS = 100;
const CHARACTERISTICS_SHOWN = 20;

/**
 * Characteristics of a device that is connected. Methods throw PropertyError where the device answers, and does not do it;
 * DBusFailure, DBusGone and DBusTimeout where it is away; the reason of an aborted signal.
 */
export class Gatt {
  readonly #session: BluezSession;
  readonly #device: string;
  readonly #clock: Clock;

  constructor(session: BluezSession, device: string, clock: Clock) {
    this.#session = session;
    this.#device = device;
    this.#clock = clock;
  }

  /** @throws PropertyError there is none, or there are several */
  find({ characteristicUUID, serviceUUID }: BluetoothVisitor): CharacteristicState {
    const uuid = fullUuid(characteristicUUID);
    const service = serviceUUID === undefined ? undefined : fullUuid(serviceUUID);
    const all = this.#session.objects.characteristics(this.#device);
    const found = all.filter(
      (one) => one.uuid === uuid && (service === undefined || one.serviceUuid === service),
    );
    const [first] = found;
    if (first === undefined) {
      const has = all.slice(0, CHARACTERISTICS_SHOWN).map((one) => one.uuid);
      const where = service === undefined ? '' : ` in the service ${service}`;
      throw new PropertyError(
        `the device has no characteristic ${uuid}${where}; it has ${has.join(', ') || 'none'}`,
      );
    }
    if (found.some(({ servicePath }) => servicePath !== first.servicePath))
      throw new PropertyError(`${uuid} is in several services of the device: say which with \`serviceUUID\``);
    return first;
  }

  /** @param onReply called with the answer, before anything behind it is looked at */
  async read(
    characteristic: CharacteristicState,
    signal: AbortSignal,
    onReply: () => void = () => {},
  ): Promise<Uint8Array> {
    if (!characteristic.flags.has('read'))
      throw new PropertyError(`${characteristic.uuid} cannot be read; it has ${flagsOf(characteristic)}`);
    const [value] = await this.#call(characteristic, 'ReadValue', 'a{sv}', [{}], { signal, onReply });
    if (!(value instanceof Uint8Array))
      throw new PropertyError(`${characteristic.uuid} was read without a value`);
    return value;
  }

  /** With an answer of the device where the characteristic can have one. */
  async write(characteristic: CharacteristicState, bytes: Buffer, signal: AbortSignal): Promise<void> {
    const { flags, uuid } = characteristic;
    const type = flags.has('write') ? 'request' : flags.has('write-without-response') ? 'command' : undefined;
    if (type === undefined)
      throw new PropertyError(
        `${uuid} cannot be written; it has ${flagsOf(characteristic)}. Make the property ReadOnly in the model`,
      );
    const { Variant } = dbusLibrary();
    const body = [bytes, { type: new Variant('s', type) }];
    await this.#call(characteristic, 'WriteValue', 'aya{sv}', body, { signal });
  }

  async startNotify(characteristic: CharacteristicState, signal: AbortSignal): Promise<void> {
    const { flags, uuid } = characteristic;
    if (!flags.has('notify') && !flags.has('indicate'))
      throw new PropertyError(
        `${uuid} says nothing by itself; it has ${flagsOf(characteristic)}. Leave out \`notify\``,
      );
    await this.#call(characteristic, 'StartNotify', '', [], { signal });
  }

  /** Never throws. */
  async stopNotify({ path }: CharacteristicState): Promise<void> {
    try {
      const call = { path, interface: CHARACTERISTIC, member: 'StopNotify' };
      await this.#session.call(call, { timeoutMs: STOP_MS });
    } catch {
      // The device is away, and nothing comes from it.
    }
  }

  async #call(
    { path, uuid }: CharacteristicState,
    member: string,
    signature: string,
    body: readonly unknown[],
    options: { readonly signal: AbortSignal; readonly onReply?: () => void },
  ): Promise<unknown[]> {
    const { signal } = options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const call = { path, interface: CHARACTERISTIC, member, signature, body };
        return await this.#session.call(call, { timeoutMs: ATT_MS, ...options });
      } catch (error) {
        if (signal.aborted || saysGone(error) || !(error instanceof DBusFailure)) throw error;
        if (failureOf(error) !== 'InProgress' || attempt === TRIES) {
          const { message } = explained(`${member} of ${uuid}`, error);
          throw new PropertyError(message, { cause: error });
        }
      }
      await delay(BETWEEN_MS, { clock: this.#clock, signal });
    }
  }
}

function flagsOf({ flags }: CharacteristicState): string {
  return [...flags].join(', ') || 'no properties';
}
