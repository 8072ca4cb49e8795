import assert from 'node:assert/strict';
import type { HubMessage } from '@hawser/proto';
import { deferred, randomBelow, seededRandom, type Deferred } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import {
  DeltaEncoder,
  publishedView,
  readSignedState,
  ScopeReplica,
  type ChangeEncoder,
  type PoolCommit,
  type PoolStore,
  type PublishedView,
} from '../../src/index.ts';
import { settle } from '../settle.ts';
import { PoolLink, type PoolLinkOptions } from './pool-link.ts';
import { hex, poolStore, SCOPE, SignedView } from './signed-view.ts';

/** A hub's view, the member that follows it, and one that follows that member. */
class Chain {
  readonly clock = new FakeClock();
  readonly encoder = new DeltaEncoder({ threadAboveBytes: Infinity });
  readonly hub = new SignedView();
  readonly leader = poolStore();
  readonly follower = poolStore();
  readonly leaderReplica = this.replicaOf(this.leader);
  readonly followerReplica = this.replicaOf(this.follower);
  readonly published: PublishedView;
  readonly links: PoolLink[] = [];
  leads = true;
  catchingUp: () => Promise<void> = () => Promise.resolve();

  constructor() {
    this.published = publishedView(this.leader.view(SCOPE), {
      ready: () => this.leads,
      catchUp: () => this.catchingUp(),
    });
  }

  replicaOf(store: PoolStore): ScopeReplica {
    const { clock } = this;
    return new ScopeReplica({
      scope: SCOPE,
      store,
      checks: store.checks(SCOPE),
      clock,
      random: { next: () => 0.5 },
    });
  }

  link(to: 'leader' | 'follower', more: Partial<PoolLinkOptions> = {}): PoolLink {
    const { clock, encoder } = this;
    const ends =
      to === 'leader'
        ? { view: this.hub, replica: this.leaderReplica }
        : { view: this.published, replica: this.followerReplica };
    const link = new PoolLink({ ...ends, clock, encoder, ...more });
    this.links.push(link);
    return link;
  }

  async flow(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1)
      for (const link of this.links) {
        if (link.pending > 0) quiet = 0;
        await link.flow();
      }
  }

  /** What is shown is the hub's state, signed. */
  assertShown(store: PoolStore): void {
    const view = store.view(SCOPE);
    const shown = [...view.contents()].map(({ key, hash }) => `${key} ${hash}`).sort();
    assert.deepEqual(shown, [...this.hub.hashes()].map(([key, hash]) => `${key} ${hash}`).sort());
    assert.equal(hex(readSignedState(view.stamp)?.digest ?? new Uint8Array(0)), hex(this.hub.digest()));
  }
}

/** Encodes when it is told to. */
class SlowEncoder implements ChangeEncoder {
  readonly #encoder = new DeltaEncoder({ threadAboveBytes: Infinity });
  readonly waiting: Deferred<void>[] = [];

  async encode(
    ...asked: Parameters<ChangeEncoder['encode']>
  ): Promise<Awaited<ReturnType<ChangeEncoder['encode']>>> {
    const wait = deferred();
    this.waiting.push(wait);
    await wait.promise;
    return this.#encoder.encode(...asked);
  }

  async encodeAll(): Promise<void> {
    await settle();
    while (this.waiting.length > 0) {
      this.waiting.shift()?.resolve();
      await settle();
    }
  }
}

describe('A pool’s scope, from the hub over a leader to a follower', () => {
  it('shows the same signed states everywhere', async () => {
    const chain = new Chain();
    for (let n = 0; n < 5; n += 1) chain.hub.write(`s${n}`, `text ${n}`);
    chain.link('leader');
    chain.link('follower');
    await chain.flow();
    for (const store of [chain.leader, chain.follower]) chain.assertShown(store);
    assert.equal(chain.followerReplica.state.synced, true);
    chain.hub.write('s1', 'again');
    chain.hub.take('s2');
    await chain.flow();
    for (const store of [chain.leader, chain.follower]) {
      chain.assertShown(store);
      assert.equal(store.view(SCOPE).version, '107');
    }
  });

  it('is published once the leader is ready, which it says', async () => {
    const chain = new Chain();
    chain.leads = false;
    chain.hub.write('a', 'one');
    chain.link('leader');
    const link = chain.link('follower');
    await chain.flow();
    assert.equal(chain.leader.view(SCOPE).ready, true);
    assert.equal(chain.follower.view(SCOPE).ready, false);
    assert.deepEqual(link.said, []);
    chain.published.becameReady();
    await chain.flow();
    assert.deepEqual(link.said, [], 'it has not');
    chain.leads = true;
    chain.published.becameReady();
    await chain.flow();
    chain.assertShown(chain.follower);
    chain.leads = false;
    chain.hub.write('b', 'two');
    await chain.flow();
    assert.equal(chain.follower.view(SCOPE).size, 1, 'a leader that is not ready says nothing');
  });

  it('waits for the first commit of a leader that has nothing yet', async () => {
    const chain = new Chain();
    chain.hub.write('a', 'one');
    chain.link('follower');
    await chain.flow();
    assert.equal(chain.published.ready, false);
    chain.link('leader');
    await chain.flow();
    chain.assertShown(chain.follower);
  });

  it('goes on from a snapshot, and from what was staged: only what changed travels', async () => {
    const chain = new Chain();
    for (let n = 0; n < 50; n += 1) chain.hub.write(`s${n}`, `text ${n}`);
    chain.link('leader');
    await chain.flow();
    const again = poolStore();
    again.restore(SCOPE, chain.leader.snapshot(SCOPE) ?? new Uint8Array(0));
    chain.hub.write('s7', 'another text');
    const replica = chain.replicaOf(again);
    const link = chain.link('leader', { replica });
    await link.flow();
    chain.assertShown(again);
    assert.equal(replica.counters().puts, 1);
  });

  it('is not committed while more is on its way, and never in part', async () => {
    const chain = new Chain();
    const random = seededRandom(5);
    const noise = (): string =>
      Buffer.from(Array.from({ length: 9000 }, () => randomBelow(random, 256))).toString('base64');
    const names = Array.from({ length: 40 }, (_, n) => `s${n}`);
    for (const name of names) chain.hub.write(name, noise());
    const view = chain.leader.view(SCOPE);
    const sizes = new Set<number>();
    const batches = async (link: PoolLink, count: number): Promise<void> => {
      while (link.said.filter((kind) => kind === 'batch').length < count) {
        await link.pass('down');
        sizes.add(view.size);
        await link.pass('up');
      }
    };
    const first = chain.link('leader');
    await settle();
    await first.pass('up');
    await batches(first, 2);
    await first.flow();
    assert.deepEqual([...sizes], [0, 40]);
    first.cut();
    // Half of another state, and the line breaks.
    for (const name of names) chain.hub.write(name, noise());
    const second = chain.link('leader');
    await settle();
    await second.pass('up');
    await batches(second, 1);
    second.cut();
    assert.equal(view.version, '140');
    assert.notEqual(hex(chain.leader.record(SCOPE).stamp), hex(view.stamp), 'it is staged');
    const third = chain.link('leader');
    await third.flow();
    chain.assertShown(chain.leader);
    assert.equal(view.version, '180');
  });

  describe('of which most is to go', () => {
    const full = ['a', 'b', 'c', 'd'];

    async function filled(): Promise<{ chain: Chain; commits: PoolCommit[] }> {
      const chain = new Chain();
      for (const name of full) chain.hub.write(name, `text of ${name}`);
      chain.link('leader');
      chain.link('follower');
      await chain.flow();
      const commits: PoolCommit[] = [];
      chain.leader.view(SCOPE).listen((commit) => commits.push(commit));
      return { chain, commits };
    }

    it('holds it, and commits once it is confirmed, at each member in turn', async () => {
      const { chain, commits } = await filled();
      for (const name of full) chain.hub.take(name);
      await chain.flow();
      assert.equal(chain.leaderReplica.state.heldRemovals, 4);
      assert.deepEqual([chain.leader.view(SCOPE).size, chain.leader.view(SCOPE).version], [4, '104']);
      assert.equal(chain.leaderReplica.state.synced, false);
      await chain.clock.advance(1999);
      await chain.flow();
      assert.equal(chain.leader.view(SCOPE).size, 4);
      await chain.clock.advance(1);
      await chain.flow();
      assert.deepEqual([chain.leader.view(SCOPE).size, chain.leader.view(SCOPE).version], [0, '108']);
      assert.equal(commits.length, 1);
      assert.equal(chain.leaderReplica.state.synced, true);
      assert.equal(chain.follower.view(SCOPE).size, 4, 'the follower asks for itself');
      await chain.clock.advance(2000);
      await chain.flow();
      for (const store of [chain.leader, chain.follower]) chain.assertShown(store);
      assert.equal(chain.followerReplica.state.synced, true);
    });

    it('is confirmed by a leader once it has caught up itself', async () => {
      const { chain } = await filled();
      const caughtUp = deferred();
      chain.catchingUp = () => caughtUp.promise;
      for (const name of full) chain.hub.take(name);
      await chain.flow();
      await chain.clock.advance(2000);
      await chain.flow();
      await chain.clock.advance(60_000);
      await chain.flow();
      assert.deepEqual([chain.leader.view(SCOPE).size, chain.follower.view(SCOPE).size], [0, 4]);
      caughtUp.resolve();
      await chain.flow();
      assert.equal(chain.follower.view(SCOPE).size, 0);
    });

    it('keeps it when all is there again, and commits the state that says so', async () => {
      const { chain, commits } = await filled();
      for (const name of full) chain.hub.take(name);
      await chain.flow();
      for (const name of full) chain.hub.write(name, `text of ${name}`);
      await chain.flow();
      assert.equal(chain.leaderReplica.state.heldRemovals, 0);
      assert.deepEqual(
        commits.map(({ version, changes }) => [version, changes.length]),
        [['112', 0]],
      );
      await chain.clock.advance(60_000);
      await chain.flow();
      for (const store of [chain.leader, chain.follower]) chain.assertShown(store);
      assert.equal(chain.leaderReplica.state.synced, true);
    });

    it('commits what is there again and what is gone for good together', async () => {
      const { chain, commits } = await filled();
      for (const name of full) chain.hub.take(name);
      await chain.flow();
      chain.hub.write('a', 'text of a');
      chain.hub.write('e', 'new');
      await chain.flow();
      assert.equal(commits.length, 0);
      assert.equal(chain.leader.view(SCOPE).size, 4);
      await chain.clock.advance(2000);
      await chain.flow();
      chain.assertShown(chain.leader);
      assert.equal(commits.length, 1);
      assert.deepEqual(
        commits[0]?.changes.map(({ key, content }) => `${content ? 'put' : 'gone'} ${key.slice(-1)}`),
        ['put e', 'gone b', 'gone c', 'gone d'],
      );
    });

    it('survives a line that breaks while it is held', async () => {
      const { chain } = await filled();
      for (const name of full) chain.hub.take(name);
      await chain.flow();
      chain.links[0]?.cut();
      assert.equal(chain.leader.view(SCOPE).size, 4);
      chain.link('leader');
      await chain.flow();
      assert.equal(chain.leaderReplica.state.heldRemovals, 4);
      await chain.clock.advance(2000);
      await chain.flow();
      chain.assertShown(chain.leader);
    });
  });

  describe('whose leader is not to be trusted', () => {
    const tampers: readonly [string, (message: HubMessage) => HubMessage, string][] = [
      [
        'leaves an object out',
        (message) => edited(message, (changes) => changes.slice(1)),
        'ERR_SYNC_FORGED',
      ],
      [
        'calls an object another',
        (message) =>
          edited(message, (changes) =>
            changes.map((change, n) => (n === 0 ? { ...change, key: `${change.key}x` } : change)),
          ),
        'ERR_SYNC_FORGED',
      ],
      [
        'signs for itself',
        (message) => stamped(message, (stamp) => stamp.map((byte, at) => (at === 40 ? byte ^ 1 : byte))),
        'ERR_SYNC_FORGED',
      ],
      ['gives no stamp', (message) => stamped(message, () => new Uint8Array(0)), 'ERR_SYNC_FORGED'],
      ['gives a stamp of nothing', (message) => stamped(message, () => Uint8Array.of(1)), 'ERR_SYNC_FORGED'],
    ];
    for (const [what, tamper, code] of tampers) {
      it(`refuses one that ${what}: nothing of it is shown`, async () => {
        const chain = new Chain();
        for (const name of ['a', 'b', 'c']) chain.hub.write(name, `text of ${name}`);
        chain.link('leader');
        const link = chain.link('follower', { tamper });
        await chain.flow();
        assert.deepEqual(
          link.failures.map((error) => (error as { code?: string }).code),
          [code],
        );
        assert.equal(chain.follower.view(SCOPE).ready, false);
        // With an honest one it goes on, given up or not what was staged.
        for (const isGivenUp of [false, true]) {
          if (isGivenUp) chain.follower.discard(SCOPE);
          const honest = chain.link('follower');
          await chain.flow();
          assert.deepEqual(honest.failures, []);
          chain.assertShown(chain.follower);
          honest.cut();
        }
      });
    }

    it('refuses one that replays an old state', async () => {
      const chain = new Chain();
      chain.hub.write('a', 'one');
      const stale = poolStore();
      const replica = chain.replicaOf(stale);
      await chain.link('leader', { replica }).flow();
      chain.links[0]?.cut();
      chain.hub.write('a', 'two');
      const honest = chain.link('leader');
      const other = chain.link('leader', { replica: chain.followerReplica });
      await chain.flow();
      honest.cut();
      other.cut();
      const view = publishedView(stale.view(SCOPE), { ready: () => true, catchUp: () => Promise.resolve() });
      const replayed = chain.link('follower', { view });
      await chain.flow();
      assert.deepEqual(
        replayed.failures.map((error) => (error as { code?: string }).code),
        ['ERR_SYNC_OLD_STATE'],
      );
      chain.assertShown(chain.follower);
    });

    it('goes without what one withholds', async () => {
      const chain = new Chain();
      chain.hub.write('a', 'one');
      chain.link('leader');
      const link = chain.link('follower', {
        tamper: (message) =>
          message.body === 'batch'
            ? ({ batch: { ...message.batch, inSync: false } } as unknown as HubMessage)
            : message,
      });
      await chain.flow();
      assert.deepEqual(link.failures, []);
      chain.assertShown(chain.follower);
      assert.equal(chain.followerReplica.state.synced, false);
    });
  });

  describe('that changes while a batch of it is made', () => {
    it('is said to be in sync with just the state that was sent', async () => {
      const chain = new Chain();
      const slow = new SlowEncoder();
      chain.hub.write('a', 'one');
      chain.hub.write('b', 'one');
      const link = chain.link('leader', { encoder: slow });
      await link.flow();
      assert.equal(slow.waiting.length, 1, 'a batch is being made');
      chain.hub.write('a', 'two');
      slow.waiting.shift()?.resolve();
      await settle();
      chain.hub.write('c', 'new');
      await slow.encodeAll();
      assert.equal(chain.leader.view(SCOPE).ready, false);
      while (!chain.leaderReplica.state.synced) {
        await link.flow();
        await slow.encodeAll();
        assert.deepEqual(link.failures, []);
      }
      chain.assertShown(chain.leader);
    });

    it('and back again: what is said is what it is now', async () => {
      const chain = new Chain();
      const slow = new SlowEncoder();
      chain.hub.write('a', 'one');
      const link = chain.link('leader', { encoder: slow });
      await link.flow();
      chain.hub.write('a', 'two');
      chain.hub.write('a', 'one');
      await slow.encodeAll();
      await link.flow();
      assert.deepEqual(link.said, ['batch', 'inSync']);
      assert.equal(chain.leader.view(SCOPE).version, '103');
    });

    it('in what has yet to be put into it: the stamp is of the state at its end', async () => {
      const chain = new Chain();
      const slow = new SlowEncoder();
      chain.hub.write('a', 'one');
      chain.hub.write('b', 'one');
      const link = chain.link('leader', { encoder: slow });
      await link.flow();
      chain.hub.write('b', 'two');
      await slow.encodeAll();
      await link.flow();
      assert.deepEqual(link.said, ['batch']);
      assert.equal(chain.leader.view(SCOPE).version, '103');
      assert.equal(chain.leaderReplica.state.synced, true);
    });

    it('by what is gone while it is encoded', async () => {
      const chain = new Chain();
      const slow = new SlowEncoder();
      chain.hub.write('a', 'one');
      chain.hub.write('b', 'one');
      chain.hub.write('c', 'one');
      const link = chain.link('leader', { encoder: slow });
      await link.flow();
      chain.hub.take('a');
      await slow.encodeAll();
      await link.flow();
      await slow.encodeAll();
      await link.flow();
      assert.deepEqual(link.failures, []);
      chain.assertShown(chain.leader);
      assert.equal(chain.leaderReplica.state.synced, true);
    });

    it('by a commit of the leader, between a batch of a follower and its end', async () => {
      const chain = new Chain();
      const slow = new SlowEncoder();
      for (const name of ['a', 'b', 'c']) chain.hub.write(name, 'one');
      const first = chain.link('leader');
      await first.flow();
      const link = chain.link('follower', { encoder: slow });
      for (let round = 0; round < 20; round += 1) {
        chain.hub.write(`r${round}`, `text ${round}`);
        if (round % 3 === 0) chain.hub.take('a');
        else chain.hub.write('a', `round ${round}`);
        await first.flow();
        slow.waiting.shift()?.resolve();
        await link.flow();
        assert.deepEqual(link.failures, []);
      }
      while (!chain.followerReplica.state.synced) {
        await slow.encodeAll();
        await link.flow();
      }
      chain.assertShown(chain.follower);
    });
  });
});

type Changes = Extract<HubMessage, { body: 'batch' }>['batch']['changes'];

/** A batch with other changes in it; anything else as it is. */
function edited(message: HubMessage, edit: (changes: Changes) => Changes): HubMessage {
  if (message.body !== 'batch') return message;
  return { batch: { ...message.batch, changes: edit(message.batch.changes) } } as unknown as HubMessage; // encoded at once
}

function stamped(message: HubMessage, edit: (stamp: Uint8Array) => Uint8Array): HubMessage {
  if (message.body === 'inSync')
    return { inSync: { stamp: edit(message.inSync.stamp) } } as unknown as HubMessage;
  if (message.body !== 'batch') return message;
  return { batch: { ...message.batch, stamp: edit(message.batch.stamp) } } as unknown as HubMessage; // encoded at once
}
