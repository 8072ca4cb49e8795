import type { PodImages } from '../images/pod-images.ts';
import type { ContainerError } from './container-error.ts';
import { containerOf, type Pod, type PodContainer } from './pod.ts';
import type { Performed } from './pod-operator.ts';
import type { StartFailure } from './plan-types.ts';

/** When what failed is tried again. Source: kubelet, backOffPeriod. */
const RETRY_MS = 10_000;
/** When a pull that failed is asked for again: too soon for another one, so what it hears is until when it waits. */
const AFTER_PULL_MS = 1_000;

/** Remembers which containers of a pod could not be started, and until when they wait for it. */
export class StartFailures {
  readonly #images: PodImages;
  readonly #failures = new Map<string, StartFailure>();

  constructor(images: PodImages) {
    this.#images = images;
  }

  /** By name. */
  get all(): ReadonlyMap<string, StartFailure> {
    return this.#failures;
  }

  /** Takes in what became of an attempt to start some. */
  note(
    pod: Pod,
    { started, failures }: Performed,
    specHash: (container: PodContainer) => string,
    nowMs: number,
  ): void {
    for (const name of started) this.#failures.delete(name);
    for (const [name, error] of failures) {
      const container = containerOf(pod, name);
      if (container === undefined) continue;
      const { reason, message } = error;
      const retryAtMs = this.#retryAtMs(pod, container, error, nowMs);
      this.#failures.set(name, { reason, message, hash: specHash(container), retryAtMs });
    }
  }

  /** What a configuration is made from may have changed: those that lacked something are tried again. */
  retryConfigs(): boolean {
    let found = false;
    for (const [name, failure] of this.#failures) {
      if (failure.reason !== 'CreateContainerConfigError') continue;
      this.#failures.set(name, { ...failure, retryAtMs: 0 });
      found = true;
    }
    return found;
  }

  /** An image that was not pulled is asked for soon again, so that it says that it waits; that one waits its time. */
  #retryAtMs(pod: Pod, container: PodContainer, { reason }: ContainerError, nowMs: number): number {
    if (reason === 'ErrImagePull') return nowMs + AFTER_PULL_MS;
    if (reason !== 'ImagePullBackOff') return nowMs + RETRY_MS;
    return this.#images.retryAtMs(pod, container) ?? nowMs + RETRY_MS;
  }
}
