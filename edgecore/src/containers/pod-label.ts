import type { Pod } from '../pods/pod.ts';

/** `name_namespace(uid)`, as messages of a kubelet name a pod. Source: kubelet, util/format Pod. */
export function podLabel({ metadata: { name, namespace, uid } }: Pod): string {
  return `${name}_${namespace}(${uid})`;
}
