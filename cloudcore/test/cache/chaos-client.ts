import {
  ClientError,
  StatusError,
  type ApiCall,
  type ApiClient,
  type ApiStream,
  type ApiStreamCall,
} from '@hawser/kube';
import { delay, type Random } from '@hawser/seams';

/** How much goes wrong; probabilities. */
export interface Chaos {
  /** Longest delay before and after a call, and of each piece of a watch, milliseconds. */
  delayMs: number;
  /** A call fails, before or after it was made. */
  failure: number;
  /** A watch is refused as too old, so that everything is listed again. */
  expiry: number;
  /** A watch is cut, at each piece of it. */
  cut: number;
  /** A streaming list is refused. */
  refusal: number;
}

const CALM: Chaos = { delayMs: 0, failure: 0, expiry: 0, cut: 0, refusal: 0 };

/** The way to an API server on a bad day: late, broken, forgetful. Everything that it answers is true. */
export class ChaosClient implements ApiClient {
  /** Where calls go. */
  inner: ApiClient;
  readonly #random: Random;
  readonly #facts = { mayStreamLists: () => true, streamingListsRefused: () => {} };
  chaos: Chaos;
  /** Watches answer nothing while this is set, where it says so of their path. */
  frozen: { readonly until: Promise<void>; readonly paths: RegExp } | undefined;
  /** Calls that were made, as `METHOD path?query`; watches and streaming lists as `WATCH path?query`. */
  readonly calls: string[] = [];

  constructor(inner: ApiClient, random: Random, chaos: Partial<Chaos> = {}) {
    this.inner = inner;
    this.#random = random;
    this.chaos = { ...CALM, ...chaos };
  }

  get server(): ApiClient['server'] {
    // Refusals are not remembered: the next list may be streamed again.
    return this.#facts as unknown as ApiClient['server'];
  }

  calm(): void {
    this.chaos = CALM;
  }

  async request(call: ApiCall): Promise<unknown> {
    this.#note(call.method, call);
    await this.#late(call.signal);
    this.#maybeFail(call);
    const answer = await this.inner.request(call);
    await this.#late(call.signal);
    this.#maybeFail(call);
    return answer;
  }

  async stream(call: ApiStreamCall): Promise<ApiStream> {
    this.#note('WATCH', call);
    await this.#late(call.signal);
    const streaming = call.query?.['sendInitialEvents'] === true;
    if (streaming && this.#happens(this.chaos.refusal))
      throw status(400, 'BadRequest', 'no streaming lists here');
    if (!streaming && this.#happens(this.chaos.expiry))
      throw status(410, 'Expired', 'too old resource version');
    const stream = await this.inner.stream(call);
    return { close: () => stream.close(), [Symbol.asyncIterator]: () => this.#pieces(stream, call) };
  }

  close(): void {
    this.inner.close();
  }

  #note(method: string, { path, query }: Pick<ApiCall, 'path' | 'query'>): void {
    this.calls.push(`${method} ${path}?${new URLSearchParams(query as Record<string, string>).toString()}`);
  }

  async *#pieces(stream: ApiStream, call: ApiStreamCall): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of stream) {
      await this.#late(call.signal);
      while (this.frozen?.paths.test(call.path) === true) {
        await Promise.race([this.frozen.until, aborted(call.signal)]);
      }
      if (this.#happens(this.chaos.cut)) throw new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'cut');
      yield piece;
    }
  }

  async #late(signal: AbortSignal | undefined): Promise<void> {
    const ms = Math.floor(this.#random.next() * this.chaos.delayMs);
    if (ms > 0) await delay(ms, signal === undefined ? {} : { signal });
  }

  #maybeFail(call: ApiCall): void {
    if (call.method !== 'GET' || !this.#happens(this.chaos.failure)) return;
    throw new ClientError('ERR_KUBE_CLIENT_CONNECTION', 'broken');
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random.next() < probability;
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal?.reason as Error);
    if (signal?.aborted === true) fail();
    else signal?.addEventListener('abort', fail, { once: true });
  });
}

function status(code: number, reason: 'BadRequest' | 'Expired', message: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason,
    message,
  });
}
