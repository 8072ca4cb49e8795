import type { DriverPeer } from '@hawser/mapper-sdk/testing';
import type { ModbusPeer } from '../testing/index.ts';

/** What the suite for all drivers reads of a Modbus device, and what it has. */
export const READABLE: DriverPeer['readable'] = [
  { property: 'counter', type: 'INT', visitor: { register: 'InputRegister', offset: 0 }, expect: 4711 },
  {
    property: 'temperature',
    type: 'FLOAT',
    visitor: { register: 'InputRegister', offset: 1, type: 'int16', scale: 0.1 },
    expect: -12.3,
  },
  {
    property: 'alarm',
    type: 'BOOLEAN',
    visitor: { register: 'DiscreteInputRegister', offset: 3 },
    expect: true,
  },
  {
    property: 'serial-number',
    type: 'STRING',
    visitor: { register: 'HoldingRegister', offset: 100, limit: 4 },
    expect: 'AB-1234',
  },
  {
    property: 'total',
    type: 'INT',
    visitor: { register: 'HoldingRegister', offset: 104, type: 'uint64' },
    expect: 2n ** 64n - 1n,
  },
];

/** What it writes. */
export const WRITABLE: DriverPeer['writable'] = [
  {
    property: 'pump',
    type: 'BOOLEAN',
    visitor: { register: 'CoilRegister', offset: 0 },
    values: [true, false, true],
  },
  {
    property: 'setpoint',
    type: 'FLOAT',
    visitor: { register: 'HoldingRegister', offset: 0, type: 'float', isRegisterSwap: true },
    values: [21.55, -0.1],
  },
  {
    property: 'speed',
    type: 'INT',
    visitor: { register: 'HoldingRegister', offset: 2, type: 'bit', bit: 4, bitCount: 4 },
    values: [9, 15, 3],
  },
  {
    property: 'key',
    type: 'BYTES',
    visitor: { register: 'HoldingRegister', offset: 4, limit: 2 },
    values: [Uint8Array.of(1, 2, 3, 255)],
  },
];

/** What it does not have. */
export const BROKEN = {
  property: 'missing',
  type: 'INT',
  visitor: { register: 'HoldingRegister', offset: 200 },
} as const;

/** What it does not let be written. */
export const REFUSES = { ...BROKEN, property: 'locked', value: 5 } as const;

/** Gives a peer what is expected above, and ends its faults. */
export async function setUp(peer: ModbusPeer, unit: number): Promise<void> {
  await peer.forget();
  await peer.set(unit, 'input', 0, [4711, 65536 - 123]);
  await peer.set(unit, 'discrete', 3, [1]);
  await peer.set(unit, 'holding', 100, [0x4142, 0x2d31, 0x3233, 0x3400, 65535, 65535, 65535, 65535]);
  await peer.hole(unit, 'holding', 200, 1);
}
