import type { Pod } from '../pods/pod.ts';

/** Where a program finds an API server. */
export interface ApiServerAddress {
  readonly host: string;
  readonly port: number;
}

/** What pods are given of the local API. */
export interface ApiForPods {
  /** What KUBERNETES_SERVICE_HOST and _PORT say to a container that starts now; undefined: nothing from here. */
  server(pod: Pod): ApiServerAddress | undefined;
  /** PEM to put beside the cluster's authority in the pod's `ca.crt`; undefined: nothing. */
  authority(pod: Pod): string | undefined;
}

/** Annotation of a pod that overrides `localApi.pods`. */
export const API_SERVER_ANNOTATION = 'hawser.dev/api-server';

/** Whether a pod is to use the local API: what its annotation says, `preset` where it says nothing that is known. */
export function usesLocalApi({ metadata }: Pod, preset: 'local' | 'cluster'): boolean {
  const wish = metadata.annotations?.[API_SERVER_ANNOTATION];
  return (wish === 'local' || wish === 'cluster' ? wish : preset) === 'local';
}
