import type { Pod } from '../pods/pod.ts';
import type { PodEvents } from '../pods/pod-events.ts';

/** Warnings that are remembered; beyond that the oldest is forgotten, and may be said again. */
const MAX_TOLD = 1024;

/** Says each warning about a pod once: configurations are made again and again, and say the same. */
export class OncePerPod {
  readonly #events: PodEvents;
  readonly #told = new Set<string>();

  constructor(events: PodEvents) {
    this.#events = events;
  }

  warn(pod: Pod, reason: string, message: string): void {
    const key = `${pod.metadata.uid} ${reason} ${message}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const oldest = this.#told.values().next();
    if (this.#told.size > MAX_TOLD && oldest.done !== true) this.#told.delete(oldest.value);
    this.#events.record(pod, 'Warning', reason, message);
  }
}
