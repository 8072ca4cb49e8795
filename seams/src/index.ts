export { Backoff, type BackoffOptions } from './backoff.ts';
export { systemClock, type Clock, type Timer } from './clock.ts';
export { deferred, type Deferred } from './deferred.ts';
export { delay } from './delay.ts';
export { silentLogger, type LogFunction, type Logger } from './logger.ts';

export { randomBelow, seededRandom, systemRandom, type Random } from './random.ts';
