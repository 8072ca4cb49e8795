import type { Logger } from '@hawser/seams';
import { shownUrl } from '../bus/mqtt-session.ts';
import { JsonPoster, verdictOf } from './http-post.ts';
import { telemetryOf, type Reading } from './reading.ts';
import type { Sender } from './receiver.ts';

/** `pushMethod.http`: posts a JSON list of {@link telemetryOf} messages, oldest first. */
export class HttpSender implements Sender {
  readonly shown: string;
  readonly batchMax = 100;
  readonly timeoutMs: number;
  readonly #poster: JsonPoster;
  readonly #log: Logger;

  /** @param timeoutMs of one request. Default 10,000 */
  constructor(url: URL, log: Logger, timeoutMs = 10_000) {
    this.shown = `${shownUrl(url.href)}${url.pathname}`;
    this.timeoutMs = timeoutMs;
    this.#poster = new JsonPoster(url);
    this.#log = log;
  }

  async send(readings: readonly Reading[], signal: AbortSignal): Promise<number> {
    const answer = await this.#poster.post(JSON.stringify(readings.map(telemetryOf)), signal);
    if (verdictOf(answer) === 'taken') return 0;
    this.#log.warn({ receiver: this.shown, status: answer.status }, 'the receiver refuses readings');
    return readings.length;
  }

  close(): Promise<void> {
    this.#poster.close();
    return Promise.resolve();
  }
}
