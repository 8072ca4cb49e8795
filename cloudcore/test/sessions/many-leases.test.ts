import assert from 'node:assert/strict';
import { conflict, notFound, type ApiCall, type ApiClient, type KubeObject, ServerFacts } from '@hawser/kube';
import { seededRandom, silentLogger } from '@hawser/seams';
import { FakeClock, scaled } from '@hawser/seams/testing';
import { Registry } from 'prom-client';
import { LeaseKeeper } from '../../src/sessions/lease-keeper.ts';

const NODES = scaled(2000, 10_000);
/** Ten thousand are renewed at half the rate. */
const MOST_MS = scaled(10_100, 20_100);
const LEASES = { group: 'coordination.k8s.io', resource: 'leases' };

/** Leases in memory, each call answered some milliseconds later; the check of versions is that of an API server. */
class ModelLeases implements ApiClient {
  readonly server = new ServerFacts();
  readonly stored = new Map<string, KubeObject>();
  /** Monotonic times of writes by node. */
  readonly writes = new Map<string, number[]>();
  underWay = 0;
  mostUnderWay = 0;
  readonly #clock: FakeClock;
  #version = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async request(call: ApiCall): Promise<unknown> {
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    await new Promise<void>((resolve) => this.#clock.setTimer(5, resolve));
    this.underWay -= 1;
    const name = call.path.split('/').at(-1) ?? '';
    if (call.method === 'GET') {
      const found = this.stored.get(name);
      if (found === undefined) throw notFound(LEASES, name);
      return found;
    }
    const object = call.body as KubeObject;
    const stored = this.stored.get(object.metadata.name ?? '');
    if (stored?.metadata.resourceVersion !== object.metadata.resourceVersion) throw conflict(LEASES, name);
    this.#version += 1;
    const written = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    const node = object.metadata.name ?? '';
    this.stored.set(node, written);
    this.writes.set(node, [...(this.writes.get(node) ?? []), this.#clock.monotonicMs()]);
    return written;
  }

  stream(): Promise<never> {
    return Promise.reject(new Error('nobody watches here'));
  }

  close(): void {}
}

describe(`the leases of ${NODES} nodes`, () => {
  it('are renewed in time, spread, with one timer and a bounded number of calls', async function () {
    this.timeout(scaled(30_000, 300_000));
    const clock = new FakeClock();
    const client = new ModelLeases(clock);
    const keeper = new LeaseKeeper({
      client,
      replica: 'a',
      nodeUid: () => undefined,
      onFenced: (node) => assert.fail(`${node} was fenced`),
      log: silentLogger,
      registry: new Registry(),
      clock,
      random: seededRandom(7),
      concurrency: 32,
    });
    keeper.start();
    const names = Array.from({ length: NODES }, (_, n) => `edge-${n}`);
    const epochs = Promise.all(names.map((node) => keeper.epochs.next(node, 0)));
    await clock.advance(20);
    assert.deepEqual(new Set(await epochs), new Set([1]));
    for (const node of names) keeper.hold(node, 1);
    assert.equal(keeper.held, NODES);
    assert.equal(clock.pendingTimers, 1);
    client.mostUnderWay = 0;
    await clock.advance(60_000);
    assert.ok(client.mostUnderWay <= 32, String(client.mostUnderWay));
    let writes = 0;
    const perSecond = new Map<number, number>();
    for (const times of client.writes.values()) {
      for (const [index, at] of times.entries()) {
        writes += 1;
        const second = Math.floor(at / 1000);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
        const before = times[index - 1];
        if (before !== undefined) assert.ok(at - before <= MOST_MS, `${at - before} ms without a renewal`);
      }
      assert.ok(60_000 - (times.at(-1) ?? 0) <= MOST_MS);
    }
    assert.equal(client.writes.size, NODES);
    assert.ok(writes <= NODES * 9, String(writes));
    const busiest = Math.max(...[...perSecond].filter(([second]) => second > 12).map(([, count]) => count));
    assert.ok(busiest <= NODES / 4, `${busiest} in one second`);
    const stopping = keeper.stop();
    await clock.advance(5); // a call may be under way
    await stopping;
    assert.equal(clock.pendingTimers, 0);
  });
});
