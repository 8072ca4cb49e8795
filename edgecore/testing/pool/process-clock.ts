import type { Clock, Timer } from '@hawser/seams';

/**
 * The clock of one modelled process: its wall time may be wrong; while the process is stopped (SIGSTOP) what falls due
 * waits; once it is dead nothing that it had set happens any more.
 */
export class ProcessClock implements Clock {
  readonly #time: Clock;
  readonly #waiting: (() => void)[] = [];
  #state: 'running' | 'stopped' | 'dead' = 'running';
  /** Added to the wall time, milliseconds. */
  skewMs = 0;

  constructor(time: Clock) {
    this.#time = time;
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  wallMs(): number {
    return this.#time.wallMs() + this.skewMs;
  }

  monotonicMs(): number {
    return this.#time.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#time.setTimer(delayMs, () => this.run(callback));
  }

  /** Runs it in the process: now, when it goes on, or never. */
  run(callback: () => void): void {
    if (this.#state === 'running') callback();
    else if (this.#state === 'stopped') this.#waiting.push(callback);
  }

  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  goOn(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    for (const callback of this.#waiting.splice(0)) callback();
  }

  die(): void {
    this.#state = 'dead';
    this.#waiting.length = 0;
  }
}
