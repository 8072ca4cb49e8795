import assert from 'node:assert/strict';
import { forbidden, serviceUnavailable, tooManyRequests, unauthorized } from '@hawser/kube';
import { deferred } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { nodeBody, startHub, type HubFixture } from './hub-fixture.ts';

const NODE = 'edge-1';

describe('when the API server does not take what edges report', () => {
  let hub: HubFixture;

  beforeEach(async () => {
    hub = await startHub();
  });

  afterEach(() => hub.stop());

  it('says 503 and when to come back when it is gone', async () => {
    hub.client.before = () => {
      hub.client.before = () => {};
      return hub.kube.server.stop();
    };
    const outcome = await hub.say(NODE, 'node', nodeBody());
    assert.equal(outcome.status, 503);
    assert.ok((outcome.retryAfterMs ?? 0) >= 2000 && (outcome.retryAfterMs ?? 0) <= 4000);
  });

  for (const [what, error, status] of [
    ['that it is overloaded', tooManyRequests('busy', 7), 429],
    ['that it does not work', serviceUnavailable('starting'), 503],
    ['that it does not know the hub', unauthorized(), 503],
    ['that the hub may not do this', forbidden({ group: '', resource: 'nodes' }, NODE, 'no role'), 503],
  ] as const) {
    it(`loses nothing when it says ${what}`, async () => {
      hub.client.before = () => Promise.reject(error);
      const refused = await hub.say(NODE, 'node', nodeBody());
      assert.equal(refused.status, status);
      assert.ok((refused.retryAfterMs ?? 0) > 0);
      assert.ok(!(refused.message ?? '').includes('no role'), 'the rights of the hub are not told to edges');
      hub.client.before = () => {};
      assert.deepEqual(await hub.say(NODE, 'node', nodeBody()), { status: 0 });
    });
  }

  it('gives calls up when the hub stops', async () => {
    const called = deferred();
    const held = deferred();
    hub.client.before = () => {
      called.resolve();
      return held.promise;
    };
    const saying = hub.say(NODE, 'node', nodeBody());
    await called.promise;
    const stopping = hub.router.stop();
    held.resolve();
    assert.equal((await within('outcome', saying)).status, 503);
    await within('stop', stopping);
    assert.equal((await hub.say(NODE, 'node', nodeBody())).status, 503);
    assert.equal(hub.state().size, 0);
  });

  it('does not begin anew after a conflict once the session has ended', async () => {
    await hub.say(NODE, 'node', nodeBody());
    let puts = 0;
    hub.client.before = async ({ method }) => {
      if (method !== 'PUT') return;
      puts += 1;
      hub.session.abort();
      await hub.nodes.patch('', NODE, 'merge', { metadata: { annotations: { other: 'x' } } });
    };
    assert.equal((await hub.say(NODE, 'node', nodeBody({ capacity: { cpu: '9' } }))).status, 409);
    assert.equal(puts, 1);
  });
});

describe('a flood of one node', () => {
  it('leaves the others their place, and ends in 429', async function () {
    this.timeout(10_000);
    const hub = await startHub({
      limits: { perNode: { perSecond: 50, burst: 20 }, overall: { perSecond: 500, burst: 100 } },
    });
    try {
      const flood = Array.from({ length: 400 }, (_, n) =>
        hub.say('flood', 'report', { code: 'Noise', message: String(n), at: '2026-01-01T00:00:00Z' }),
      );
      const started = performance.now();
      const nodes = ['a', 'b', 'c', 'd'];
      const outcomes = await Promise.all(nodes.map((node) => hub.say(node, 'node', nodeBody())));
      assert.deepEqual(outcomes, Array(4).fill({ status: 0 }));
      assert.ok(performance.now() - started < 1500);
      const statuses = (await Promise.all(flood)).map(({ status }) => status);
      const taken = statuses.filter((status) => status === 0).length;
      assert.deepEqual(new Set(statuses), new Set([0, 429]));
      assert.ok(taken >= 20 && taken <= 200, String(taken));
      assert.equal((await hub.events.list('')).items.length, taken);
      assert.ok(hub.client.mostUnderWay <= 64, String(hub.client.mostUnderWay));
      await eventually('nothing waits', async () => (await hub.metric('hawser_upstream_waiting')) === 0);
    } finally {
      await hub.stop();
    }
  });
});
