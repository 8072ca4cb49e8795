import { createHash } from 'node:crypto';
import type { PodContainer } from '../pods/pod.ts';

/** Stands before each hash: a hash that covers something else gets another one. */
const VERSION = '1';

/**
 * The hash of what a running container cannot take over: its name and its image, nothing else. Of a container's spec
 * the API lets only the image be changed (and resources, by their own subresource). A hash over more would change with
 * every default that a newer API server fills in, or a newer release of ours reads, and then each container of each
 * node would be made anew at once. Kubelets cover the same since 1.31.
 * @returns `1-` and 16 hexadecimal digits
 * Source: kubelet, container/helpers.go HashContainer.
 */
export function specHash({ name, image = '' }: PodContainer): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([name, image]))
    .digest('hex');
  return `${VERSION}-${digest.slice(0, 16)}`;
}
