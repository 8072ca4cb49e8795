import type { PropertyType } from '@hawser/devices';
import type { Visit } from '@hawser/mapper-sdk';
import { isBitKind, type ModbusVisitor, type RawType } from './config.ts';

/** What is read and written for a property, or why that cannot be. */
export type Layout =
  | {
      /** `bits`: several coils as a number, the first of them lowest. */
      readonly raw: RawType | 'bits';
      /** Registers, or coils. */
      readonly count: number;
    }
  | { readonly problem: string; readonly path: string; readonly remedy: string };

/** Registers of each type that always has as many. */
export const REGISTERS_OF: Readonly<Partial<Record<RawType, number>>> = {
  int16: 1,
  uint16: 1,
  bit: 1,
  int32: 2,
  uint32: 2,
  float: 2,
  int64: 4,
  uint64: 4,
  double: 4,
};

const UNSIGNED: Readonly<Record<number, RawType>> = { 1: 'uint16', 2: 'uint32', 4: 'uint64' };
const FLOATING: Readonly<Record<number, RawType>> = { 1: 'uint16', 2: 'float', 4: 'double' };
const MOST_BITS = 64;

/** Types of properties that a raw type can be converted to. */
const FITS: Readonly<Record<RawType | 'bits', readonly PropertyType[]>> = {
  int16: ['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
  uint16: ['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
  int32: ['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
  uint32: ['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
  int64: ['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
  uint64: ['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
  float: ['INT', 'FLOAT', 'DOUBLE'],
  double: ['INT', 'FLOAT', 'DOUBLE'],
  bit: ['INT', 'FLOAT', 'DOUBLE', 'BOOLEAN'],
  bits: ['INT', 'FLOAT', 'DOUBLE'],
  string: ['STRING'],
  bytes: ['BYTES'],
};

/**
 * What a property's registers hold. Where its visitor does not say so, it is as in KubeEdge's mapper: INT is unsigned, of
 * 16, 32 or 64 bits as `limit` says; FLOAT and DOUBLE are IEEE 754 of 32 or 64 bits; beyond that, one register of
 * a FLOAT or DOUBLE is an unsigned number (for its scale), and of a BOOLEAN true where it is not 0.
 */
export function layoutOf(visit: Visit<ModbusVisitor>): Layout {
  const { visitor, type } = visit;
  const layout = isBitKind(visitor.register) ? bitLayout(visit) : registerLayout(visit);
  if ('problem' in layout) return layout;
  if (!FITS[layout.raw].includes(type))
    return {
      problem: `is ${layout.raw}, which is no ${type}`,
      path: visitor.type === undefined ? '/limit' : '/type',
      remedy: `A ${layout.raw} can be ${FITS[layout.raw].join(', ')}: change \`type\` here, or of the property in the model.`,
    };
  if (type === 'BOOLEAN' && visitor.scale !== 1)
    return {
      problem: 'must be 1 where the property is a BOOLEAN',
      path: '/scale',
      remedy: 'Leave out `scale`.',
    };
  return layout;
}

function registerLayout({ visitor, type }: Visit<ModbusVisitor>): Layout {
  const raw = visitor.type ?? (visitor.bit === undefined ? undefined : 'bit');
  if (raw !== undefined) return { raw, count: REGISTERS_OF[raw] ?? visitor.limit ?? 1 };
  const count = visitor.limit ?? 1;
  switch (type) {
    case 'INT':
      return numberLayout(UNSIGNED, count);
    case 'FLOAT':
    case 'DOUBLE':
      return numberLayout(FLOATING, count);
    case 'BOOLEAN':
      return numberLayout(UNSIGNED, count);
    case 'STRING':
      return { raw: 'string', count };
    case 'BYTES':
      return { raw: 'bytes', count };
    case 'STREAM':
      return noStream();
  }
}

function numberLayout(types: Readonly<Record<number, RawType>>, count: number): Layout {
  const raw = types[count];
  if (raw !== undefined) return { raw, count };
  return {
    problem: `must be 1, 2 or 4 for a number, is ${count}`,
    path: '/limit',
    remedy: 'A number has 16, 32 or 64 bits; for others use the type BYTES.',
  };
}

function bitLayout({ visitor, type }: Visit<ModbusVisitor>): Layout {
  const count = visitor.limit ?? 1;
  if (type === 'STREAM') return noStream();
  if (type === 'BYTES') return { raw: 'bytes', count };
  if (visitor.type === 'bytes') return { raw: 'bytes', count };
  if (count === 1) return { raw: 'bit', count };
  if (count <= MOST_BITS) return { raw: 'bits', count };
  return {
    problem: `must be at most ${MOST_BITS} for a number, is ${count}`,
    path: '/limit',
    remedy: 'Use several properties, or the type BYTES.',
  };
}

function noStream(): Layout {
  return {
    problem: 'is of a property of the type STREAM, which Modbus does not have',
    path: '/register',
    remedy: 'Use the type BYTES in the model.',
  };
}
