import type { JsonSchema } from '@hawser/devices';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/** A condition that holds where the other is given, and has this value. */
function where(key: string, values: readonly unknown[], then: JsonSchema): JsonSchema {
  return { if: { properties: { [key]: { enum: values } }, required: [key] }, then };
}

/** Of `protocol.configData`. Defaults are in it; {@link ModbusProtocol} says more of each key. */
export const protocolSchema: JsonSchema = {
  $schema: DRAFT,
  title: 'Modbus device',
  type: 'object',
  properties: {
    commType: {
      enum: ['tcp', 'rtu'],
      default: 'tcp',
      description: 'TCP, or RTU on a serial line.',
    },
    ip: { type: 'string', minLength: 1, maxLength: 253, description: 'TCP: address or host name.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 502, description: 'TCP.' },
    serialPort: {
      type: 'string',
      pattern: '^/.+',
      maxLength: 4096,
      description: 'RTU: the device file, as /dev/ttyUSB0.',
    },
    baudRate: { type: 'integer', minimum: 300, maximum: 4000000, default: 9600, description: 'RTU.' },
    dataBits: { enum: [8], default: 8, description: 'RTU needs 8.' },
    parity: { enum: ['none', 'even', 'odd', 'mark', 'space'], default: 'none', description: 'RTU.' },
    stopBits: { enum: [1, 2], default: 1, description: 'RTU.' },
    slaveID: {
      type: 'integer',
      minimum: 0,
      maximum: 255,
      description: 'The unit: 1 to 247; with TCP 0 and 255 as well, and 1 where nothing is said.',
    },
    timeoutMs: {
      type: 'integer',
      minimum: 10,
      maximum: 60000,
      default: 1000,
      description: 'How long one request waits for its answer.',
    },
    retries: {
      type: 'integer',
      minimum: 0,
      maximum: 10,
      default: 1,
      description: 'How often a request that was not answered is sent again.',
    },
    delayMs: {
      type: 'integer',
      minimum: 0,
      maximum: 10000,
      default: 0,
      description: 'Pause between requests on the connection.',
    },
    maxGap: {
      type: 'integer',
      minimum: 0,
      maximum: 124,
      default: 8,
      description: 'Registers that nobody wants and that are read all the same, to save a request.',
    },
    writeMultiple: {
      type: 'boolean',
      default: false,
      description: 'Write with function codes 15 and 16 only.',
    },
    maskWrite: {
      type: 'boolean',
      default: false,
      description: 'The device has function code 22, for single bits of registers.',
    },
  },
  additionalProperties: false,
  allOf: [
    {
      if: { properties: { commType: { const: 'rtu' } }, required: ['commType'] },
      then: {
        required: ['serialPort', 'slaveID'],
        properties: { slaveID: { minimum: 1, maximum: 247 } },
      },
      else: {
        required: ['ip'],
        properties: { slaveID: { anyOf: [{ maximum: 247 }, { const: 255 }] } },
      },
    },
  ],
};

const REGISTERS = ['InputRegister', 'HoldingRegister'];
const BITS = ['CoilRegister', 'DiscreteInputRegister'];

/** What a type of a fixed width allows: so many registers, which end at 65535 or before. */
function wide(registers: number, types: readonly string[]): JsonSchema {
  return where('type', types, {
    properties: { limit: { const: registers }, offset: { maximum: 65536 - registers } },
  });
}

/** Of `visitors.configData`. Defaults are in it; {@link ModbusVisitor} says more of each key. */
export const visitorSchema: JsonSchema = {
  $schema: DRAFT,
  title: 'Modbus property',
  type: 'object',
  properties: {
    register: { enum: [...BITS, ...REGISTERS], description: 'Which of the four tables.' },
    offset: {
      type: 'integer',
      minimum: 0,
      maximum: 65535,
      description: 'Address on the wire, from 0: what handbooks call 40001 has offset 0.',
    },
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 2000,
      description: 'Number of registers, or of coils. Default: what the type needs.',
    },
    scale: {
      type: 'number',
      not: { const: 0 },
      default: 1,
      description: 'The value is what the registers hold, times this.',
    },
    isSwap: { type: 'boolean', default: false, description: 'Low byte of each register first.' },
    isRegisterSwap: { type: 'boolean', default: false, description: 'Low register of a value first.' },
    type: {
      enum: [
        'int16',
        'uint16',
        'int32',
        'uint32',
        'int64',
        'uint64',
        'float',
        'double',
        'bit',
        'string',
        'bytes',
      ],
      description: 'What the registers hold. Default: by limit and by the type of the property.',
    },
    bit: {
      type: 'integer',
      minimum: 0,
      maximum: 15,
      description: 'With type bit: the lowest bit of the register.',
    },
    bitCount: {
      type: 'integer',
      minimum: 1,
      maximum: 16,
      default: 1,
      description: 'With type bit: how many bits.',
    },
  },
  required: ['register', 'offset'],
  additionalProperties: false,
  allOf: [
    where('register', REGISTERS, { properties: { limit: { maximum: 125 } } }),
    where('register', BITS, { properties: { type: { enum: ['bit', 'bytes'] }, bit: false } }),
    wide(1, ['int16', 'uint16', 'bit']),
    wide(2, ['int32', 'uint32', 'float']),
    wide(4, ['int64', 'uint64', 'double']),
    where('type', ['bit', 'string', 'bytes'], { properties: { scale: { const: 1 } } }),
    where('type', ['string', 'bytes'], { properties: { bit: false }, required: ['limit'] }),
    where(
      'type',
      ['int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float', 'double', 'string', 'bytes'],
      { properties: { bit: false, bitCount: { const: 1 } } },
    ),
    {
      if: {
        properties: { register: { enum: REGISTERS }, type: { const: 'bit' } },
        required: ['register', 'type'],
      },
      then: { required: ['bit'] },
    },
  ],
};
