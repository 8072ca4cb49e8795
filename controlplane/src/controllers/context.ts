import {
  Controller,
  FailureLimiter,
  StatusError,
  type ApiClient,
  type InformerFactory,
  type ObjectStore,
  type Reconcile,
  type Registry,
} from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { EventRecorder } from './event-recorder.ts';

/** What controllers work with. */
export interface ControllerContext {
  readonly client: ApiClient;
  readonly informers: InformerFactory;
  /** The objects themselves, for the few controllers that concern every resource and must not see old state. */
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A part of the control plane that runs by itself once started. Both methods are idempotent. */
export interface ControlLoop {
  readonly name: string;
  /** Called once the informers that it asked for are synced. */
  start(): void;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

const RETRY_BASE_MS = 20;
const RETRY_CAP_MS = 30_000;

/** Settings of {@link controlQueue}. */
export interface ControlQueueOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Default 1. */
  readonly workers?: number;
}

/**
 * A controller over keys with the retries that all of the control plane use: 20 ms · 2ⁿ up to 30 s for each key, for
 * ever. A conflict is no news: what was read was old, and the next try reads again.
 */
export function controlQueue(context: ControllerContext, options: ControlQueueOptions): Controller {
  const logger = context.logger.child({ component: options.name });
  return new Controller({
    ...options,
    clock: context.clock,
    rateLimiter: new FailureLimiter({ baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS }),
    onError(error, key) {
      const level = hasReason(error, 'Conflict') ? 'debug' : 'warn';
      logger[level]({ key, err: error }, 'reconcile failed, will try again');
    },
  });
}

/** Whether an error is a Status of one of these reasons. */
export function hasReason(error: unknown, ...reasons: readonly string[]): boolean {
  return error instanceof StatusError && reasons.includes(error.status.reason ?? '');
}

/** Waits for `promise`; undefined if the object is not there any more. @throws whatever else it rejects with */
export async function unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}
