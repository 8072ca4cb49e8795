import { ModelResources, VirtualLan, VirtualPool } from '@hawser/edgecore/testing/pools';
import { silentLogger, type Logger } from '@hawser/seams';
import { Dice } from '../dice.ts';
import { VirtualTime } from '../virtual-time.ts';
import { OfflineActions } from './offline-actions.ts';
import { PoolActions } from './pool-actions.ts';
import { PoolChecker } from './pool-checker.ts';
import { PoolLiars } from './pool-liars.ts';
import { SimPoolNode } from './pool-node.ts';
import { SignedStates } from './signed-states.ts';

/** What a simulation of pools came to. */
export interface PoolSimulationReport {
  readonly seed: number;
  /** What must not happen and did, in order. Empty: all is well. */
  readonly failures: readonly string[];
  /** What was done and seen, one line each. */
  readonly trace: readonly string[];
  /** How much virtual time passed, and how long pools without a cloud took to find a leader at most, milliseconds. */
  readonly virtualMs: number;
  readonly slowestMs: number;
  /** What was met, for a test that all of it is. */
  readonly met: ReadonlySet<string>;
}

/** Schedules of one simulation: each is random actions, faults among them, and quiet after them. */
export const POOL_SCHEDULES = 5;
/** The most time that everything may take to become equal once all faults have ended: a liar is avoided for 10 min. */
const QUIET_WITHIN_MS = 15 * 60_000;
/** How often all that must always hold is looked at, beside each commit and each stream. */
const LOOK_EVERY_MS = 1_000;

/** Time that a virtual pool moves, too. */
class PoolTime extends VirtualTime {
  async advance(byMs: number): Promise<void> {
    await this.run(byMs);
  }
}

/**
 * One or two pools of a cluster in one process, over virtual time, a LAN and a cloud that can be cut anywhere: members are
 * the true ones, what is around them is a model. See docs/sync.md, "How it is tested".
 */
export class PoolSimulation {
  readonly seed: number;
  readonly dice: Dice;
  readonly time = new PoolTime();
  readonly resources = new ModelResources();
  readonly lan: VirtualLan;
  readonly signed: SignedStates;
  readonly liars: PoolLiars;
  readonly pools: readonly VirtualPool[];
  readonly nodes: readonly SimPoolNode[];
  readonly trace: string[] = [];
  readonly failures: string[] = [];
  readonly met = new Set<string>();
  slowestMs = 0;
  /** How often the LAN was made another one as a whole: what was begun before does not end in it. */
  lanChanges = 0;
  /** How often all ways to the cloud were cut for good. */
  cloudCuts = 0;
  readonly #checkers: readonly PoolChecker[];

  readonly #log: Logger;

  /** @param log what members say, to look at a seed closely */
  constructor(seed: number, log: Logger = silentLogger) {
    this.#log = log;
    this.seed = seed;
    this.dice = new Dice(seed);
    const { time, dice, resources } = this;
    this.lan = new VirtualLan({ clock: time });
    this.signed = new SignedStates(resources, () => time.monotonicMs());
    this.liars = new PoolLiars(this.lan, dice.fork());
    const sizes = dice.chance(0.25) ? [3 + dice.below(3), 3 + dice.below(3)] : [this.#size()];
    this.pools = sizes.map((size, index) => this.#makePool(size, index));
    const reading = { signed: this.signed, fail: (what: string) => this.fail(what) };
    this.nodes = this.pools.flatMap((pool) =>
      [...pool.members.values()].map((member) => new SimPoolNode(pool, member, reading)),
    );
    this.#checkers = this.pools.map(
      (pool) =>
        new PoolChecker(
          pool.cloud,
          this.nodes.filter((node) => node.pool === pool),
          reading.fail,
        ),
    );
  }

  /** Runs it all. */
  async run(): Promise<PoolSimulationReport> {
    const actions = new PoolActions(this);
    const offline = new OfflineActions(this);
    actions.begin();
    for (const node of this.nodes) await node.start();
    await this.becomeQuiet('after the start');
    for (let schedule = 0; schedule < POOL_SCHEDULES && !this.hasFailed(); schedule += 1) {
      for (let steps = 4 + this.dice.below(10); steps > 0 && !this.hasFailed(); steps -= 1) {
        await actions.step();
        await this.pass(this.#pauseMs());
      }
      if (this.dice.chance(0.4) && !this.hasFailed()) await offline.run();
      if (this.hasFailed()) break;
      await actions.heal();
      await this.becomeQuiet('after the random schedule');
    }
    return this.#report();
  }

  hasFailed(): boolean {
    return this.failures.length > 0;
  }

  fail(what: string): void {
    this.failures.push(what);
    this.log(`FAILED: ${what}`);
  }

  log(what: string): void {
    this.trace.push(`${this.time.monotonicMs().toFixed(0)} ${what}`);
  }

  nodesOf(pool: VirtualPool): readonly SimPoolNode[] {
    return this.nodes.filter((node) => node.pool === pool);
  }

  /** Lets time pass, and looks at what must always hold; until `done` says so. Answers whether it did. */
  pass(spanMs: number, done: () => boolean = () => false, everyMs: number = LOOK_EVERY_MS): Promise<boolean> {
    const isOver = (): boolean => {
      for (const checker of this.#checkers) checker.check();
      for (const pool of this.pools) for (const fault of pool.faults.splice(0)) this.fail(fault);
      return this.hasFailed() || done();
    };
    return this.time.run(spanMs, isOver, everyMs);
  }

  /** Waits until everything is equal. */
  async becomeQuiet(when: string): Promise<void> {
    if (this.hasFailed()) return;
    const isQuiet = (): boolean => this.pools.every((pool) => this.#whatIsNot(pool) === undefined);
    const beganMs = this.time.monotonicMs();
    const quiet = await this.pass(QUIET_WITHIN_MS, isQuiet);
    if (this.hasFailed()) return;
    if (quiet) this.log(`quiet ${when}, after ${this.time.monotonicMs() - beganMs} ms`);
    else this.fail(`not quiet ${when}: ${this.pools.map((pool) => this.#whatIsNot(pool)).join('; ')}`);
  }

  /** How all stand. */
  describe(): string {
    return this.pools.map((pool) => pool.describe()).join(' | ');
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

  #size(): number {
    return this.dice.chance(0.7) ? 3 + this.dice.below(4) : 7 + this.dice.below(6);
  }

  #makePool(size: number, index: number): VirtualPool {
    const { time: clock, resources, lan } = this;
    const pool = index === 0 ? 'shop' : 'depot';
    const members = Array.from({ length: size }, (_, n) => `${pool}-${n + 1}`);
    const made = new VirtualPool({
      ...{ clock, resources, lan, pool, members, log: this.#log },
      seed: this.dice.below(2 ** 31),
    });
    // One of ten may not lead.
    for (const name of members) if (name !== members[0] && this.dice.chance(0.1)) made.cloud.add(name, false);
    return made;
  }

  /** The first thing of a pool that is not as it should be once all is quiet. */
  #whatIsNot(pool: VirtualPool): string | undefined {
    const { cloud } = pool;
    const nodes = this.nodesOf(pool);
    const leaders = nodes.filter(({ member }) => member.leads).map(({ name }) => name);
    if (leaders.length !== 1 || leaders[0] !== cloud.leader)
      return `${leaders.join(' and ')} lead, the cloud says ${cloud.leader}; ${pool.describe()}`;
    for (const { name, member, runs } of nodes) {
      if (!runs) return `${name} does not run`;
      const { state, provisional, leader, epoch } = member.member.status() ?? {};
      if (state !== 'LIVE' || provisional !== false) return `${name} is ${state}; ${pool.describe()}`;
      if (leader !== cloud.leader || epoch !== cloud.epoch)
        return `${name} follows ${leader}; ${pool.describe()}`;
      const missing = this.#whatHasNot(pool, member.member);
      if (missing !== undefined) return `${name}: ${missing}; ${pool.describe()}`;
    }
    const streams = [...cloud.streams];
    if (streams.some((stream) => stream.direct || stream.node !== cloud.leader))
      return `${streams.map(({ node }) => node).join()} have streams`;
    if (streams.length !== cloud.sharedNames.length)
      return `${streams.length} streams of ${cloud.sharedNames.length} resources`;
    return undefined;
  }

  /** What a member does not show as the cloud has it. */
  #whatHasNot({ cloud }: VirtualPool, member: SimPoolNode['member']['member']): string | undefined {
    for (const resource of cloud.sharedNames) {
      const wanted = cloud.resources.view(`${cloud.pool}/${resource}`);
      const view = member.view(resource);
      if (view?.ready !== true) return `${resource} is not there`;
      const signed = this.signed.find(view.scope, view.stamp)?.incarnation;
      if (signed !== this.resources.incarnation) return `${resource} has a stamp of ${signed}`;
      if (view.size !== wanted.size) return `${resource} has ${view.size} objects of ${wanted.size}`;
      for (const [key, hash] of wanted.hashes())
        if (view.get(key)?.hash !== hash) return `${key} is not as the cloud has it`;
    }
    return member.resources().size === cloud.sharedNames.length - 1 ? undefined : 'it shares too much';
  }

  #pauseMs(): number {
    if (this.dice.chance(0.1)) return this.dice.between(20_000, 70_000);
    return this.dice.chance(0.4) ? this.dice.between(0, 200) : this.dice.between(0, 12_000);
  }

  #report(): PoolSimulationReport {
    const { seed, failures, trace, slowestMs, met } = this;
    if (this.liars.told > 0) met.add('lies');
    for (const { member } of this.nodes) if (member.refused.length > 0) met.add('refusals');
    for (const { most } of this.#checkers) if (most.direct > 0) met.add('direct');
    return { seed, failures, trace, slowestMs, met, virtualMs: this.time.monotonicMs() };
  }
}

/** Runs the simulation of a seed. */
export function simulatePools(seed: number): Promise<PoolSimulationReport> {
  return new PoolSimulation(seed).run();
}
