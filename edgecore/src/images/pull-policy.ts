import type { PodContainer } from '../pods/pod.ts';
import type { ImageName } from './image-name.ts';

/** When an image is fetched. */
export type PullPolicy = NonNullable<PodContainer['imagePullPolicy']>;

/** A container's policy, or the API's default for its image. Source: core/v1 defaults.go, SetDefaults_Container. */
export function pullPolicy(container: PodContainer, image: ImageName): PullPolicy {
  return container.imagePullPolicy ?? (image.tag === 'latest' ? 'Always' : 'IfNotPresent');
}
