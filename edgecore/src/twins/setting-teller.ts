import type { Clock, Timer } from '@hawser/seams';
import type { UpstreamBodies, UpstreamSetting } from '@hawser/sync';
import { isAskedAgain, type DeviceReports } from './device-reports.ts';
import type { Twin } from './twin.ts';

/** A setting that the cloud has answered and that has no fate after this is told again, milliseconds. */
const TELL_AGAIN_MS = 60_000;

/**
 * Tells the cloud what was set at one device. What became of a setting is seen in the Device; where it shows nothing for a
 * minute after the cloud has answered, the setting is told again.
 */
export class SettingTeller {
  readonly #twin: Twin;
  readonly #reports: DeviceReports;
  readonly #clock: Clock;
  /** Ids of settings that the cloud has answered. */
  readonly #answered = new Set<string>();
  /** Ids in the message that is on its way. */
  #telling: readonly string[] = [];
  #again: Timer | undefined;
  #stopped = false;

  constructor(twin: Twin, options: { readonly reports: DeviceReports; readonly clock: Clock }) {
    this.#twin = twin;
    this.#reports = options.reports;
    this.#clock = options.clock;
  }

  /** Whether the cloud has answered a setting, whatever became of it. */
  hasAnswered(id: string): boolean {
    return this.#answered.has(id);
  }

  /** Tells what there is, but for what the cloud has answered. */
  tell(): void {
    if (this.#stopped) return;
    const ids = this.#toTell().map(idOf);
    if (ids.length === 0) {
      if (this.#telling.length > 0) this.#reports.withdraw('device-setting', this.#twin.about);
      this.#telling = [];
      return;
    }
    if (JSON.stringify(ids) === JSON.stringify(this.#telling)) return;
    this.#telling = ids;
    let sent: readonly string[] = [];
    const body = (): UpstreamBodies['device-setting'] => {
      const settings = this.#toTell();
      sent = settings.map(idOf);
      return { ...this.#twin.about, settings };
    };
    this.#reports.settings(this.#twin.about, body, ({ status }) => {
      if (!isAskedAgain(status)) this.#answeredTo(sent);
    });
  }

  /** Tells everything, answered or not: the cloud may have forgotten. */
  tellAll(): void {
    this.#answered.clear();
    this.tell();
  }

  /** The device is gone, or the process ends. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#again?.cancel();
    this.#reports.withdraw('device-setting', this.#twin.about);
  }

  #toTell(): readonly UpstreamSetting[] {
    return this.#twin.settingsToTell().filter((setting) => !this.#answered.has(idOf(setting)));
  }

  #answeredTo(ids: readonly string[]): void {
    for (const id of ids) this.#answered.add(id);
    this.#telling = this.#telling.filter((id) => !ids.includes(id));
    if (this.#stopped) return;
    this.#again?.cancel();
    this.#again = this.#clock.setTimer(TELL_AGAIN_MS, () => this.tellAll(), { background: true });
  }
}

function idOf({ id = '' }: UpstreamSetting): string {
  return id;
}
