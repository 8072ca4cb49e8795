import type { JsonSchema } from '@hawser/devices';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

const UUID: JsonSchema = {
  type: 'string',
  maxLength: 36,
  pattern:
    '^([0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$',
};

/** Of `protocol.configData`. Defaults are in it; {@link BluetoothProtocol} says more of each key. */
export const protocolSchema: JsonSchema = {
  $schema: DRAFT,
  title: 'Bluetooth Low Energy device',
  type: 'object',
  properties: {
    macAddress: {
      type: 'string',
      maxLength: 17,
      pattern: '^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$',
      description: 'Address of the device, as A4:C1:38:1A:49:90.',
    },
    name: { type: 'string', minLength: 1, maxLength: 248, description: 'What the device calls itself.' },
    serviceUUID: { ...UUID, description: 'A service that the device advertises.' },
    adapter: {
      type: 'string',
      maxLength: 7,
      pattern: '^hci[0-9]{1,4}$',
      default: 'hci0',
      description: 'Which adapter of the machine.',
    },
    connectTimeoutMs: {
      type: 'integer',
      minimum: 100,
      maximum: 25000,
      default: 15000,
      description: 'How long a connection and the list of its services may take.',
    },
    scanTimeoutMs: {
      type: 'integer',
      minimum: 100,
      maximum: 25000,
      default: 10000,
      description: 'How long the device is looked for.',
    },
    pairing: {
      enum: ['none'],
      default: 'none',
      description: 'Devices that need pairing are paired once, by hand.',
    },
  },
  anyOf: [{ required: ['macAddress'] }, { required: ['name'] }, { required: ['serviceUUID'] }],
  additionalProperties: false,
};

const operation: JsonSchema = {
  type: 'object',
  properties: {
    operationType: { enum: ['Add', 'Subtract', 'Multiply', 'Divide'] },
    operationValue: { type: 'number' },
  },
  required: ['operationType', 'operationValue'],
  additionalProperties: false,
  if: { properties: { operationType: { const: 'Divide' } }, required: ['operationType'] },
  then: { properties: { operationValue: { not: { const: 0 } } } },
};

const index: JsonSchema = { type: 'integer', minimum: 0, maximum: 511, default: 0 };
const shift: JsonSchema = { type: 'integer', minimum: 0, maximum: 63, default: 0 };

const dataConverter: JsonSchema = {
  type: 'object',
  description: 'How bytes become a value.',
  properties: {
    startIndex: { ...index, description: 'The most significant byte, from 0.' },
    endIndex: { ...index, description: 'The least significant byte; it may be before startIndex.' },
    shiftLeft: { ...shift, description: 'Bits.' },
    shiftRight: { ...shift, description: 'Bits.' },
    signed: { type: 'boolean', default: false, description: 'The bytes are in two’s complement.' },
    orderOfOperations: {
      type: 'array',
      items: operation,
      maxItems: 16,
      default: [],
      description: 'What is done with the number, one after the other.',
    },
  },
  additionalProperties: false,
};

/** Of `visitors.configData`. Defaults are in it; {@link BluetoothVisitor} says more of each key. */
export const visitorSchema: JsonSchema = {
  $schema: DRAFT,
  title: 'Bluetooth property',
  type: 'object',
  properties: {
    characteristicUUID: { ...UUID, description: 'The characteristic: 16, 32 or 128 bits.' },
    serviceUUID: { ...UUID, description: 'Needed where several services have the characteristic.' },
    dataWrite: {
      type: 'object',
      description: 'Values by name, and the bytes of each: 0x01ff, AQ== (base64) or [1, 255].',
      minProperties: 1,
      maxProperties: 100,
      additionalProperties: {
        type: ['string', 'array'],
        minLength: 1,
        maxLength: 1026,
        minItems: 1,
        maxItems: 512,
        items: { type: 'integer', minimum: 0, maximum: 255 },
      },
    },
    dataConverter,
    notify: {
      type: 'boolean',
      default: false,
      description: 'The device says the value by itself, by notifications or indications.',
    },
  },
  required: ['characteristicUUID'],
  additionalProperties: false,
};
