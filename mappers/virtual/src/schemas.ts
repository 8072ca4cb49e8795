import type { Driver } from '@hawser/mapper-sdk';

/** What a simulated device does wrong. */
export const FAULTS = ['none', 'offline', 'slow', 'wrong', 'error', 'lost'] as const;
export type Fault = (typeof FAULTS)[number];

/** How a simulated value goes. */
export const SIGNALS = ['sine', 'ramp', 'random-walk', 'counter', 'toggle', 'constant', 'echo'] as const;
export type SignalKind = (typeof SIGNALS)[number];

/** `protocol.configData` of a simulated device, with its defaults. */
export interface VirtualConfig {
  /** Of the randomness; devices with the same one go the same way. */
  readonly seed: number;
  /** Devices with the same text share a connection, as behind a gateway. */
  readonly line?: string;
  /** How long each reading and writing takes, milliseconds. */
  readonly latencyMs: number;
  readonly fault: Fault;
  /** How long a slow device takes, and one that is offline is waited for, milliseconds. */
  readonly faultDelayMs: number;
  /** The fault begins so long after the device does, milliseconds. */
  readonly faultAfterMs: number;
  /** The fault lasts so long, milliseconds; 0: for ever. */
  readonly faultForMs: number;
  /** The fault comes again after so long, milliseconds; 0: it comes once. */
  readonly faultEveryMs: number;
}

/** `visitors.configData` of a simulated property, with its defaults. */
export interface VirtualVisitor {
  readonly signal: SignalKind;
  readonly min: number;
  readonly max: number;
  /** Of sine, ramp and toggle: once from beginning to end. */
  readonly periodMs: number;
  /** Of random-walk: the longest step; of counter: how much each reading adds. */
  readonly step: number;
  /** Of constant, and of echo until something is written. */
  readonly value?: string | number | boolean;
}

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
const whole = (description: string, fallback: number) => ({
  type: 'integer',
  minimum: 0,
  maximum: 2_147_483_647,
  default: fallback,
  description,
});

export const SCHEMAS: Driver['schemas'] = {
  protocol: {
    $schema: DRAFT,
    title: 'Simulated device',
    type: 'object',
    additionalProperties: false,
    properties: {
      seed: whole('Of the randomness; devices with the same one go the same way.', 1),
      line: { type: 'string', minLength: 1, description: 'Devices with the same text share a connection.' },
      latencyMs: { ...whole('How long each reading and writing takes, milliseconds.', 0), maximum: 60_000 },
      fault: { enum: FAULTS, default: 'none', description: 'What the device does wrong.' },
      faultDelayMs: {
        ...whole('How long a slow device takes, and an offline one is waited for, milliseconds.', 1_000),
        maximum: 60_000,
      },
      faultAfterMs: whole('The fault begins so long after the device does, milliseconds.', 0),
      faultForMs: whole('The fault lasts so long, milliseconds; 0: for ever.', 0),
      faultEveryMs: whole('The fault comes again after so long, milliseconds; 0: it comes once.', 0),
    },
  },
  visitor: {
    $schema: DRAFT,
    title: 'Simulated property',
    type: 'object',
    additionalProperties: false,
    properties: {
      signal: { enum: SIGNALS, default: 'echo', description: 'How the value goes.' },
      min: { type: 'number', default: 0 },
      max: { type: 'number', default: 100 },
      periodMs: {
        type: 'integer',
        minimum: 1,
        maximum: 2_147_483_647,
        default: 60_000,
        description: 'Of sine, ramp and toggle, milliseconds.',
      },
      step: { type: 'number', default: 1, description: 'Of random-walk and counter.' },
      value: {
        type: ['string', 'number', 'boolean'],
        description: 'Of constant, and of echo until something is written.',
      },
    },
  },
};
