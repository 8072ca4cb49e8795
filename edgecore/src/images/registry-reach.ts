import { setMaxListeners } from 'node:events';
import type { Clock } from '@hawser/seams';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { PullBackoff } from './pull-backoff.ts';

/** How registries say no, as runtimes pass it on. Source: containerd, remotes/docker; distribution, api/errcode. */
const REFUSAL = new RegExp(
  [
    '\\b401 Unauthorized\\b',
    '\\b403 Forbidden\\b',
    '\\b404 Not Found\\b',
    '\\bunauthorized\\b',
    '\\bauthorization failed\\b',
    '\\baccess denied\\b',
    '\\binsufficient_scope\\b',
    '\\bmanifest unknown\\b',
  ].join('|'),
  'i',
);

/**
 * Whether a pull failed because the registry said no: wrong login, no such image. Anything else (no route, no name
 * service, TLS, a proxy's page, 5xx, a full disk) says nothing about whether the pod may have the image.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof RuntimeError && error.notFound) return true;
  return REFUSAL.test((error as Error).message);
}

/** Which registries did not answer lately, so that not every pod has to find out by itself. */
export class RegistryReach {
  readonly #backoff: PullBackoff;
  readonly #waiting = new Map<string, AbortController>();

  constructor(clock: Clock) {
    this.#backoff = new PullBackoff(clock);
  }

  /** Why a registry is left alone by those who can do without it; undefined: it is worth a try. */
  trouble(registry: string): string | undefined {
    return this.#backoff.waiting(registry);
  }

  /** Aborted when the registry has not answered to somebody. */
  untilTrouble(registry: string): AbortSignal {
    let controller = this.#waiting.get(registry);
    if (controller === undefined) {
      controller = new AbortController();
      // Every pod that waits for the registry listens, and no longer than it waits.
      setMaxListeners(0, controller.signal);
      this.#waiting.set(registry, controller);
    }
    return controller.signal;
  }

  /** It has not answered. */
  failed(registry: string, error: Error): void {
    this.#backoff.failed(registry, error.message);
    const controller = this.#waiting.get(registry);
    this.#waiting.delete(registry);
    controller?.abort(error);
  }

  /** It has answered, if only to say no. */
  answered(registry: string): void {
    this.#backoff.succeeded(registry);
    this.#waiting.delete(registry);
  }
}
