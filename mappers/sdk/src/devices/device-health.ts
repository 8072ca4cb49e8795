/** How a device is, as far as its mapper knows. */
export type HealthState = 'unknown' | 'online' | 'offline' | 'unhealthy';

/** Failures in a row that make a device offline: one lost packet does not. */
const OFFLINE_AFTER = 2;
/** Errors in a row of one property that make a device unhealthy. */
export const UNHEALTHY_AFTER = 3;

/**
 * online, offline or unhealthy, with hysteresis: offline after two failures in a row, online with the first answer;
 * unhealthy when a property has failed three times in a row while the device answers, and no more when none fails.
 */
export class DeviceHealth {
  #state: HealthState = 'unknown';
  #failures = 0;

  get state(): HealthState {
    return this.#state;
  }

  /** Failures since the last answer. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * The device has answered.
   * @param worst the longest run of errors of a property; 0: none fails
   * @returns whether the state is another one
   */
  answered(worst: number): boolean {
    this.#failures = 0;
    const wasAway = this.#state === 'unknown' || this.#state === 'offline';
    if (worst >= UNHEALTHY_AFTER) return this.#become('unhealthy');
    return wasAway || worst === 0 ? this.#become('online') : false;
  }

  /** The device has not answered, or cannot be reached. @returns whether the state is another one */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures >= OFFLINE_AFTER ? this.#become('offline') : false;
  }

  #become(state: HealthState): boolean {
    const changed = this.#state !== state;
    this.#state = state;
    return changed;
  }
}
