import { TEST_IMAGES } from '@hawser/edgecore/testing';

/** A container that runs a shell command. */
export function shell(name: string, command: string, more: object = {}): object {
  return { name, image: TEST_IMAGES.busybox, command: ['sh', '-c', command], ...more };
}
