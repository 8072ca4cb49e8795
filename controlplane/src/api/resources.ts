import { RESOURCES, type ApiResource } from '@hawser/kube';

/** Resources that the controllers read or write. */
export const API = {
  ...RESOURCES,
  controllerrevisions: {
    group: 'apps',
    version: 'v1',
    resource: 'controllerrevisions',
    kind: 'ControllerRevision',
    namespaced: true,
  },
} as const satisfies Readonly<Record<string, ApiResource>>;
