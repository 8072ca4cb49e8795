import { spawn } from 'node:child_process';
import type { Clock, Logger, Timer } from '@hawser/seams';

/** What systemd asks of a service, from its environment. Source: sd_notify(3), sd_watchdog_enabled(3). */
export interface SystemdEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

/** What {@link SystemdNotifier} needs. */
export interface SystemdNotifierOptions {
  readonly environment: SystemdEnvironment;
  /** Whether the process works; asked before each sign of life. A wrong answer leads to a restart. */
  readonly isHealthy: () => Promise<boolean>;
  /** One line about the service, for `systemctl status`. */
  readonly status: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Program that speaks with systemd. Default `systemd-notify`, which comes with it. */
  readonly program?: string;
}

/** Signs of life for each period of the watchdog. Source: sd_watchdog_enabled(3): every half of the time. */
const SIGNS_PER_PERIOD = 2;

/**
 * Tells systemd how the service is: ready, alive, stopping. Node has no datagram sockets of the unix kind, so
 * systemd's own program is started for each message (ADR 34); without NOTIFY_SOCKET nothing is done.
 */
export class SystemdNotifier {
  readonly #options: SystemdNotifierOptions;
  #timer: Timer | undefined;
  #stopped = false;
  #saidStatus = '';

  constructor(options: SystemdNotifierOptions) {
    this.#options = options;
  }

  /** Says READY=1, and from then on WATCHDOG=1 as often as systemd asks, while the process is healthy. */
  async ready(): Promise<void> {
    await this.#say(['READY=1', ...this.#newStatus()]);
    this.#arm();
  }

  /** Says STOPPING=1; the watchdog goes on until the process has ended. */
  async stopping(): Promise<void> {
    await this.#say(['STOPPING=1']);
  }

  /** No more signs of life. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Period of the watchdog in milliseconds; undefined: it is off, or meant for another process. */
  get watchdogMs(): number | undefined {
    const { WATCHDOG_USEC, WATCHDOG_PID } = this.#options.environment;
    const periodMs = Number(WATCHDOG_USEC ?? 0) / 1000;
    const isForUs = WATCHDOG_PID === undefined || WATCHDOG_PID === '' || Number(WATCHDOG_PID) === process.pid;
    return periodMs > 0 && isForUs ? periodMs : undefined;
  }

  #arm(): void {
    const periodMs = this.watchdogMs;
    if (periodMs === undefined || this.#stopped) return;
    const sign = (): void => void this.#sign();
    this.#timer = this.#options.clock.setTimer(periodMs / SIGNS_PER_PERIOD, sign, { background: true });
  }

  /** Never rejects. */
  async #sign(): Promise<void> {
    try {
      if (await this.#options.isHealthy()) await this.#say(['WATCHDOG=1', ...this.#newStatus()]);
      else this.#options.log.error({}, 'the edge core is not healthy: no sign of life for the watchdog');
    } catch (error) {
      this.#options.log.error(
        { err: error },
        'the edge core could not be checked: no sign of life for the watchdog',
      );
    }
    this.#arm();
  }

  /** With a sign of life only: a message costs 4 ms of CPU. */
  #newStatus(): readonly string[] {
    const status = this.#options.status();
    if (status === this.#saidStatus) return [];
    this.#saidStatus = status;
    return [`STATUS=${status}`];
  }

  /** Never rejects: a service that systemd does not hear is systemd's to judge. */
  async #say(assignments: readonly string[]): Promise<void> {
    const { program = 'systemd-notify', log } = this.#options;
    const { NOTIFY_SOCKET } = this.#options.environment;
    if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return;
    const env = { ...process.env, NOTIFY_SOCKET };
    await new Promise<void>((resolve) => {
      const fail = (why: string): void =>
        log.warn({ program, assignments }, `systemd could not be told: ${why}`);
      const child = spawn(program, [...assignments], { stdio: 'ignore', env });
      child.on('error', (error) => {
        fail(error.message);
        resolve();
      });
      child.on('close', (code) => {
        if (code !== 0) fail(`exit ${code ?? 'by signal'}`);
        resolve();
      });
    });
  }
}
