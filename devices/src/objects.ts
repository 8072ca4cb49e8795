/**
 * Devices and models as the API has them. Names and shapes are those of KubeEdge's `devices.kubeedge.io/v1beta1`. What
 * comes from outside is of these types only after `checkDevice` and `checkModel` have looked at it.
 */

/** JSON that only the mapper of a protocol understands, and its schema describes. */
export type ConfigData = Readonly<Record<string, unknown>>;

export type PropertyType = 'INT' | 'FLOAT' | 'DOUBLE' | 'STRING' | 'BOOLEAN' | 'BYTES' | 'STREAM';
export type AccessMode = 'ReadWrite' | 'ReadOnly';

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How a property is read and set. */
export interface Visitors {
  readonly protocolName?: string;
  readonly configData?: ConfigData;
}

export interface ModelProperty {
  readonly name: string;
  readonly description?: string;
  readonly type?: PropertyType;
  /** Default ReadOnly. */
  readonly accessMode?: AccessMode;
  /** Smallest and largest value that may be set, as text. */
  readonly minimum?: string;
  readonly maximum?: string;
  readonly unit?: string;
  readonly visitors?: Visitors;
}

export interface DeviceModel {
  readonly metadata: Metadata;
  readonly spec?: {
    readonly protocol?: string;
    readonly protocolConfigData?: ConfigData;
    readonly properties?: readonly ModelProperty[];
  };
}

/** A value as text, and what is said of it: `timestamp` (milliseconds), `type`. */
export interface TwinValue {
  readonly value: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Where a mapper sends readings beside the twin. */
export interface PushMethod {
  readonly http?: {
    readonly hostName?: string;
    readonly port?: number;
    readonly requestPath?: string;
    /** Milliseconds. */
    readonly timeout?: number;
  };
  readonly mqtt?: {
    readonly address?: string;
    readonly topic?: string;
    readonly qos?: number;
    readonly retained?: boolean;
  };
  readonly otel?: { readonly endpointURL?: string };
  /** Not supported: refused, see `checkDevice`. */
  readonly dbMethod?: unknown;
  readonly anomalyDetection?: unknown;
}

export interface DeviceProperty {
  readonly name: string;
  readonly desired?: TwinValue;
  readonly visitors?: Visitors;
  /** Shortest time between reports to the cloud, milliseconds. */
  readonly reportCycle?: number;
  /** Time between readings, milliseconds. */
  readonly collectCycle?: number;
  /** Default true. */
  readonly reportToCloud?: boolean;
  readonly pushMethod?: PushMethod;
}

export interface DeviceMethod {
  readonly name: string;
  readonly description?: string;
  readonly propertyNames?: readonly string[];
}

export interface Device {
  readonly metadata: Metadata;
  readonly spec?: {
    readonly deviceModelRef?: { readonly name?: string };
    readonly nodeName?: string;
    readonly protocol?: { readonly protocolName?: string; readonly configData?: ConfigData };
    readonly properties?: readonly DeviceProperty[];
    readonly methods?: readonly DeviceMethod[];
    readonly stateReport?: { readonly reportToCloud?: boolean; readonly reportCycle?: number };
  };
}

/** What a device is like. `unknown`: nobody has said yet, or its mapper is gone. */
export type DeviceState = 'ok' | 'online' | 'offline' | 'unhealthy' | 'unknown';

/** One twin as `Device.status` and `DeviceStatus` have it. */
export interface TwinStatus {
  readonly propertyName: string;
  readonly reported?: TwinValue;
  readonly observedDesired?: TwinValue;
}
