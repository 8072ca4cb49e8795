import type { Driver } from '@hawser/mapper-sdk';

/** `protocol.configData` of a device: how it is reached. */
export interface MyProtocolConfig {
  readonly host: string;
  readonly port: number;
  /** Longest time for an answer, milliseconds. */
  readonly timeoutMs: number;
}

/** `visitors.configData` of a property: where in the device it is. */
export interface MyProtocolVisitor {
  /** What the device calls it. */
  readonly name: string;
}

/** What does not fit never reaches the driver; whoever applies it is told where it is wrong. Defaults are filled in. */
export const SCHEMAS: Driver['schemas'] = {
  protocol: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    required: ['host', 'port'],
    properties: {
      host: { type: 'string', minLength: 1 },
      port: { type: 'integer', minimum: 1, maximum: 65535 },
      timeoutMs: { type: 'integer', minimum: 10, maximum: 60000, default: 1000 },
    },
  },
  visitor: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: { name: { type: 'string', pattern: '^[a-z]+$' } },
  },
};
