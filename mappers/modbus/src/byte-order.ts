import type { ModbusVisitor } from './config.ts';

/**
 * Bytes of registers in the order of the standard (high byte first, high register first) from the order of the device, or
 * back: it is the same step both ways. With `isSwap` the bytes of each register change places, with
 * `isRegisterSwap` the registers of the value come in reverse.
 * @param bytes two for each register; left as they are
 */
export function reorder(bytes: Uint8Array, order: Pick<ModbusVisitor, 'isSwap' | 'isRegisterSwap'>): Buffer {
  const result = Buffer.from(bytes);
  if (order.isSwap) result.swap16();
  if (!order.isRegisterSwap) return result;
  const reversed = Buffer.allocUnsafe(result.length);
  for (let at = 0; at < result.length; at += 2) result.copy(reversed, result.length - at - 2, at, at + 2);
  return reversed;
}
