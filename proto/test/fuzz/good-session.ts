import assert from 'node:assert/strict';
import { delay, randomBelow, seededRandom } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { readAll, type Stream, type Transport, type Tunnel, type TunnelClient } from '../../src/index.ts';
import type { AttackedHub } from './attacked-hub.ts';

/** What a {@link GoodSession} saw. */
export interface GoodSessionReport {
  readonly echoes: number;
  readonly slowestMs: number;
  readonly medianMs: number;
}

/** An edge that does what edges do while others attack: streams that have to come back whole and in time. */
export class GoodSession {
  readonly #client: TunnelClient;
  readonly #transport: Transport;
  readonly #tunnel: Tunnel;
  readonly #times: number[] = [];
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #stopped: Promise<GoodSessionReport> | undefined;

  private constructor(client: TunnelClient, transport: Transport, tunnel: Tunnel) {
    this.#client = client;
    this.#transport = transport;
    this.#tunnel = tunnel;
    this.#running = this.#run();
    this.#running.catch(() => {}); // stop() reports it
  }

  /** Connects and begins. */
  static async start(hub: AttackedHub): Promise<GoodSession> {
    const { client, transport } = await hub.client('good');
    client.start();
    await eventually('the good session is up', () => client.tunnel !== undefined);
    assert.ok(client.tunnel);
    return new GoodSession(client, transport, client.tunnel);
  }

  get echoes(): number {
    return this.#times.length;
  }

  /** Ends it. Idempotent. @throws what went wrong meanwhile */
  stop(): Promise<GoodSessionReport> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<GoodSessionReport> {
    this.#stopping.abort();
    try {
      await within('the last echo', this.#running, 15_000);
      assert.equal(this.#client.tunnel, this.#tunnel, 'the good session is not the one that it was');
    } finally {
      await this.#client.stop();
      await this.#transport.close();
    }
    const times = this.#times.toSorted((a, b) => a - b);
    return { echoes: times.length, slowestMs: times.at(-1) ?? 0, medianMs: times[times.length >> 1] ?? 0 };
  }

  async #run(): Promise<void> {
    const random = seededRandom(4711);
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const sent = Buffer.alloc(1 + randomBelow(random, 16 * 1024), randomBelow(random, 256));
      const startedMs = performance.now();
      const stream = await this.#tunnel.openStream('echo');
      const back = readBack(stream);
      await stream.write(sent);
      await stream.end();
      assert.ok((await within('an echo', back, 10_000)).equals(sent), 'an echo came back changed');
      this.#times.push(performance.now() - startedMs);
      await delay(5, { signal }).catch(() => {}); // a stop ends it early
    }
  }
}

async function readBack(stream: Stream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readAll(stream)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
