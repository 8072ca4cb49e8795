import type { BoundDevice, BoundProperty, TelemetryMessage } from '@hawser/devices';

/** A value on its way to a receiver. */
export interface Reading {
  readonly device: BoundDevice;
  readonly property: BoundProperty;
  /** As text, of the property's type. */
  readonly text: string;
  /** When it was read, wall clock. */
  readonly atMs: number;
}

/** A reading as applications get it, over MQTT and HTTP. */
export function telemetryOf({ device, property, text, atMs }: Reading): TelemetryMessage {
  return {
    deviceName: device.name,
    propertyName: property.name,
    value: text,
    type: property.type,
    namespace: device.namespace,
    timestamp: atMs,
  };
}
