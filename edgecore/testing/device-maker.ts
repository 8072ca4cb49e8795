import type { AccessMode, ModelProperty, PropertyType, TwinValue } from '@hawser/devices';

const API_VERSION = 'devices.kubeedge.io/v1beta1';

/** A property of a model, in short. */
export interface MadeProperty {
  readonly name: string;
  /** Default INT. */
  readonly type?: PropertyType;
  /** Default ReadWrite. */
  readonly accessMode?: AccessMode;
  readonly minimum?: string;
  readonly maximum?: string;
}

/** A DeviceModel of the protocol `virtual`, in the namespace `default`. */
export function makeModel(name: string, properties: readonly MadeProperty[]): Record<string, unknown> {
  const made: ModelProperty[] = properties.map((property) => ({
    ...property,
    type: property.type ?? 'INT',
    accessMode: property.accessMode ?? 'ReadWrite',
    visitors: { configData: {} },
  }));
  return {
    ...{ apiVersion: API_VERSION, kind: 'DeviceModel' },
    metadata: { namespace: 'default', name, uid: `model-${name}`, resourceVersion: '1' },
    spec: { protocol: 'virtual', properties: made },
  };
}

/** A property of a device, in short. */
export interface MadeDeviceProperty {
  readonly name: string;
  readonly desired?: TwinValue;
  readonly reportCycle?: number;
  readonly reportToCloud?: boolean;
}

/** What a device is made of; each default is in {@link makeDevice}. */
export interface MadeDevice {
  readonly uid?: string;
  readonly model?: string;
  readonly properties?: readonly MadeDeviceProperty[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly protocol?: string;
}

/** A Device of the namespace `default` at `edge-1`. */
export function makeDevice(name: string, options: MadeDevice = {}): Record<string, unknown> {
  const {
    uid = `uid-${name}`,
    model = 'model',
    properties = [],
    annotations,
    protocol = 'virtual',
  } = options;
  return {
    ...{ apiVersion: API_VERSION, kind: 'Device' },
    metadata: {
      ...{ namespace: 'default', name, uid, resourceVersion: '1' },
      ...(annotations !== undefined && { annotations }),
    },
    spec: {
      nodeName: 'edge-1',
      deviceModelRef: { name: model },
      protocol: { protocolName: protocol },
      properties: properties.map((property) => ({ ...property, visitors: { protocolName: protocol } })),
    },
  };
}
