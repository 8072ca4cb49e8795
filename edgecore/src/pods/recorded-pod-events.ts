import type { EventRecorder, EventRegarding } from '../events/event-recorder.ts';
import type { Pod } from './pod.ts';
import type { PodEvents } from './pod-events.ts';

/** Makes Events of what happens to pods, counted and limited by an {@link EventRecorder}. */
export class RecordedPodEvents implements PodEvents {
  readonly #recorder: EventRecorder;

  constructor(recorder: EventRecorder) {
    this.#recorder = recorder;
  }

  record(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, container?: string): void {
    this.#recorder.record(regarding(pod, container), type, reason, message);
  }
}

/** A pod, or a container of it, as an event names it. Source: kubelet, container/ref.go. */
export function regarding(pod: Pod, container?: string): EventRegarding {
  const { namespace, name, uid } = pod.metadata;
  const object = { kind: 'Pod', apiVersion: 'v1', namespace, name, uid };
  if (container === undefined) return object;
  const isInitializer = pod.spec.initContainers?.some((one) => one.name === container) === true;
  return {
    ...object,
    fieldPath: `spec.${isInitializer ? 'initContainers' : 'containers'}{${container}}`,
  };
}
