import { ConnectionLost, type DriverContext } from '@hawser/mapper-sdk';
import { delay } from '@hawser/seams';
import type { ModbusClient, RequestOptions } from './client.ts';
import { unitOf, type ModbusProtocol } from './config.ts';
import type { Link } from './link.ts';
import { LinkDown, ModbusException, NoAnswer } from './words.ts';

/** A device that says that it is busy is asked again after so many milliseconds. */
const BUSY_MS = 100;
/** A connection that ends during a request is made again so often for it. */
const REDIALS = 1;

/** Sends requests until they are answered, or have been sent often enough. */
export class Requester {
  readonly #link: Link;
  readonly #context: DriverContext;
  /** Units that did not answer at the last time: asked once, so that the others do not wait for them for long. */
  readonly #silent = new Set<number>();
  #lastEndMs = -Infinity;

  constructor(link: Link, context: DriverContext) {
    this.#link = link;
    this.#context = context;
  }

  /**
   * @throws ModbusException what was asked is refused
   * @throws NoAnswer the device does not answer
   * @throws ConnectionLost the connection ends whenever something is asked
   */
  async send<T>(
    config: ModbusProtocol,
    signal: AbortSignal,
    request: (client: ModbusClient, options: RequestOptions) => Promise<T>,
  ): Promise<T> {
    const unit = unitOf(config);
    let tries = this.#silent.has(unit) ? 1 : 1 + config.retries;
    let redials = REDIALS;
    while (true) {
      tries -= 1;
      const client = await this.#link.client(signal);
      await this.#pause(config.delayMs, signal);
      try {
        const answer = await request(client, { unit, timeoutMs: config.timeoutMs, signal });
        this.#answered(unit);
        return answer;
      } catch (error) {
        if (error instanceof ModbusException) {
          if (!error.ofGateway) this.#answered(unit);
          if (!error.busy || tries <= 0) throw error;
          await delay(BUSY_MS, { clock: this.#context.clock, signal });
        } else if (error instanceof LinkDown) {
          if (redials === 0) throw new ConnectionLost(error.message, { cause: error });
          redials -= 1;
          tries += 1;
        } else if (error instanceof NoAnswer) {
          this.#link.unanswered();
          if (tries <= 0) {
            this.#silent.add(unit);
            throw error;
          }
        } else throw error;
      } finally {
        this.#lastEndMs = this.#context.clock.monotonicMs();
      }
    }
  }

  #answered(unit: number): void {
    this.#silent.delete(unit);
    this.#link.answered();
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const waitMs = this.#lastEndMs + delayMs - clock.monotonicMs();
    if (waitMs > 0) await delay(waitMs, { clock, signal });
  }
}
