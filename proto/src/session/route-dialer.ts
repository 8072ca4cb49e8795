import { messageOf, TunnelError } from '../errors.ts';
import type { Connection, HubAddress, Transport } from '../transport/transport.ts';

/** One way to a hub. */
export interface Route {
  readonly transport: Transport;
  readonly hub: HubAddress;
}

/**
 * Dials the first route that works, and begins with it the next time. With one route that is that; with two
 * (`auto`: quic, then ws) a silent first one costs `fallbackAfterMs`.
 */
export class RouteDialer {
  readonly #routes: readonly Route[];
  readonly #fallbackAfterMs: number;
  #first = 0;

  constructor(routes: readonly Route[], fallbackAfterMs = 3_000) {
    if (routes.length === 0) throw new TypeError('a tunnel needs at least one route');
    this.#routes = routes;
    this.#fallbackAfterMs = fallbackAfterMs;
  }

  /** The route that the next dial begins with. */
  get preferred(): Route {
    const route = this.#routes[this.#first];
    if (route === undefined) throw new RangeError('no such route'); // #first only ever names one
    return route;
  }

  /** Connects. @throws TunnelError of the last route tried; `signal.reason` */
  async dial(signal: AbortSignal): Promise<Connection> {
    const failures: unknown[] = [];
    for (let tried = 0; tried < this.#routes.length; tried++) {
      const isLast = tried === this.#routes.length - 1;
      const { transport, hub } = this.preferred;
      try {
        return await transport.dial(hub, { signal: isLast ? signal : this.#withFallback(signal) });
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
        this.#first = (this.#first + 1) % this.#routes.length;
      }
    }
    const last = failures.at(-1);
    if (failures.length === 1 || !(last instanceof TunnelError)) throw last;
    const message = `no route works: ${failures.map(messageOf).join('; ')}`;
    throw new TunnelError(last.code, message, { cause: new AggregateError(failures) });
  }

  #withFallback(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#fallbackAfterMs)]);
  }
}
