import assert from 'node:assert/strict';
import { deferred, delay, randomBelow, seededRandom, type Random } from '@hawser/seams';
import { FakeClock, scaled, within } from '@hawser/seams/testing';
import {
  LeaderElector,
  microTime,
  type LeaderElectionOptions,
  type LeadershipTerm,
} from '../../src/index.ts';
import { LeaseClient, ModelLeases } from './model-leases.ts';
import { refusal } from './scripted-lister-watcher.ts';

describe('LeaderElector', () => {
  let clock: FakeClock;
  let leases: ModelLeases;
  let electors: LeaderElector[];
  let errors: string[];

  beforeEach(() => {
    clock = new FakeClock();
    leases = new ModelLeases();
    electors = [];
    errors = [];
  });

  afterEach(async () => {
    const ended = Promise.all(electors.map((elector) => elector.stop()));
    await clock.advance(60_000);
    await within('the stop', ended);
    assert.equal(clock.pendingTimers, 0);
  });

  interface Candidate {
    readonly elector: LeaderElector;
    readonly client: LeaseClient;
    readonly terms: LeadershipTerm[];
    readonly heard: string[];
  }

  function stand(identity: string, options: Partial<LeaderElectionOptions> = {}): Candidate {
    const client = new LeaseClient(leases, clock);
    const terms: LeadershipTerm[] = [];
    const heard: string[] = [];
    const elector = new LeaderElector({
      client,
      namespace: 'kube-system',
      name: 'test',
      identity,
      clock,
      random: { next: () => 0 },
      lead: (term) => {
        terms.push(term);
        return untilAborted(term);
      },
      onNewLeader: (leader) => heard.push(leader),
      onError: (error) => errors.push(error.message),
      ...options,
    });
    electors.push(elector);
    elector.start();
    return { elector, client, terms, heard };
  }

  /** Stopping needs time on the clock: the lease is freed over the network. */
  async function stopped(elector: LeaderElector | undefined): Promise<void> {
    const stopping = elector?.stop();
    await clock.advance(10);
    await stopping;
  }

  function untilAborted({ signal }: LeadershipTerm): Promise<void> {
    const end = deferred<undefined>();
    signal.addEventListener('abort', () => end.resolve(undefined), { once: true });
    return end.promise;
  }

  it('makes the lease, with the fields that others expect, and renews it every 2 s', async () => {
    const { elector, heard, terms } = stand('a');
    await clock.advance(0);
    assert.equal(elector.isLeader, true);
    assert.deepEqual(leases.lease?.spec, {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
    await clock.advance(20_000);
    assert.equal(leases.writes, 11);
    assert.equal(leases.lease.spec.renewTime, '2026-01-01T00:00:20.000000Z');
    assert.equal(leases.lease.spec.acquireTime, '2026-01-01T00:00:00.000000Z');
    assert.deepEqual(heard, ['a']);
    assert.deepEqual(
      terms.map(({ token, signal }) => [token, signal.aborted]),
      [[0, false]],
    );
    assert.deepEqual(errors, []);
  });

  it('leaves a lease alone that is renewed, whatever the wall clocks say', async () => {
    stand('a');
    await clock.advance(0);
    clock.jumpWall(-10 * 365 * 86_400_000);
    const second = stand('b');
    await clock.advance(600_000);
    clock.jumpWall(20 * 365 * 86_400_000);
    await clock.advance(600_000);
    assert.equal(second.terms.length, 0);
    assert.deepEqual(second.heard, ['a']);
    assert.equal(second.elector.leader, 'a');
  });

  it('takes over 15 s after it saw the last renewal, and not before; the old leader gave up at 10 s', async () => {
    const first = stand('a');
    await clock.advance(1000);
    const second = stand('b');
    await clock.advance(60_100); // a renewed at 60000; b saw it at its next look
    first.client.requestsPass = false;
    await clock.advance(8800); // 69900
    assert.equal(first.terms[0]?.signal.aborted, false);
    assert.equal(first.elector.isLeader, true);
    await clock.advance(100); // 70000
    assert.equal(first.elector.isLeader, false);
    assert.equal(first.terms[0].signal.aborted, true);
    await clock.advance(5900); // 75900
    assert.equal(second.terms.length, 0, 'not before 15 s');
    await clock.advance(1200); // 77100; b looks every 2 s, and saw the renewal at 61000
    assert.deepEqual(
      second.terms.map(({ token }) => token),
      [1],
    );
    assert.equal(leases.lease?.spec?.holderIdentity, 'b');
    assert.equal(leases.lease.spec.leaseTransitions, 1);
    first.client.requestsPass = true;
    await clock.advance(60_000);
    assert.equal(first.terms.length, 1, 'the old leader waits its turn');
    assert.equal(first.elector.leader, 'b');
  });

  it('takes over at once after a leader stopped in order', async () => {
    const first = stand('a');
    await clock.advance(5000);
    const second = stand('b');
    await clock.advance(1000);
    await stopped(first.elector);
    assert.equal(leases.lease?.spec?.holderIdentity, '');
    assert.equal(leases.lease.spec.leaseDurationSeconds, 1);
    await clock.advance(2000);
    assert.deepEqual(
      second.terms.map(({ token }) => token),
      [1],
    );
    assert.deepEqual(second.heard, ['a', '', 'b']);
  });

  it('judges a lease by the duration that its holder wrote', async () => {
    stand('a', { leaseMs: 60_000 });
    await clock.advance(0);
    const holder = electors[0];
    const second = stand('b');
    await clock.advance(100);
    // The holder dies without a word.
    const dead = leases.lease;
    await stopped(holder);
    leases.lease = dead;
    await clock.advance(50_000);
    assert.equal(second.terms.length, 0);
    await clock.advance(15_000);
    assert.equal(second.terms.length, 1);
  });

  it('waits for the work to end before it frees the lease', async () => {
    const winding = deferred<undefined>();
    const { elector } = stand('a', {
      lead: async (term) => {
        await untilAborted(term);
        await winding.promise;
      },
    });
    await clock.advance(0);
    const stopping = elector.stop();
    await clock.advance(5000);
    assert.equal(leases.lease?.spec?.holderIdentity, 'a');
    winding.resolve(undefined);
    await clock.advance(10);
    await stopping;
    assert.equal(leases.lease.spec.holderIdentity, '');
    assert.deepEqual(errors, []);
  });

  it('does not free a lease that ran out while the work would not end, and says so', async () => {
    const winding = deferred<undefined>();
    const { elector } = stand('a', {
      lead: async (term) => {
        await untilAborted(term);
        await winding.promise;
      },
    });
    await clock.advance(0);
    const stopping = elector.stop();
    await clock.advance(16_000);
    assert.match(errors.join(), /goes on though the lease has run out/);
    winding.resolve(undefined);
    await stopping;
    assert.equal(leases.lease?.spec?.holderIdentity, 'a');
  });

  for (const [name, lead] of [
    ['ends', () => Promise.resolve()],
    ['fails', () => Promise.reject(new Error('work failed'))],
    [
      'throws',
      () => {
        throw new Error('work failed');
      },
    ],
  ] as const) {
    it(`gives leadership up when the work ${name} by itself, and stands again`, async () => {
      const { elector } = stand('a', { lead });
      await clock.advance(0);
      assert.equal(leases.lease?.spec?.holderIdentity, '');
      assert.equal(elector.isLeader, false);
      assert.deepEqual(errors, name === 'ends' ? [] : ['work failed']);
      await clock.advance(2000);
      assert.equal(leases.lease.spec.leaseTransitions, 1, 'a new term');
    });
  }

  it('goes on leading through single failures, and notices a write that took effect unheard', async () => {
    const { client, terms, elector } = stand('a');
    await clock.advance(1000);
    client.answersPass = false;
    await clock.advance(4000);
    client.answersPass = true;
    await clock.advance(60_000);
    assert.equal(elector.isLeader, true);
    assert.equal(terms.length, 1);
    assert.equal(terms[0]?.signal.aborted, false);
    assert.ok(errors.length > 0);
  });

  it('ends its term at once when another has the lease, or it is gone', async () => {
    const { terms } = stand('a');
    await clock.advance(1000);
    const stolen = leases.lease;
    assert.ok(stolen);
    const metadata = { ...stolen.metadata, resourceVersion: '77' };
    leases.lease = {
      ...stolen,
      metadata,
      spec: { holderIdentity: 'thief', leaseDurationSeconds: 15, leaseTransitions: 9 },
    };
    await clock.advance(1500);
    assert.equal(terms[0]?.signal.aborted, true);
    await clock.advance(20_000);
    assert.deepEqual(
      terms.map(({ token }) => token),
      [0, 10],
    );
    leases.lease = undefined;
    await clock.advance(2500);
    assert.equal(terms[1]?.signal.aborted, true);
    await clock.advance(2500);
    assert.deepEqual(
      terms.map(({ token }) => token),
      [0, 10, 11],
      'tokens grow past a deleted lease',
    );
  });

  it('does not begin while the first of two makers of the lease wins', async () => {
    const [a, b] = [stand('a'), stand('b')];
    await clock.advance(0);
    assert.deepEqual([a.terms.length, b.terms.length].sort(), [0, 1]);
    assert.equal(errors.length <= 1, true);
  });

  it('stops in the middle of an attempt without a trace', async () => {
    const { elector, client, terms } = stand('a');
    client.requestsPass = false;
    await elector.stop();
    await elector.stop();
    elector.start();
    await clock.advance(60_000);
    assert.deepEqual([terms.length, errors.length], [0, 0]);
    assert.ok(client.calls.length <= 1);
  });

  it('bounds each call, so that one that hangs leaves time for another', async () => {
    const { client } = stand('a');
    await clock.advance(0);
    assert.ok(client.calls.every(({ timeoutMs, retries }) => timeoutMs === 5000 && retries === 0));
  });

  it('reports a listener that throws', async () => {
    stand('a', {
      onNewLeader: () => {
        throw new Error('listener');
      },
    });
    await clock.advance(0);
    assert.deepEqual(errors, ['listener']);
    assert.equal(electors[0]?.isLeader, true);
  });

  it('refuses times that contradict each other', () => {
    const good = {
      client: new LeaseClient(leases, clock),
      namespace: 'n',
      name: 'l',
      identity: 'a',
      lead: untilAborted,
    };
    for (const bad of [
      { leaseMs: 10_000 },
      { renewDeadlineMs: 2000 },
      { retryMs: 0 },
      { identity: '' },
      { leaseMs: 900, renewDeadlineMs: 500, retryMs: 100 },
    ]) {
      assert.throws(() => new LeaderElector({ ...good, ...bad }), { code: 'ERR_KUBE_CLIENT_CONFIG' });
    }
    assert.ok(new LeaderElector(good));
  });

  it('writes times as Kubernetes does', () => {
    assert.equal(microTime(Date.UTC(2026, 10, 21, 22, 46, 19, 7)), '2026-11-21T22:46:19.007000Z');
  });

  it('reports refusals', async () => {
    const { client } = stand('a');
    client.request = () => Promise.reject(refusal(403, { message: 'leases is forbidden' }));
    await clock.advance(10_000);
    assert.ok(errors.length >= 4 && errors.every((text) => text === 'leases is forbidden'));
  });
});

describe('several candidates in a bad network', () => {
  const SEEDS = scaled(40, 3000);

  async function play(seed: number): Promise<{ terms: number; losses: number }> {
    const random: Random = seededRandom(seed);
    const clock = new FakeClock();
    const leases = new ModelLeases();
    const leading = new Set<string>();
    const tokens: number[] = [];
    const violations: string[] = [];
    let losses = 0;
    const clients: LeaseClient[] = [];
    const electors: LeaderElector[] = [];
    const join = (identity: string): void => {
      const client = new LeaseClient(leases, clock, random);
      client.latencyMs = random.next() * 800;
      const elector = new LeaderElector({
        client,
        namespace: 'n',
        name: 'l',
        identity,
        clock,
        random,
        lead: async ({ token, signal }) => {
          if (leading.size > 0) violations.push(`${identity} leads beside ${[...leading].join()}`);
          if (token <= (tokens.at(-1) ?? -1)) violations.push(`token ${token} after ${tokens.join()}`);
          tokens.push(token);
          leading.add(identity);
          // Some give up by themselves.
          await delay(random.next() < 0.2 ? 5000 : 10 ** 9, { clock, signal }).catch(() => (losses += 1));
          leading.delete(identity);
        },
      });
      elector.start();
      clients.push(client);
      electors.push(elector);
    };
    for (const identity of ['a', 'b', 'c']) join(identity);
    for (let step = 0; step < 120; step++) {
      const client = clients[randomBelow(random, clients.length)];
      if (client !== undefined) {
        client.requestsPass = random.next() < 0.6;
        client.answersPass = random.next() < 0.7;
        client.latencyMs = random.next() * 3000;
      }
      if (random.next() < 0.05) {
        const at = randomBelow(random, electors.length);
        const stopping = electors[at]?.stop();
        await clock.advance(20_000);
        await stopping;
        electors.splice(at, 1);
        clients.splice(at, 1);
        join(`n${step}`);
      }
      clock.jumpWall((random.next() - 0.5) * 1e9);
      await clock.advance(random.next() * 8000);
    }
    for (const client of clients)
      Object.assign(client, { requestsPass: true, answersPass: true, latencyMs: 50 });
    await clock.advance(120_000);
    const final = electors.filter(({ isLeader }) => isLeader);
    assert.ok(final.length <= 1, `seed ${seed}: ${final.length} leaders`);
    const stopped = Promise.all(electors.map((elector) => elector.stop()));
    await clock.advance(60_000);
    await stopped;
    assert.equal(clock.pendingTimers, 0, `seed ${seed}: timers left`);
    assert.deepEqual(violations, [], `seed ${seed}`);
    return { terms: tokens.length, losses };
  }

  it('never lead two at a time, and tokens only grow: random cuts, delays, wall clocks', async function () {
    this.timeout(scaled(60_000, 3_600_000));
    let terms = 0;
    let losses = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const one = await play(seed);
      terms += one.terms;
      losses += one.losses;
    }
    assert.ok(terms > 3 * SEEDS && losses > SEEDS, `only ${terms} terms, ${losses} losses`);
  });
});
