export type { BusListener, MapperBus, SendOptions } from './bus/mapper-bus.ts';
export { MqttBus, type MqttBusOptions } from './bus/mqtt-bus.ts';
export { runMapper } from './command/run-mapper.ts';
export type { HealthState } from './devices/device-health.ts';
export * from './driver.ts';
export { MAPPER_ERRORS, MapperError, type MapperErrorCode } from './errors.ts';
export { Mapper, type DeviceSummary, type MapperOptions } from './mapper.ts';
export type { MapperStats } from './metrics/mapper-stats.ts';
export type { ReceiverSummary } from './push/receiver.ts';
