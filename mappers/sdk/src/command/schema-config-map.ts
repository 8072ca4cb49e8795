import type { ProtocolSchemas } from '@hawser/devices';

/** The schemas of a protocol as the hub looks for them (docs/devices.md, "What is valid"). */
export function schemaConfigMap(protocol: string, { protocol: device, visitor }: ProtocolSchemas): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `mapper-schema-${protocol}`,
      namespace: 'hawser-system',
      labels: { 'hawser.dev/mapper-schema': protocol },
    },
    data: {
      'protocol.json': JSON.stringify(device, undefined, 2),
      'visitor.json': JSON.stringify(visitor, undefined, 2),
    },
  };
}
