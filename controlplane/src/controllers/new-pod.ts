import { controllerReference, type KubeObject } from '@hawser/kube';
import type { PodTemplate } from '../api/pod.ts';

const MAX_PREFIX = 57;

/**
 * A pod from a template, controlled by `owner`; its name is the server's to choose.
 * Source: kubernetes pkg/controller GetPodFromTemplate.
 */
export function podFromTemplate(
  owner: KubeObject,
  template: PodTemplate,
  labels: Readonly<Record<string, string>> = {},
): KubeObject & { readonly spec: PodTemplate['spec'] } {
  const { namespace, name = '' } = owner.metadata;
  const { annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name.slice(0, MAX_PREFIX)}-`,
      ...(namespace !== undefined && { namespace }),
      labels: { ...template.metadata?.labels, ...labels },
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec,
  };
}
