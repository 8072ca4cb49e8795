import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { Registry } from 'prom-client';
import { ReportRequests } from '../../src/sessions/report-requests.ts';
import { GivenView } from '../given-view.ts';

describe('requests to report again', () => {
  let clock: FakeClock;
  let view: GivenView;
  let requests: ReportRequests;
  let sent: string[];

  beforeEach(() => {
    clock = new FakeClock();
    view = new GivenView();
    sent = [];
    requests = new ReportRequests({
      view,
      send: (node, kinds) => sent.push(`${node}: ${kinds.join()}`),
      log: silentLogger,
      registry: new Registry(),
      clock,
    });
    requests.start();
  });

  afterEach(async () => {
    await requests.stop();
    assert.equal(clock.pendingTimers, 0);
    assert.equal(view.listeners, 0);
  });

  it('go to an edge that comes back to a Node that was marked', async () => {
    view.setNode('a', { ready: 'Unknown' });
    requests.opened('a');
    await clock.advance(0);
    assert.deepEqual(sent, ['a: node,pod']);
    view.setNode('a', { ready: 'True' });
    await clock.advance(3_600_000);
    assert.equal(sent.length, 1);
  });

  it('go to an edge whose Node is marked while it is connected', async () => {
    view.setNode('a', {});
    view.setNode('b', {});
    requests.opened('a');
    await clock.advance(0);
    assert.deepEqual(sent, []);
    view.setNode('a', { ready: 'Unknown' });
    view.setNode('b', { ready: 'Unknown' });
    await clock.advance(0);
    assert.deepEqual(sent, ['a: node,pod']);
  });

  it('are repeated while it helps nothing, ever more rarely, and not for ever', async () => {
    view.setNode('a', { ready: 'Unknown' });
    requests.opened('a');
    const counts: number[] = [];
    for (const ms of [4999, 2, 10_000, 20_000, 40_000, 80_000, 3_600_000]) {
      await clock.advance(ms);
      counts.push(sent.length);
    }
    assert.deepEqual(counts, [1, 2, 3, 4, 5, 6, 6]);
  });

  it('are not multiplied by changes of the Node', async () => {
    view.setNode('a', { ready: 'Unknown' });
    requests.opened('a');
    for (let n = 0; n < 50; n += 1) {
      view.setNode('a', { ready: 'Unknown', labels: { n: String(n) } });
      await clock.advance(10);
    }
    assert.equal(sent.length, 1);
  });

  it('are not more than one in 5 s though the Node flaps', async () => {
    requests.opened('a');
    for (let n = 0; n < 100; n += 1) {
      view.setNode('a', { ready: n % 2 === 0 ? 'Unknown' : 'True' });
      await clock.advance(100);
    }
    assert.ok(sent.length <= 3, String(sent.length));
  });

  it('are made once of a Node that is not ready by its own account', async () => {
    view.setNode('a', { ready: 'False' });
    requests.opened('a');
    await clock.advance(3_600_000);
    assert.equal(sent.length, 1);
  });

  it('end with the session, and begin anew with the next', async () => {
    view.setNode('a', { ready: 'Unknown' });
    const closed = requests.opened('a');
    await clock.advance(0);
    closed();
    await clock.advance(3_600_000);
    assert.equal(sent.length, 1);
    const older = requests.opened('a');
    requests.opened('a');
    older();
    await clock.advance(0);
    assert.equal(sent.length, 2);
  });

  it('go to an edge whose Node was lost while it was away, when it had time to say it itself', async () => {
    requests.opened('a');
    await clock.advance(4900);
    assert.deepEqual(sent, []);
    await clock.advance(200);
    assert.equal(sent.length, 1);
    await clock.advance(3_600_000);
    assert.equal(sent.length, 1);
  });

  it('are not made of a Node that joins now', async () => {
    requests.opened('a');
    await clock.advance(1000);
    view.setNode('a', { ready: 'True' });
    await clock.advance(60_000);
    assert.deepEqual(sent, []);
  });

  it('go to an edge whose Node somebody deletes, once each time, when it stays away', async () => {
    view.setNode('a', { ready: 'True' });
    requests.opened('a');
    await clock.advance(60_000);
    for (const times of [1, 2]) {
      view.removeNode('a');
      await clock.advance(4900);
      assert.equal(sent.length, times - 1);
      await clock.advance(200);
      assert.equal(sent.length, times);
      await clock.advance(3_600_000);
      assert.equal(sent.length, times);
      view.setNode('a', { ready: 'True' });
      await clock.advance(60_000);
    }
    view.removeNode('a');
    await clock.advance(1000);
    view.setNode('a', { ready: 'True' }); // somebody else has made it anew
    await clock.advance(60_000);
    assert.equal(sent.length, 2);
  });
});
