import { delay, type Random } from '@hawser/seams';
import type { FakeClock } from '@hawser/seams/testing';
import {
  ClientError,
  ServerFacts,
  type ApiCall,
  type ApiClient,
  type ApiStream,
  type Lease,
} from '../../src/index.ts';
import { refusal } from './scripted-lister-watcher.ts';

/** The lease API of a server as a model: optimistic concurrency, and a network for each client. */
export class ModelLeases {
  lease: Lease | undefined;
  writes = 0;
  #version = 1;

  /** Does a call at once. @throws StatusError */
  answer(call: ApiCall): Lease {
    if (call.method === 'GET') {
      if (this.lease === undefined) throw refusal(404, { reason: 'NotFound' });
      return this.lease;
    }
    const sent = call.body as Lease;
    if (call.method === 'POST' && this.lease !== undefined) throw refusal(409, { reason: 'AlreadyExists' });
    if (call.method === 'PUT') {
      if (this.lease === undefined) throw refusal(404, { reason: 'NotFound' });
      if (sent.metadata.resourceVersion !== this.lease.metadata.resourceVersion) {
        throw refusal(409, { reason: 'Conflict' });
      }
    }
    this.#version += 1;
    this.writes += 1;
    this.lease = {
      ...sent,
      metadata: { ...sent.metadata, uid: 'u', resourceVersion: String(this.#version) },
    };
    return this.lease;
  }
}

/** One candidate's way to the leases. */
export class LeaseClient implements ApiClient {
  readonly server = new ServerFacts();
  readonly calls: ApiCall[] = [];
  /** Requests reach the server. */
  requestsPass = true;
  /** Answers come back; while not, a write takes effect and nobody hears of it. */
  answersPass = true;
  latencyMs = 0;
  readonly #leases: ModelLeases;
  readonly #clock: FakeClock;
  readonly #random: Random;

  constructor(leases: ModelLeases, clock: FakeClock, random: Random = { next: () => 0.5 }) {
    this.#leases = leases;
    this.#clock = clock;
    this.#random = random;
  }

  async request(call: ApiCall): Promise<unknown> {
    this.calls.push(call);
    call.signal?.throwIfAborted();
    await this.#travel(call);
    if (!this.requestsPass) return this.#hang(call);
    const answer = this.#try(call);
    await this.#travel(call);
    if (!this.answersPass) return this.#hang(call);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  stream(): Promise<ApiStream> {
    return Promise.reject(new Error('leases are not watched'));
  }

  close(): void {}

  #try(call: ApiCall): Lease | Error {
    try {
      return this.#leases.answer(call);
    } catch (error) {
      return error as Error;
    }
  }

  #travel(call: ApiCall): Promise<void> {
    return delay(this.#random.next() * this.latencyMs, {
      clock: this.#clock,
      ...(call.signal && { signal: call.signal }),
    });
  }

  async #hang(call: ApiCall): Promise<never> {
    const options = { clock: this.#clock, ...(call.signal && { signal: call.signal }) };
    await delay(call.timeoutMs ?? 30_000, options);
    throw new ClientError('ERR_KUBE_CLIENT_TIMEOUT', 'no answer');
  }
}
