import type { RuntimeImage } from '../runtime/image-store.ts';

/** An image as the status of a node has it. Source: core/v1 ContainerImage. */
export interface NodeImage {
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

/** Source: kubelet, nodeStatusMaxImages. */
const MOST_IMAGES = 50;
/** Source: kubelet, MaxNamesPerImageInNodeStatus. */
const MOST_NAMES = 5;

/**
 * The images of a node for its status, the biggest first. Images without a name are not among them. The order of equal
 * ones is by name, so that the same images give the same list.
 */
export function nodeImages(images: readonly RuntimeImage[]): readonly NodeImage[] {
  return images
    .map(({ digests, tags, sizeBytes }) => ({
      names: [...digests, ...tags].slice(0, MOST_NAMES),
      sizeBytes,
    }))
    .filter(({ names }) => names.length > 0)
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (`${a.names[0]}` < `${b.names[0]}` ? -1 : 1))
    .slice(0, MOST_IMAGES);
}
