export type { BoundDevice, BoundProperty } from './bound-device.ts';
export type {
  DesiredValue,
  JsonSchema,
  MapperCommand,
  MapperCommandResult,
  MapperDesired,
  MapperDevice,
  MapperHeartbeat,
  MapperHello,
  MapperRefused,
  MapperSettled,
  ProtocolSchemas,
} from './mapper-messages.ts';
export type * from './objects.ts';
export type * from './payloads.ts';
export type { Problem } from './problem.ts';
export * from './topics.ts';
