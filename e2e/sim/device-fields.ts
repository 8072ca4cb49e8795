/** What a Device of the model is made of. Its properties are p0 … p2, which may be set, and p3, which counts. */
export interface DeviceFields {
  /** Name of its model; one that is not there makes it invalid. */
  readonly model: string;
  /** Desired values, by property. */
  readonly desired: Readonly<Record<string, DesiredField>>;
  /** Annotation in which the hub notes what it has decided. */
  readonly decided?: string;
  readonly reportCycle: number;
}

/** A desired value, as the API has it. */
export interface DesiredField {
  readonly value: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a DeviceModel of the model is made of. */
export interface ModelFields {
  readonly unit: string;
}

export const DEVICE_PREFIX = 'devices.devices.kubeedge.io/';
export const MODEL_KEY = 'devicemodels.devices.kubeedge.io/default/model';
/** Properties that may be set. */
export const WRITABLE = ['p0', 'p1', 'p2'] as const;
/** The one that goes up by itself. */
export const COUNTER = 'p3';
export const PROTOCOL = 'virtual';

/** `spec` of the Device. */
export function deviceSpec(node: string | undefined, fields: DeviceFields): object {
  const { model, reportCycle } = fields;
  return {
    nodeName: node ?? '',
    deviceModelRef: { name: model },
    protocol: { protocolName: PROTOCOL },
    properties: deviceProperties(fields).map((property) => ({ ...property, reportCycle })),
  };
}

/** Properties as the hub sees them: with their names and desired values. */
export function deviceProperties({ desired }: DeviceFields): { name: string; desired?: DesiredField }[] {
  return [...WRITABLE, COUNTER].map((name) => {
    const value = desired[name];
    return { name, ...(value !== undefined && { desired: value }) };
  });
}

/** `spec` of the DeviceModel. */
export function modelSpec({ unit }: ModelFields): object {
  const property = (name: string, accessMode: string): object => ({
    ...{ name, type: 'INT', accessMode, unit },
    visitors: { protocolName: PROTOCOL },
  });
  return {
    protocol: PROTOCOL,
    properties: [...WRITABLE.map((name) => property(name, 'ReadWrite')), property(COUNTER, 'ReadOnly')],
  };
}
