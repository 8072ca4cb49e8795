import type { ApiCall, ApiClient, ApiStream, ApiStreamCall, ServerFacts } from '@hawser/kube';

/** A client whose calls a test counts, and before which it may do something: change an object, wait, fail. */
export class WatchedClient implements ApiClient {
  readonly server: ServerFacts;
  /** `METHOD path` of each call. */
  readonly calls: string[] = [];
  /** Done before each call goes out. */
  before: (call: ApiCall) => Promise<void> | void = () => {};
  /** Calls that are under way now, and the most that ever were. */
  underWay = 0;
  mostUnderWay = 0;
  readonly #inner: ApiClient;

  constructor(inner: ApiClient) {
    this.#inner = inner;
    this.server = inner.server;
  }

  /** Calls that write. */
  get writes(): string[] {
    return this.calls.filter((call) => !call.startsWith('GET '));
  }

  async request(call: ApiCall): Promise<unknown> {
    this.calls.push(`${call.method} ${call.path}`);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      await this.before(call);
      return await this.#inner.request(call);
    } finally {
      this.underWay -= 1;
    }
  }

  stream(call: ApiStreamCall): Promise<ApiStream> {
    return this.#inner.stream(call);
  }

  close(): void {
    this.#inner.close();
  }
}
