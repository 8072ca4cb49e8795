import { isPlainObject } from '@hawser/kube';
import type { Pod } from '../api/pod.ts';

/**
 * Hard constraints of a pod that this scheduler does not look at, by their fields. They are told to the user at the
 * pod, rather than ignored in silence.
 */
export function unsupportedConstraints(pod: Pod): string[] {
  const { affinity = {}, topologySpreadConstraints } = pod.spec;
  const required = (kind: string): boolean => {
    const terms = affinity[kind];
    const list = isPlainObject(terms) ? terms['requiredDuringSchedulingIgnoredDuringExecution'] : undefined;
    return Array.isArray(list) && list.length > 0;
  };
  const spread = Array.isArray(topologySpreadConstraints) ? (topologySpreadConstraints as unknown[]) : [];
  return [
    ...['podAffinity', 'podAntiAffinity'].filter(required).map((kind) => `spec.affinity.${kind}`),
    ...(spread.some((each) => isPlainObject(each) && each['whenUnsatisfiable'] === 'DoNotSchedule')
      ? ['spec.topologySpreadConstraints']
      : []),
  ];
}
