export { bindDevice, revisionOf, versionOfDesired, type Binding, type BoundDesired } from './bind-device.ts';
export type { BoundDevice, BoundProperty } from './bound-device.ts';
export { checkDevice } from './check-device.ts';
export { ACCESS_MODES, checkModel, PROPERTY_TYPES } from './check-model.ts';
export { DEAD_BAND_ANNOTATION } from './dead-band.ts';
export { DeviceError, DEVICES_ERRORS, type DeviceErrorCode } from './errors.ts';
export * from './limits.ts';
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
export type { MessageBytes } from './message-reading.ts';
export { parseTopic, type ParsedTopic } from './parse-topic.ts';
export type * from './payloads.ts';
export type { Problem } from './problem.ts';
export { isProtocolName } from './protocol-name.ts';
export {
  readMapperCommandResult,
  readMapperHeartbeat,
  readMapperHello,
  readMapperRefused,
  readMapperSettled,
} from './read-mapper-messages.ts';
export { readMapperCommand, readMapperDesired, readMapperDevice } from './read-mapper-orders.ts';
export {
  readBase,
  readStateUpdate,
  readTwinUpdate,
  type ReadBase,
  type ReadStateUpdate,
  type ReadTwinUpdate,
} from './read-payloads.ts';
export { SchemaChecker, type SchemaVerdict } from './schema-checker.ts';
export { checkReading, checkValue, isWithinDeadBand, type SettableProperty } from './settable-value.ts';
export * from './topics.ts';
export { canonicalValue, formatValue, isNumeric, parseValue, type TypedValue } from './value-text.ts';
