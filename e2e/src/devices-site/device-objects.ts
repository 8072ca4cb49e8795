import type { KubeObject } from '@hawser/kube';

const API_VERSION = 'devices.kubeedge.io/v1beta1';

/** A device as the API has it, as far as tests look at it. */
export interface SeenDevice extends KubeObject {
  readonly spec: { readonly properties?: readonly SeenProperty[] };
  readonly status?: {
    readonly state?: string;
    readonly lastOnlineTime?: string;
    readonly twins?: readonly SeenTwin[];
    readonly conditions?: readonly SeenCondition[];
  };
}

interface SeenProperty {
  readonly name: string;
  readonly desired?: { readonly value: string };
}

interface SeenTwin {
  readonly propertyName: string;
  readonly reported?: { readonly value: string; readonly metadata?: Readonly<Record<string, string>> };
  readonly observedDesired?: { readonly value: string };
}

interface SeenCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** One property of a holding register: how models and devices of these tests say it. */
export interface RegisterProperty {
  readonly name: string;
  readonly offset: number;
  readonly writable?: boolean;
  readonly collectCycle?: number;
  readonly reportCycle?: number;
  readonly desired?: string;
}

/** A model of INT properties. */
export function registerModel(name: string, properties: readonly RegisterProperty[]): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'DeviceModel',
    metadata: { name, namespace: 'default' },
    spec: {
      protocol: 'modbus',
      properties: properties.map((property) => ({
        name: property.name,
        type: 'INT',
        accessMode: property.writable === true ? 'ReadWrite' : 'ReadOnly',
      })),
    },
  };
}

/** A device whose properties are holding registers of a unit behind a TCP port of this machine. */
export function registerDevice(
  name: string,
  at: { readonly node: string; readonly model: string; readonly port: number; readonly unit: number },
  properties: readonly RegisterProperty[],
): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Device',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: at.node,
      deviceModelRef: { name: at.model },
      protocol: {
        protocolName: 'modbus',
        configData: { commType: 'tcp', ip: '127.0.0.1', port: at.port, slaveID: at.unit, timeoutMs: 500 },
      },
      properties: properties.map(({ name: property, offset, collectCycle, reportCycle, desired }) => ({
        name: property,
        ...(desired !== undefined && { desired: { value: desired } }),
        ...(collectCycle !== undefined && { collectCycle }),
        ...(reportCycle !== undefined && { reportCycle }),
        visitors: { protocolName: 'modbus', configData: { register: 'HoldingRegister', offset, limit: 1 } },
      })),
    },
  };
}

/** The value that the API has of a property; undefined: none yet. */
export function reportedValue({ status }: SeenDevice, property: string): string | undefined {
  return status?.twins?.find(({ propertyName }) => propertyName === property)?.reported?.value;
}

/** A condition of a device. */
export function conditionOf({ status }: SeenDevice, type: string): SeenCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}
