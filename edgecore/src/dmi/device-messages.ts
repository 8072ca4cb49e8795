import type { BoundDevice, BoundProperty, DeviceModel, Device, PushMethod } from '@hawser/devices';
import type { Encodable } from '../cri/wire.ts';
import type { ApiObject } from '../objects/object-source.ts';
import { dataOf } from './any-value.ts';
import type {
  DmiDevice,
  DmiDeviceMethod,
  DmiDeviceModel,
  DmiDeviceProperty,
  DmiModelProperty,
  DmiPushMethod,
} from './dmi-messages.ts';

export type DeviceMessage = Encodable<typeof DmiDevice.fields>;
export type ModelMessage = Encodable<typeof DmiDeviceModel.fields>;
type PropertyMessage = Encodable<typeof DmiDeviceProperty.fields>;
type ModelPropertyMessage = Encodable<typeof DmiModelProperty.fields>;
type MethodMessage = Encodable<typeof DmiDeviceMethod.fields>;
type PushMessage = Encodable<typeof DmiPushMethod.fields>;

/** What a bound device does not say of the Device that it was made of. */
export interface DeviceParts {
  readonly modelName: string;
  /** As it is written in the object. */
  readonly protocolName: string;
  readonly methods: readonly MethodMessage[];
}

/** A value that shall be, and what is said of it. */
export interface DesiredPart {
  readonly value: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What is needed of a Device that was found to be valid. @param bound what was made of it */
export function partsOf(object: ApiObject, bound: BoundDevice): DeviceParts {
  // It was checked: what is there has the type that it should have.
  const spec = (object as unknown as Device).spec ?? {};
  return {
    modelName: spec.deviceModelRef?.name ?? '',
    protocolName: spec.protocol?.protocolName ?? bound.protocol,
    methods: (spec.methods ?? []).map(({ name, description, propertyNames }) => ({
      name,
      description: description ?? '',
      propertyNames: propertyNames ?? [],
    })),
  };
}

/**
 * A device for a mapper, as KubeEdge's `ConvertDevice` makes it of the Device with what its model says. Messages that its
 * mapper framework looks into without asking (`status`, `desired`, `visitors`, `configData`) are always there; a push
 * method only where there is one.
 * @param desired by property, of those that have one
 * @param reported by property, as text
 */
export function deviceMessage(
  { namespace, name, config, properties, state }: BoundDevice,
  { modelName, protocolName, methods }: DeviceParts,
  desired: ReadonlyMap<string, DesiredPart>,
  reported: ReadonlyMap<string, string>,
): DeviceMessage {
  return {
    ...{ namespace, name },
    spec: {
      deviceModelReference: modelName,
      protocol: { protocolName, configData: dataOf(config) },
      properties: properties.map((property) =>
        propertyMessage(property, protocolName, desired.get(property.name)),
      ),
      methods,
    },
    status: {
      reportToCloud: state.reportToCloud,
      reportCycle: state.reportCycleMs,
      // Frameworks up to KubeEdge 1.16 take their properties from here.
      twins: properties.map((property) => ({
        propertyName: property.name,
        observedDesired: desired.get(property.name) ?? {},
        reported: { value: reported.get(property.name) ?? '' },
      })),
    },
  };
}

function propertyMessage(
  { name, visitor, reportCycleMs, collectCycleMs, reportToCloud, push }: BoundProperty,
  protocolName: string,
  desired: DesiredPart | undefined,
): PropertyMessage {
  return {
    name,
    desired: desired ?? {},
    visitors: { protocolName, configData: dataOf(visitor) },
    reportCycle: reportCycleMs,
    collectCycle: collectCycleMs,
    reportToCloud,
    ...(push !== undefined && { pushMethod: pushMessage(push) }),
  };
}

function pushMessage({ http, mqtt, otel }: PushMethod): PushMessage {
  return {
    ...(http && {
      http: {
        hostname: http.hostName,
        port: http.port,
        requestpath: http.requestPath,
        timeout: http.timeout,
      },
    }),
    ...(mqtt && {
      mqtt: { address: mqtt.address, topic: mqtt.topic, qos: mqtt.qos, retained: mqtt.retained },
    }),
    ...(otel && { otel: { endpointURL: otel.endpointURL } }),
  };
}

/** A model for a mapper, as KubeEdge's `ConvertDeviceModel` makes it. @param object one that was found to be valid */
export function modelMessage(object: ApiObject): ModelMessage {
  // It was checked.
  const { metadata, spec } = object as unknown as DeviceModel;
  const properties = (spec?.properties ?? []).map((property): ModelPropertyMessage => {
    const { name, description = '', type = '', accessMode = 'ReadOnly', unit = '' } = property;
    const minimum = textOf(property.minimum);
    const maximum = textOf(property.maximum);
    return { ...{ name, description, type, accessMode, unit }, minimum, maximum };
  });
  return { namespace: metadata.namespace, name: metadata.name, spec: { properties } };
}

/** Bounds without quotes are taken, too. */
function textOf(bound: unknown): string {
  return typeof bound === 'string' || typeof bound === 'number' ? String(bound) : '';
}

/** The same of what is in force, where the model itself is not to be had. */
export function modelOfBound({ namespace, properties }: BoundDevice, name: string): ModelMessage {
  return {
    ...{ namespace, name },
    spec: {
      properties: properties.map(({ name: property, type, accessMode, minimum, maximum, unit }) => ({
        ...{ name: property, type, accessMode, unit },
        minimum: minimum === undefined ? '' : String(minimum),
        maximum: maximum === undefined ? '' : String(maximum),
      })),
    },
  };
}
