import type { KubeObject } from '@hawser/kube';
import type { DEVICE_MODELS, DEVICES } from '../../src/cache/bound-devices.ts';

/** The CustomResourceDefinition of one of them. */
export function definition(resource: typeof DEVICES | typeof DEVICE_MODELS): KubeObject {
  const { group, version, resource: plural, kind } = resource;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
}

/** A device, bound to a node or to none. */
export function device(name: string, nodeName: string | undefined, model: string): KubeObject {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: { name, namespace: 'default' },
    spec: { ...(nodeName !== undefined && { nodeName }), deviceModelRef: { name: model } },
  };
}

/** A model that devices name. */
export function model(name: string): KubeObject {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'DeviceModel',
    metadata: { name, namespace: 'default' },
    spec: { protocol: 'modbus' },
  };
}
