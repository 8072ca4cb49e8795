import type { KubeObject } from '@hawser/kube';
import type { Pod } from '../api/pod.ts';

/** Name of the index of pods by the node that they are on. */
export const PODS_BY_NODE = 'node';

/** The index: a pod without a node is in no place of it. */
export function podNode(pod: KubeObject): string[] {
  const { nodeName = '' } = (pod as Pod).spec;
  return nodeName === '' ? [] : [nodeName];
}
