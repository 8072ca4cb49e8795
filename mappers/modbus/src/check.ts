import type { DriverProblem, Visit } from '@hawser/mapper-sdk';
import { isBitKind, isWritableKind, type ModbusProtocol, type ModbusVisitor } from './config.ts';
import { layoutOf } from './raw-type.ts';

/** Most that one request can write (Modbus Application Protocol 6.11, 6.12). */
const WRITABLE_COILS = 1968;
const WRITABLE_REGISTERS = 123;
const ADDRESSES = 65536;

/** What the schemas cannot say of a device: types of properties, the end of the address range, what can be written. */
export function checkDevice(
  _config: ModbusProtocol,
  properties: readonly Visit<ModbusVisitor>[],
): readonly DriverProblem[] {
  return properties.flatMap((visit) => {
    const problem = problemOf(visit);
    return problem === undefined ? [] : [{ ...problem, property: visit.property }];
  });
}

function problemOf(visit: Visit<ModbusVisitor>): DriverProblem | undefined {
  const { visitor, writable } = visit;
  const layout = layoutOf(visit);
  if ('problem' in layout) return { path: layout.path, message: layout.problem, remedy: layout.remedy };
  const { count } = layout;
  if (visitor.offset + count > ADDRESSES)
    return {
      path: '/offset',
      message: `must be <= ${ADDRESSES - count} with ${count} registers, is ${visitor.offset}`,
      remedy: 'Addresses end at 65535: lower `offset` or `limit`.',
    };
  if (layout.raw === 'bit' && (visitor.bit ?? 0) + visitor.bitCount > 16)
    return {
      path: '/bitCount',
      message: `must be <= ${16 - (visitor.bit ?? 0)} from bit ${visitor.bit ?? 0} on, is ${visitor.bitCount}`,
      remedy: 'A register has the bits 0 to 15.',
    };
  if (!writable) return undefined;
  if (!isWritableKind(visitor.register))
    return {
      path: '/register',
      message: `${visitor.register} cannot be written, and the property is ReadWrite`,
      remedy: 'Make the property ReadOnly in the model, or use CoilRegister or HoldingRegister.',
    };
  const most = isBitKind(visitor.register) ? WRITABLE_COILS : WRITABLE_REGISTERS;
  if (count > most)
    return {
      path: '/limit',
      message: `must be <= ${most} where the property is ReadWrite, is ${count}`,
      remedy: 'One request cannot write more: make the property ReadOnly, or use several.',
    };
  return undefined;
}
