import assert from 'node:assert/strict';
import type { HubMessage } from '@hawser/proto';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { FakeClock, scaled } from '@hawser/seams/testing';
import {
  compareVersions,
  DeltaEncoder,
  DigestTree,
  isSignedBy,
  PoolStore,
  publishedView,
  readSignedState,
  ScopeReplica,
  type ChangeEncoder,
  type Content,
  type PoolCommit,
  type ScopeView,
} from '../../src/index.ts';
import { settle } from '../settle.ts';
import { PoolLink } from './pool-link.ts';
import { checkOf, hex, HUB, OF, SCOPE, SignedView } from './signed-view.ts';

const SEED = Number(process.env['HAWSER_SEED'] ?? 1);
const SCHEDULES = scaled(40, 5_000);
const STEPS = 120;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** One member: what it shows is looked at with every commit. */
class Member {
  readonly world: World;
  readonly name: string;
  store!: PoolStore; // made by restart(), which the constructor calls
  replica!: ScopeReplica;
  view!: ScopeView;
  link: PoolLink | undefined;
  /** Whom it follows; undefined: the hub, or nobody. */
  source: Member | undefined;
  commits = 0;
  #shown = new Map<string, Content>();
  #version = '';
  /** Of what it shows. */
  life = '';

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.restart(false);
  }

  /** The process is another one; it goes on from its snapshot, or from nothing. */
  restart(fromSnapshot: boolean): void {
    this.link?.cut();
    const snapshot = fromSnapshot ? this.store.snapshot(SCOPE) : undefined;
    this.store = new PoolStore({ check: (scope, stamp) => checkOf(this.world.hub.of)(scope, stamp) });
    this.#shown = new Map();
    this.#version = '';
    this.store.view(SCOPE).listen((commit) => this.#onCommit(commit));
    if (snapshot !== undefined && this.life === this.world.hub.of.incarnation)
      this.store.restore(SCOPE, snapshot);
    const { clock } = this.world;
    const checks = this.store.checks(SCOPE);
    this.replica = new ScopeReplica({
      scope: SCOPE,
      store: this.store,
      checks,
      clock,
      random: { next: () => 0.5 },
    });
    this.view = publishedView(this.store.view(SCOPE), {
      ready: () => true,
      catchUp: () => Promise.resolve(),
    });
  }

  /** Everything that docs/pool.md promises of what is shown. */
  #onCommit({ version, changes }: PoolCommit): void {
    const { hub } = this.world;
    const view = this.store.view(SCOPE);
    this.commits += 1;
    assert.ok(isSignedBy(view.stamp, hub.of, [HUB.publicKey]), 'it is signed');
    const floor = this.life === hub.of.incarnation ? this.#version : '';
    assert.ok(compareVersions(version, floor) >= 0, `${version} after ${floor}`);
    let last = '';
    let isGone = false;
    for (const { key, content, previous } of changes) {
      assert.equal(previous?.hash, this.#shown.get(key)?.hash, `${key}: what was before`);
      assert.notEqual(content?.hash, previous?.hash, `${key}: is a change`);
      if (content === undefined) {
        isGone = true;
        assert.ok(this.#shown.delete(key));
        continue;
      }
      assert.ok(!isGone, 'what is gone comes last');
      assert.ok(compareVersions(content.version, last) >= 0, 'in order');
      assert.ok(compareVersions(content.version, version) <= 0, 'not ahead');
      assert.ok(floor === '' || compareVersions(content.version, floor) > 0, 'not behind');
      last = content.version;
      this.#shown.set(key, content);
    }
    const digest = hex(DigestTree.of([...this.#shown].map(([key, { hash }]) => [key, hash])).digest());
    assert.equal(digest, hex(readSignedState(view.stamp)?.digest ?? new Uint8Array(0)));
    assert.equal(digest, hub.states.get(version), 'the hub had this state');
    assert.deepEqual([...view.contents()].map(({ key }) => key).sort(), [...this.#shown.keys()].sort());
    this.#version = version;
    this.life = hub.of.incarnation;
  }
}

/** Encodes at once, or later. */
class FitfulEncoder implements ChangeEncoder {
  readonly #encoder = new DeltaEncoder({ threadAboveBytes: Infinity });
  readonly #random: Random;
  readonly waiting: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  encode(...asked: Parameters<ChangeEncoder['encode']>): ReturnType<ChangeEncoder['encode']> {
    if (randomBelow(this.#random, 3) > 0) return this.#encoder.encode(...asked);
    return new Promise<void>((resolve) => this.waiting.push(resolve)).then(() =>
      this.#encoder.encode(...asked),
    );
  }
}

class World {
  readonly random: Random;
  readonly clock = new FakeClock();
  readonly hub = new SignedView();
  readonly encoder: FitfulEncoder;
  readonly members: Member[];
  readonly trace: string[] = [];
  /** Links that alter what they carry, and those to members that had not heard of the cluster's new life. */
  readonly evil = new Set<PoolLink>();
  readonly ofLifeBefore = new Set<PoolLink>();
  refusals = 0;
  #written = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.encoder = new FitfulEncoder(this.random);
    this.members = ['m0', 'm1', 'm2'].map((name) => new Member(this, name));
  }

  below(bound: number): number {
    return randomBelow(this.random, bound);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item; // the index is one of its own
  }

  async step(): Promise<void> {
    const dice = this.below(100);
    const member = this.pick(this.members);
    if (dice < 20) this.change();
    else if (dice < 70) await this.passSome();
    else if (dice < 78) this.encoder.waiting.shift()?.();
    else if (dice < 88)
      this.follow(member, this.pick([undefined, undefined, ...this.members]), this.below(6) === 0);
    else if (dice < 91) member.link?.cut();
    else if (dice < 93) this.note(`${member.name} restarts`, () => member.restart(this.below(3) > 0));
    else if (dice < 95) this.note(`${member.name} gives up`, () => this.giveUp(member));
    else if (dice < 96) this.note('all goes', () => NAMES.forEach((name) => this.hub.take(name)));
    else if (dice < 97) this.note('another life', () => this.goBack());
    else await this.clock.advance(this.pick([100, 2_000, 61_000]));
    await settle();
    for (const each of this.members) this.look(each);
  }

  change(): void {
    const name = this.pick(NAMES);
    this.#written += 1;
    if (this.below(3) === 0) this.hub.take(name);
    else this.hub.write(name, this.pick(['one', 'two', `text ${this.#written} ${'long '.repeat(30)}`]));
  }

  async passSome(): Promise<void> {
    const links = this.members.flatMap(({ link }) => (link === undefined ? [] : [link]));
    for (const link of links) {
      const frames = this.below(4);
      for (let n = 0; n < frames; n += 1) await link.pass(this.pick(['up', 'down']));
    }
  }

  follow(member: Member, source: Member | undefined, isEvil: boolean): void {
    if (source === member) return;
    this.note(`${member.name} follows ${source?.name ?? 'the hub'}${isEvil ? ', altered' : ''}`, () => {
      member.link?.cut();
      member.source = source;
      const { encoder, clock } = this;
      const view = source?.view ?? this.hub;
      const tamper = isEvil ? (message: HubMessage) => this.altered(message) : undefined;
      member.link = new PoolLink({
        view,
        replica: member.replica,
        encoder,
        clock,
        ...(tamper && { tamper }),
      });
      if (isEvil) this.evil.add(member.link);
      if (source !== undefined && source.life !== this.hub.of.incarnation) this.ofLifeBefore.add(member.link);
    });
  }

  giveUp(member: Member): void {
    member.link?.cut();
    member.store.discard(SCOPE);
  }

  /** The cluster went back to an older state: what it says from then on is of another life, with lower versions. */
  goBack(): void {
    for (const { link } of this.members) link?.cut();
    this.hub.of = { ...OF, incarnation: `${this.hub.of.incarnation}+` };
    this.hub.states.clear();
    this.hub.version -= this.below(20);
    for (const name of NAMES) if (this.below(3) === 0) this.hub.remove(`services/default/${name}`);
    this.hub.version = Math.max(
      this.hub.version,
      ...[...this.hub.hashes()].map(([key]) => Number(this.hub.get(key)?.version)),
    );
  }

  /** What an honest peer never does ends nothing but its own session; what an honest one says is never refused. */
  look(member: Member): void {
    const { link } = member;
    if (link === undefined || link.failures.length === 0) return;
    const codes = link.failures.map((error) => (error as { code?: string }).code ?? error.message);
    link.failures.length = 0;
    this.trace.push(`${member.name}: ${codes.join()}`);
    this.refusals += 1;
    if (this.evil.has(link)) {
      if (this.below(2) === 0) member.store.discard(SCOPE);
      return;
    }
    // A peer may be behind, or of the life before; the hub cannot.
    assert.ok(member.source !== undefined, codes.join());
    const isOfLifeBefore = this.ofLifeBefore.has(link);
    assert.ok(
      codes[0] === 'ERR_SYNC_OLD_STATE' || (isOfLifeBefore && codes[0] === 'ERR_SYNC_FORGED'),
      codes[0],
    );
  }

  altered(message: HubMessage): HubMessage {
    if (message.body !== 'batch' || this.below(2) === 0) return message;
    const { batch } = message;
    const [first] = batch.changes;
    const edits: (() => object)[] = [
      () => ({ changes: batch.changes.slice(1) }),
      () => ({ stamp: batch.stamp.map((byte, at) => (at === 30 ? byte ^ 1 : byte)) }),
      () => ({ stamp: new Uint8Array(0) }),
      () => ({ inSync: !batch.inSync }),
      () => ({ changes: batch.changes.map((change) => ({ ...change, version: '999999' })) }),
      () => ({ changes: batch.changes.map((change) => ({ ...change, version: '1' })) }),
      () =>
        first === undefined
          ? {}
          : { changes: [...batch.changes, { ...first, key: 'services/default/evil' }] },
      () => ({ changes: [...batch.changes, { key: 'services/default/zz', removed: true }] }),
    ];
    return { batch: { ...batch, ...this.pick(edits)() } } as unknown as HubMessage; // encoded at once
  }

  /** All are honest and all lines hold: a leader follows the hub, the others follow it. */
  async quiet(): Promise<void> {
    const [leader, ...others] = this.members;
    assert.ok(leader);
    this.follow(leader, undefined, false);
    await this.flow();
    for (const member of others) this.follow(member, leader, false);
    await this.flow();
    for (const { name, link, replica, store } of this.members) {
      assert.deepEqual(link?.failures, [], name);
      assert.equal(replica.state.synced, true, `${name} is in sync`);
      const view = store.view(SCOPE);
      assert.equal(view.ready, true);
      assert.deepEqual(
        [...view.contents()].map(({ key, hash }) => `${key} ${hash}`).sort(),
        [...this.hub.hashes()].map(([key, hash]) => `${key} ${hash}`).sort(),
        name,
      );
      assert.equal(store.entries(SCOPE).size, view.size, `${name}: nothing is staged`);
    }
  }

  async flow(): Promise<void> {
    for (let round = 0; round < 40; round += 1) {
      for (const wake of this.encoder.waiting.splice(0)) wake();
      for (const { link } of this.members) await link?.flow();
      if (round % 8 === 7) await this.clock.advance(2_500);
    }
  }

  note(what: string, run: () => void): void {
    this.trace.push(what);
    run();
  }
}

describe('A pool’s scope under random schedules', () => {
  it(`shows signed states only, and in the end the last one, over ${SCHEDULES} schedules`, async function () {
    this.timeout(scaled(60_000, 3_600_000));
    let commits = 0;
    let refusals = 0;
    for (let seed = SEED; seed < SEED + SCHEDULES; seed += 1) {
      const world = new World(seed);
      try {
        for (let n = 0; n < STEPS; n += 1) await world.step();
        await world.quiet();
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}\n${world.trace.slice(-40).join('\n')}`, {
          cause: error,
        });
      }
      for (const member of world.members) {
        commits += member.commits;
        member.link?.cut();
      }
      refusals += world.refusals;
    }
    assert.ok(commits > SCHEDULES * 5, `${commits} commits`);
    assert.ok(refusals > SCHEDULES / 10, `${refusals} refusals`);
  });
});
