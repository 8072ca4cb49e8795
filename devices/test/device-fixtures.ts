/** A valid device and its model, which tests take apart. */
export function validDevice(): Record<string, unknown> {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: { namespace: 'plant', name: 'press', uid: 'u1', annotations: {} },
    spec: {
      deviceModelRef: { name: 'press' },
      nodeName: 'edge-1',
      protocol: { protocolName: 'modbus', configData: { commType: 'tcp', ip: '10.0.0.1' } },
      properties: [
        {
          name: 'pressure',
          visitors: { protocolName: 'modbus', configData: { register: 'HoldingRegister', offset: 2 } },
          collectCycle: 500,
          reportCycle: 2000,
          pushMethod: { mqtt: { address: 'tcp://127.0.0.1:1883', topic: 'a/b', qos: 1, retained: false } },
        },
        { name: 'target', desired: { value: '20', metadata: { timestamp: '1700000000000' } } },
      ],
      methods: [{ name: 'adjust', propertyNames: ['target'] }],
      stateReport: { reportToCloud: true, reportCycle: 5000 },
    },
  };
}

export function validModel(): Record<string, unknown> {
  return {
    metadata: { namespace: 'plant', name: 'press', uid: 'm1' },
    spec: {
      protocol: 'modbus',
      protocolConfigData: { port: 502, ip: '10.0.0.9' },
      properties: [
        { name: 'pressure', type: 'DOUBLE', unit: 'bar', visitors: { configData: { offset: 1, limit: 2 } } },
        { name: 'target', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '100', unit: 'bar' },
        { name: 'label', type: 'STRING', accessMode: 'ReadWrite' },
      ],
    },
  };
}

/** Sets what is at a JSON pointer; undefined: takes it away. */
export function setAt(object: unknown, pointer: string, value: unknown): void {
  const segments = pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = segments.pop();
  if (last === undefined) throw new TypeError('a pointer to the whole of it');
  let at = object as Record<string, unknown>;
  for (const segment of segments) at = (at[segment] ??= {}) as Record<string, unknown>;
  if (value === undefined) Reflect.deleteProperty(at, last);
  else at[last] = value;
}
