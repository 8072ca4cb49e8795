import type { DriverValue, Visit } from '@hawser/mapper-sdk';
import { PropertyError } from '@hawser/mapper-sdk';
import { unpackBits } from './bits.ts';
import { reorder } from './byte-order.ts';
import type { BitField, Codec } from './codec.ts';
import { isWritableKind, type ModbusProtocol, type ModbusVisitor } from './config.ts';
import type { Requester } from './requester.ts';
import { ModbusException } from './words.ts';

/** One thing to write. */
export interface Writing {
  readonly config: ModbusProtocol;
  readonly visit: Visit<ModbusVisitor>;
  readonly codec: Codec;
  readonly value: DriverValue;
}

/**
 * Writes a value in one request. A part of a register is written with function code 22 where the device is said to have
 * it; else the register is read, and written with that part changed: nothing else goes over this connection
 * in between, but another client of the device could change the rest.
 * @throws PropertyError the value does not fit, or the device does not take it
 * @throws NoAnswer, ConnectionLost, and ModbusException where a gateway answers for the device
 */
export async function writeValue(requester: Requester, writing: Writing, signal: AbortSignal): Promise<void> {
  const { visit, codec, value } = writing;
  const { register } = visit.visitor;
  if (!isWritableKind(register)) throw new PropertyError(`${register} cannot be written`);
  const bytes = codec.encode(value);
  try {
    if (register === 'CoilRegister') await writeCoils(requester, writing, bytes, signal);
    else if (codec.field !== undefined) await writeField(requester, writing, codec.field, bytes, signal);
    else await writeRegisters(requester, writing, bytes, signal);
  } catch (error) {
    if (error instanceof ModbusException && !error.ofGateway)
      throw new PropertyError(error.message, { cause: error });
    throw error;
  }
}

function writeCoils(
  requester: Requester,
  { config, visit, codec }: Writing,
  packed: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const { offset } = visit.visitor;
  const states = unpackBits(packed, codec.count);
  const [only] = states;
  return requester.send(config, signal, (client, options) =>
    states.length === 1 && only !== undefined && !config.writeMultiple
      ? client.writeCoil(offset, only, options)
      : client.writeCoils(offset, states, options),
  );
}

function writeRegisters(
  requester: Requester,
  { config, visit }: Writing,
  bytes: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const { offset } = visit.visitor;
  return requester.send(config, signal, (client, options) =>
    bytes.length === 2 && !config.writeMultiple
      ? client.writeRegister(offset, bytes.readUInt16BE(), options)
      : client.writeRegisters(offset, bytes, options),
  );
}

async function writeField(
  requester: Requester,
  writing: Writing,
  { shift, width }: BitField,
  part: Buffer,
  signal: AbortSignal,
): Promise<void> {
  const { config, visit } = writing;
  const { register, offset } = visit.visitor;
  const mask = ((1 << width) - 1) << shift;
  const wanted = part.readUInt16BE() << shift;
  if (config.maskWrite) {
    const and = onWire(0xffff & ~mask, visit.visitor);
    const or = onWire(wanted, visit.visitor);
    await requester.send(config, signal, (client, options) =>
      client.maskRegister(offset, and.readUInt16BE(), or.readUInt16BE(), options),
    );
    return;
  }
  const raw = await requester.send(config, signal, (client, options) =>
    client.read({ register, offset, count: 1 }, options),
  );
  const held = reorder(raw, visit.visitor).readUInt16BE();
  const next = (held & ~mask) | wanted;
  if (next === held) return;
  await writeRegisters(requester, writing, onWire(next, visit.visitor), signal);
}

function onWire(register: number, visitor: ModbusVisitor): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(register);
  return reorder(bytes, visitor);
}
