import { systemClock, type Clock } from '@hawser/seams';

/** The machine's clock with a wall time that a test can shift; timers are real. */
export class ShiftedClock implements Clock {
  shiftMs = 0;

  wallMs(): number {
    return systemClock.wallMs() + this.shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  setTimer(...args: Parameters<Clock['setTimer']>): ReturnType<Clock['setTimer']> {
    return systemClock.setTimer(...args);
  }
}

export const DAY_MS = 86_400_000;
