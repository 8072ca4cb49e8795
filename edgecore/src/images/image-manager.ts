import type { Clock, Logger } from '@hawser/seams';
import type { ObjectSource } from '../objects/object-source.ts';
import { ContainerError, type ContainerErrorReason } from '../pods/container-error.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { podName, type Pod, type PodContainer } from '../pods/pod.ts';
import type { SandboxConfig } from '../runtime/container-config.ts';
import type { ImageStore, RegistryLogin, RuntimeImage } from '../runtime/image-store.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { durationText } from './duration-text.ts';
import { parseImageName, type ImageName } from './image-name.ts';
import type { ImageRuns } from './image-runs.ts';
import type { PodImages } from './pod-images.ts';
import { PullBackoff } from './pull-backoff.ts';
import { pullPolicy } from './pull-policy.ts';
import { readPullSecrets } from './pull-secrets.ts';
import { loginsFor } from './registry-logins.ts';
import { isRefusal, RegistryReach } from './registry-reach.ts';
import { SharedPulls, type PullResult } from './shared-pulls.ts';

/** What an {@link ImageManager} needs. */
export interface ImageManagerOptions {
  readonly images: ImageStore;
  readonly objects: ObjectSource;
  readonly events: PodEvents;
  readonly runs: ImageRuns;
  /** Pulls at a time. Option `pods.parallelPulls`. */
  readonly parallelPulls: number;
  /** The node has another image than before: for who reports them, such as `ImageCollector.lookSoon`. */
  readonly onPulled?: () => void;
  /** What has become of a pull; one that several wait for is told of once. */
  readonly onPull?: (result: 'pulled' | 'failed' | 'aborted') => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One call of {@link ImageManager.ensure}. */
interface Wish {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly image: ImageName;
  readonly sandbox: SandboxConfig;
  readonly signal: AbortSignal;
}

/**
 * Brings the images of pods to the node, as their policies say. Reasons, messages and back-off are a kubelet's.
 *
 * In one thing it is no kubelet: a pod with policy Always that this node has given an image before starts with that
 * very image while its registry does not answer (ADR 0021). A registry that answers and says no is obeyed.
 * Source: kubelet, images/image_manager.go.
 */
export class ImageManager implements PodImages {
  readonly #options: ImageManagerOptions;
  readonly #pulls: SharedPulls;
  readonly #backoff: PullBackoff;
  readonly #reach: RegistryReach;

  constructor(options: ImageManagerOptions) {
    this.#options = options;
    this.#pulls = new SharedPulls({ limit: options.parallelPulls, clock: options.clock });
    this.#backoff = new PullBackoff(options.clock);
    this.#reach = new RegistryReach(options.clock);
  }

  async ensure(
    pod: Pod,
    container: PodContainer,
    sandbox: SandboxConfig,
    signal: AbortSignal,
  ): Promise<RuntimeImage> {
    signal.throwIfAborted();
    const wish = { pod, container, image: this.#parse(pod, container), sandbox, signal };
    const present = await this.#inspect(wish, wish.image.written);
    const policy = pullPolicy(container, wish.image);
    if (policy === 'Always') return this.#ensureLatest(wish);
    if (present !== undefined) {
      this.#say(
        wish,
        'Normal',
        'Pulled',
        `Container image "${wish.image.written}" already present on machine`,
      );
      return present;
    }
    if (policy === 'IfNotPresent') return this.#pullNow(wish);
    const message = `Container image "${wish.image.written}" is not present with pull policy of Never`;
    this.#say(wish, 'Warning', 'ErrImageNeverPull', message);
    throw this.#refuse(wish, 'ErrImageNeverPull', message);
  }

  retryAtMs(pod: Pod, container: PodContainer): number | undefined {
    const waitMs = this.#backoff.waitMs(backoffKey(pod, container));
    return waitMs === 0 ? undefined : this.#options.clock.wallMs() + waitMs;
  }

  #parse(pod: Pod, container: PodContainer): ImageName {
    const text = container.image ?? '';
    try {
      return parseImageName(text);
    } catch (error) {
      const message = `Failed to apply default image tag "${text}": ${(error as Error).message}`;
      this.#options.events.record(pod, 'Warning', 'InspectFailed', message, container.name);
      throw this.#refuse({ pod, container }, 'InvalidImageName', message, error);
    }
  }

  async #inspect(wish: Wish, image: string): Promise<RuntimeImage | undefined> {
    try {
      return await this.#options.images.status(image);
    } catch (error) {
      wish.signal.throwIfAborted();
      const message = `Failed to inspect image "${image}": ${(error as Error).message}`;
      this.#say(wish, 'Warning', 'InspectFailed', message);
      throw this.#refuse(wish, 'ImageInspectError', message, error);
    }
  }

  /** Policy Always: asks the registry; where it does not answer, takes what the pod was given before. */
  async #ensureLatest(wish: Wish): Promise<RuntimeImage> {
    const { runs } = this.#options;
    const { uid } = wish.pod.metadata;
    const id = await runs.recall(uid, wish.image.full);
    const before = id === undefined ? undefined : await this.#inspect(wish, id);
    const image = before === undefined ? await this.#pullNow(wish) : await this.#pullOr(wish, before);
    await runs.remember(uid, wish.image.full, image.id);
    return image;
  }

  async #pullOr(wish: Wish, before: RuntimeImage): Promise<RuntimeImage> {
    const { registry } = wish.image;
    if (this.#reach.trouble(registry) === undefined) {
      this.#checkBackoff(wish);
      try {
        return await this.#pull(wish, [wish.signal, this.#reach.untilTrouble(registry)]);
      } catch (error) {
        wish.signal.throwIfAborted();
        if (isRefusal(error) || isRuntimeAway(error)) throw this.#giveUp(wish, error);
        this.#sayFailed(wish, error);
      }
    }
    const known = `Container image "${wish.image.written}" already present on machine`;
    const why = `its registry does not answer, and this pod was given it before`;
    this.#say(wish, 'Normal', 'Pulled', `${known}: ${why}`);
    return before;
  }

  async #pullNow(wish: Wish): Promise<RuntimeImage> {
    this.#checkBackoff(wish);
    try {
      return await this.#pull(wish, [wish.signal]);
    } catch (error) {
      wish.signal.throwIfAborted();
      throw this.#giveUp(wish, error);
    }
  }

  #checkBackoff(wish: Wish): void {
    const last = this.#backoff.waiting(backoffKey(wish.pod, wish.container));
    if (last === undefined) return;
    const message = `Back-off pulling image "${wish.image.written}"`;
    this.#say(wish, 'Normal', 'BackOff', message);
    throw this.#refuse(wish, 'ImagePullBackOff', `${message}: ErrImagePull: ${last}`);
  }

  /** Pulls with each login that fits until one works, and says so. @throws what the runtime said, of all of them */
  async #pull(wish: Wish, signals: readonly AbortSignal[]): Promise<RuntimeImage> {
    const { clock, objects, log } = this.#options;
    const { image, pod } = wish;
    const startedMs = clock.monotonicMs();
    const { logins, missing } = await readPullSecrets(pod, objects, log);
    if (missing.length > 0) this.#sayMissing(wish, missing);
    this.#say(wish, 'Normal', 'Pulling', `Pulling image "${image.written}"`);
    const result = await this.#pullWith(loginsFor(image, logins), wish, signals);
    const found = await this.#options.images.status(result.ref);
    if (found === undefined) throw new Error('it was pulled, and is not there');
    this.#backoff.succeeded(backoffKey(pod, wish.container));
    this.#options.onPulled?.();
    const waitedMs = clock.monotonicMs() - startedMs;
    const took = `in ${durationText(result.pullMs)} (${durationText(waitedMs)} including waiting)`;
    const size = `Image size: ${found.sizeBytes} bytes.`;
    this.#say(wish, 'Normal', 'Pulled', `Successfully pulled image "${image.written}" ${took}. ${size}`);
    return found;
  }

  async #pullWith(
    logins: readonly RegistryLogin[],
    { image, sandbox }: Wish,
    signals: readonly AbortSignal[],
  ): Promise<PullResult> {
    const errors: Error[] = [];
    for (const login of logins.length === 0 ? [undefined] : logins) {
      const start = (signal: AbortSignal): Promise<string> =>
        this.#ask(image, signal, () => this.#options.images.pull(image.written, login, sandbox, signal));
      try {
        return await this.#pulls.pull(`${image.written} ${JSON.stringify(login ?? {})}`, start, signals);
      } catch (error) {
        if (signals.some((signal) => signal.aborted)) throw error;
        errors.push(error as Error);
      }
    }
    const [first] = errors;
    if (first !== undefined && errors.length === 1) throw first;
    const message = `[${[...new Set(errors.map((error) => error.message))].join(', ')}]`;
    throw new AggregateError(errors, message);
  }

  /** Notes whether the registry has answered, before others that wait for it have their turn. */
  async #ask(image: ImageName, signal: AbortSignal, pull: () => Promise<string>): Promise<string> {
    try {
      const ref = await pull();
      this.#reach.answered(image.registry);
      this.#options.onPull?.('pulled');
      return ref;
    } catch (error) {
      this.#options.onPull?.(signal.aborted ? 'aborted' : 'failed');
      if (isRefusal(error)) this.#reach.answered(image.registry);
      else if (!signal.aborted && !isRuntimeAway(error)) this.#reach.failed(image.registry, error as Error);
      throw error;
    }
  }

  #sayMissing(wish: Wish, missing: readonly string[]): void {
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
    this.#options.events.record(wish.pod, 'Warning', 'FailedToRetrieveImagePullSecret', message);
  }

  #sayFailed(wish: Wish, error: unknown): void {
    const message = `Failed to pull image "${wish.image.written}": ${(error as Error).message}`;
    this.#say(wish, 'Warning', 'Failed', message);
  }

  /** A failed pull: it waits before it is tried again. */
  #giveUp(wish: Wish, error: unknown): ContainerError {
    const { message } = error as Error;
    this.#sayFailed(wish, error);
    this.#backoff.failed(backoffKey(wish.pod, wish.container), message);
    return this.#refuse(wish, 'ErrImagePull', message, error);
  }

  #refuse(
    { pod, container }: Pick<Wish, 'pod' | 'container'>,
    reason: ContainerErrorReason,
    message: string,
    cause?: unknown,
  ): ContainerError {
    this.#options.log.info(
      { pod: podName(pod), container: container.name, image: container.image, reason },
      message,
    );
    return new ContainerError(reason, message, { cause });
  }

  #say({ pod, container }: Wish, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#options.events.record(pod, type, reason, message, container.name);
  }
}

/** The runtime's absence says nothing of the registry. */
function isRuntimeAway(error: unknown): boolean {
  return error instanceof RuntimeError && error.code === 'ERR_EDGECORE_RUNTIME_UNREACHABLE';
}

function backoffKey(pod: Pod, { image = '' }: PodContainer): string {
  return `${pod.metadata.uid} ${image}`;
}
