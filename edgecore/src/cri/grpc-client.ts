import { systemClock, type Clock } from '@hawser/seams';
import { RuntimeError } from '../runtime/runtime-error.ts';
import { CallSlots } from './call-slots.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { GrpcStream } from './grpc-stream.ts';

/** Settings of a {@link GrpcClient}. */
export interface GrpcClientOptions {
  /** Path of the unix socket. */
  readonly socketPath: string;
  /** Of one answer. Default 16 MiB, which is what containerd sends at most. */
  readonly limitBytes?: number;
  /** Quick calls at once. Default 32. Others wait in line, at most 4096. Streams do not count. */
  readonly limitCalls?: number;
  /** Slow ones, which are counted by themselves. Default 512: each pod that starts, stops or is probed is one. */
  readonly limitSlowCalls?: number;
  readonly clock?: Clock;
}

/** One call of a {@link GrpcClient}. */
export interface GrpcCallOptions {
  /** Until the answer is there, waiting in line included; absent: as long as it takes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether it may take as long as a container does; it must not stand in the way of the others. Default false. */
  readonly slow?: boolean;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024;
const DEFAULT_LIMIT_CALLS = 32;
const DEFAULT_LIMIT_SLOW_CALLS = 512;
const LIMIT_WAITING = 4_096;

/**
 * Speaks gRPC with a server on a unix socket, over Node's own HTTP/2. It connects with the first call, and again with
 * the next one after the connection broke.
 *
 * Calls reject with `RuntimeError`: `…_TIMEOUT` after their time, `…_UNREACHABLE` where there is no server or the
 * connection broke, else `ERR_EDGECORE_RUNTIME` with the server's message; and with `signal.reason`.
 */
export class GrpcClient {
  readonly #connection: GrpcConnection;
  readonly #slots: CallSlots;
  readonly #slowSlots: CallSlots;
  readonly #clock: Clock;
  readonly #limitBytes: number;

  constructor(options: GrpcClientOptions) {
    const { limitCalls = DEFAULT_LIMIT_CALLS, limitSlowCalls = DEFAULT_LIMIT_SLOW_CALLS } = options;
    this.#connection = new GrpcConnection(options.socketPath);
    this.#slots = new CallSlots(limitCalls, LIMIT_WAITING);
    this.#slowSlots = new CallSlots(limitSlowCalls, LIMIT_WAITING);
    this.#clock = options.clock ?? systemClock;
    this.#limitBytes = options.limitBytes ?? DEFAULT_LIMIT_BYTES;
  }

  /** Sends one message and answers the one that comes back. @param path `/package.Service/Method` */
  async call(path: string, request: Uint8Array, options: GrpcCallOptions = {}): Promise<Uint8Array> {
    const { timeoutMs, signal, slow = false } = options;
    signal?.throwIfAborted();
    const about = path.slice(path.lastIndexOf('/') + 1);
    const given = new AbortController();
    const onAbort = (): void => given.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#clock.setTimer(timeoutMs, () => given.abort(timedOut(about, timeoutMs)));
    try {
      const release = await (slow ? this.#slowSlots : this.#slots).take(given.signal);
      try {
        return await this.#exchange(path, request, options, given.signal);
      } finally {
        release();
      }
    } finally {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Sends one message; answers each one that comes back, until the server has no more. Leaving the loop cancels it.
   * What has come and was not taken yet is kept up to `limitWaiting` messages (default 1024), then the server is not
   * read until half of them are gone.
   */
  async *stream(
    path: string,
    request: Uint8Array,
    options: Omit<GrpcCallOptions, 'timeoutMs'> & { readonly limitWaiting?: number } = {},
  ): AsyncGenerator<Uint8Array, void, void> {
    const { signal, limitWaiting = 1024 } = options;
    const session = await until(this.#connection.session(), signal);
    const waiting: Uint8Array[] = [];
    let over: { readonly error: unknown } | undefined;
    let wake = (): void => {};
    const stream = new GrpcStream(
      session,
      { path, request, metadata: options.metadata, limitBytes: this.#limitBytes },
      {
        message: (data) => {
          if (waiting.push(data) >= limitWaiting) stream.pause();
          wake();
        },
        end: (error) => {
          over ??= { error };
          wake();
        },
      },
    );
    const onAbort = (): void => {
      over = { error: signal?.reason };
      wake();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      while (true) {
        signal?.throwIfAborted();
        const next = waiting.shift();
        if (next !== undefined) {
          if (waiting.length === limitWaiting >> 1) stream.resume();
          yield next;
        } else if (over === undefined) {
          await new Promise<void>((resolve) => (wake = resolve));
        } else if (over.error === undefined) {
          return;
        } else {
          throw over.error as Error;
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      stream.cancel();
    }
  }

  /** Ends all calls that are on their way, with `…_UNREACHABLE`. Idempotent. */
  close(): void {
    this.#connection.close();
  }

  async #exchange(
    path: string,
    request: Uint8Array,
    options: GrpcCallOptions,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const session = await until(this.#connection.session(), signal);
    const { metadata, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      let answer: Uint8Array | undefined;
      let answers = 0;
      const onAbort = (): void => {
        stream.cancel();
        reject(signal.reason as Error);
      };
      const stream = new GrpcStream(
        session,
        { path, request, metadata, timeoutMs, limitBytes: this.#limitBytes },
        {
          message: (data) => {
            answer = data;
            answers += 1;
          },
          end: (error) => {
            signal.removeEventListener('abort', onAbort);
            if (error !== undefined) reject(error);
            else if (answer === undefined || answers > 1) reject(notOne(path, answers));
            else resolve(answer);
          },
        },
      );
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function timedOut(about: string, timeoutMs: number): RuntimeError {
  return new RuntimeError('ERR_EDGECORE_RUNTIME_TIMEOUT', `${about}: no answer within ${timeoutMs} ms`, {
    about,
  });
}

function notOne(path: string, count: number): RuntimeError {
  return new RuntimeError('ERR_EDGECORE_RUNTIME', `${path}: ${count} messages where one was due`, {
    about: path,
  });
}

/** Waits for `promise`, which is used by others too, no longer than the signal lets us. */
async function until<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
