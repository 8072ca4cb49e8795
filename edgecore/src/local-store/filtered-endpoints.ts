import type { KubeObject } from '@hawser/kube';
import type { EndpointPlace } from './node-places.ts';

interface SliceEndpoint {
  readonly nodeName?: string;
  readonly zone?: string;
  readonly conditions?: { readonly ready?: boolean };
}

interface EndpointAddress {
  readonly nodeName?: string;
}

interface Subset {
  readonly addresses?: readonly EndpointAddress[];
  readonly notReadyAddresses?: readonly EndpointAddress[];
}

/** How endpoints are read from objects of a resource, and taken away from them. Numbers are in the order of {@link places}. */
export interface EndpointsForm {
  places(object: KubeObject): readonly EndpointPlace[];
  keep(object: KubeObject, isKept: (index: number) => boolean): KubeObject;
}

/** EndpointSlices of discovery.k8s.io. */
export const SLICE_FORM: EndpointsForm = {
  places: (object) =>
    endpointsOf(object).map(({ nodeName = '', zone = '', conditions }) => ({
      ...{ node: nodeName, zone },
      ready: conditions?.ready ?? true,
    })),
  keep: (object, isKept) => ({
    ...object,
    endpoints: endpointsOf(object).filter((_, index) => isKept(index)),
  }),
};

/** Endpoints of the core group. */
export const ENDPOINTS_FORM: EndpointsForm = {
  places: (object) =>
    subsetsOf(object).flatMap(({ addresses = [], notReadyAddresses = [] }) => [
      ...addresses.map(({ nodeName = '' }) => ({ node: nodeName, zone: '', ready: true })),
      ...notReadyAddresses.map(({ nodeName = '' }) => ({ node: nodeName, zone: '', ready: false })),
    ]),
  keep: (object, isKept) => {
    let index = 0;
    const kept = (list: readonly EndpointAddress[] | undefined): readonly EndpointAddress[] | undefined =>
      list?.filter(() => isKept(index++));
    const subsets = subsetsOf(object).flatMap((subset) => {
      const addresses = kept(subset.addresses);
      const notReadyAddresses = kept(subset.notReadyAddresses);
      if ((addresses?.length ?? 0) + (notReadyAddresses?.length ?? 0) === 0) return [];
      return [{ ...subset, addresses, notReadyAddresses }];
    });
    return { ...object, subsets };
  },
};

function endpointsOf(object: KubeObject): readonly SliceEndpoint[] {
  return (object['endpoints'] ?? []) as readonly SliceEndpoint[]; // as the API server checked it
}

function subsetsOf(object: KubeObject): readonly Subset[] {
  return (object['subsets'] ?? []) as readonly Subset[]; // as the API server checked it
}
