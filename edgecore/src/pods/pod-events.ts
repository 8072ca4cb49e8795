import type { Pod } from './pod.ts';

/** Says what happens to a pod, for its owner: an Event. Repeated ones are counted. */
export interface PodEvents {
  /**
   * @param container name of the container that it is about; its path goes into `regarding.fieldPath`
   *   (`spec.containers{main}`)
   */
  record(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, container?: string): void;
}
